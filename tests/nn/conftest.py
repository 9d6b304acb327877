"""In these tests the smallest arrays are cut into parts as well, as only large ones are in use."""

import pytest

from minisam.nn.kernels import threads


@pytest.fixture(autouse=True, scope="module")
def always_in_parts():
    before = threads.SMALLEST_WORK
    threads.SMALLEST_WORK = 0
    yield
    threads.SMALLEST_WORK = before
