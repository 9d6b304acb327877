"""In these tests the smallest arrays are cut into parts as well, as only large ones are in use.

And they are worked on by two threads wherever the tests run: on one core, or in one of
pytest-xdist's workers, there would be one.
"""

import pytest

from minisam import blas, threads


@pytest.fixture(autouse=True, scope="module")
def always_in_parts():
    smallest, found = threads.SMALLEST_WORK, blas._blas()
    threads.SMALLEST_WORK = 0
    if found is not None:
        change_threads(found[0], 2)
    yield
    threads.SMALLEST_WORK = smallest
    if found is not None:
        change_threads(*found)


def change_threads(set_threads, count):
    set_threads(count)
    for cached in blas._blas, threads.workers, threads._helpers:
        cached.cache_clear()
