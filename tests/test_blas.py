import types

import pytest
from nn.conftest import always_in_parts  # noqa: F401  # with two threads wherever this runs

from minisam import blas


def number_of_blas_threads() -> int:
    return blas.openblas("get_num_threads")()


def test_blas_has_one_thread_in_a_block_of_own_threads_but_for_its_products():
    if blas._blas() is None:
        pytest.skip("NumPy is not built with OpenBLAS")
    before = number_of_blas_threads()
    seen = []
    with blas.own_threads():
        seen.append(number_of_blas_threads())
        with blas.blas_threads():
            seen.append(number_of_blas_threads())
        seen.append(number_of_blas_threads())
    with blas.blas_threads():
        seen.append(number_of_blas_threads())
    assert before == blas._blas()[1] > 1
    assert seen == [1, before, 1, before]
    assert number_of_blas_threads() == before


def test_a_product_of_blas_that_outlasts_own_threads_leaves_blas_its_threads():
    """As when another thread's gradient ends meanwhile."""
    if blas._blas() is None:
        pytest.skip("NumPy is not built with OpenBLAS")
    gradient, product = blas.own_threads(), blas.blas_threads()
    gradient.__enter__()
    product.__enter__()
    gradient.__exit__(None, None, None)
    product.__exit__(None, None, None)
    assert number_of_blas_threads() == blas._blas()[1]


@pytest.mark.parametrize("names", ["scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_"])
@pytest.mark.fault("missing-from-the-platform", "threads")
def test_openblas_is_found_under_the_names_of_any_build(names, monkeypatch):
    function = names.format("get_corename")
    library = types.SimpleNamespace(**{function: "found"})
    monkeypatch.setattr(blas.ctypes, "CDLL", lambda path: library)
    assert blas.openblas("get_corename") == "found"
    assert blas.openblas("get_config") is None
