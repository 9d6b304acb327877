"""A product of a wrong kind is refused wherever products are taken."""

import numpy as np
import pytest

from minisam.sharpness import lanczos, spectral_density, top_eigenvalues, trace
from minisam.sharpness.products import checked_product

USES = [
    lambda matvec: checked_product(matvec, np.ones(3)),
    lambda matvec: trace(matvec, 3, np.random.default_rng(0), 2),
    lambda matvec: lanczos(matvec, np.ones(3), 3),
    lambda matvec: top_eigenvalues(matvec, 3, np.random.default_rng(0), 2),
    lambda matvec: spectral_density(matvec, 3, np.random.default_rng(0), 2),
]


@pytest.mark.fault(
    "shape", "sharpness.trace", "sharpness.lanczos",
    "sharpness.top_eigenvalues", "sharpness.spectral_density",
)  # fmt: skip
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (lambda v: v[:, None], r"real numbers of shape \(3,\), got float64 of shape \(3, 1\)"),
        (lambda v: v[None], r"got float64 of shape \(1, 3\)"),
        (lambda v: v[:2], r"got float64 of shape \(2,\)"),
        (lambda v: np.append(v, 0), r"got float64 of shape \(4,\)"),
        (lambda v: 1.0, r"got float64 of shape \(\)"),
        (lambda v: None, r"got object of shape \(\)"),
        (lambda v: v * 1j, r"got complex128 of shape \(3,\)"),
        (lambda v: v.astype(object), r"got object of shape \(3,\)"),
        (lambda v: v * np.nan, "the Hessian product is not finite"),
        (lambda v: v * [1, np.inf, 1], "the Hessian product is not finite"),
    ],
)
def test_a_product_that_does_not_fit_is_refused(bad, message):
    for use in USES:
        with pytest.raises(ValueError, match=message):
            use(bad)


@pytest.mark.fault("dtype", "sharpness.lanczos", "sharpness.trace")
@pytest.mark.parametrize("dtype", ["i8", "u1", "f2", ">f4", ">f8", list])
def test_products_of_any_real_type_are_taken(dtype):
    """H = 2 I, of vectors that are rounded to integers, has the trace 6."""

    def matvec(v):
        twice = 2 * np.abs(np.rint(v))
        return twice.tolist() if dtype is list else twice.astype(dtype)

    found = checked_product(matvec, np.ones(3))
    assert (found.dtype, found.tolist()) == (np.float64, [2, 2, 2])
    assert trace(lambda v: v * matvec(v), 3, np.random.default_rng(0), 2).value == 6


@pytest.mark.fault("memory-layout", "sharpness.top_eigenvalues")
def test_a_product_may_use_one_array_for_all_results():
    spectrum, buffer = np.array([5.0, 4.0, 1.0]), np.empty(3)

    def matvec(v):
        return np.multiply(spectrum, v, out=buffer)

    found = top_eigenvalues(matvec, 3, np.random.default_rng(0), count=3)
    np.testing.assert_allclose(found.eigenvalues, spectrum, rtol=1e-14)
    own = top_eigenvalues(lambda v: v, 3, np.random.default_rng(0), count=2)  # its own argument
    np.testing.assert_allclose(own.eigenvalues, [1, 1], rtol=1e-14)
