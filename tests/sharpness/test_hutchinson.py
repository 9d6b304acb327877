import numpy as np
import pytest
from tiny_network import tiny_mean_loss, tiny_params

from minisam.sharpness.hessian import dense_hessian, flat_hessian, hessian_product
from minisam.sharpness.hutchinson import trace


def test_a_diagonal_hessian_is_exact_with_any_signs():
    spectrum = np.arange(1.0, 8.0)
    rng = np.random.default_rng(0)
    assert trace(lambda v: spectrum * v, 7, rng, 2) == (28.0, 0.0, 2)


def test_the_trace_of_a_network_lies_within_five_standard_errors():
    w = tiny_params()
    dense = dense_hessian(tiny_mean_loss, w)
    hessian = flat_hessian(hessian_product(tiny_mean_loss, w), w)
    found = trace(hessian.matvec, hessian.size, np.random.default_rng(0), probes=400)
    assert abs(found.value - np.trace(dense)) < 5 * found.standard_error


def test_standard_error_is_the_one_that_theory_gives():
    matrix = np.random.default_rng(3).standard_normal((20, 20))
    matrix = matrix + matrix.T
    off = matrix - np.diag(np.diag(matrix))
    found = trace(lambda v: matrix @ v, 20, np.random.default_rng(0), probes=4000)
    theory = np.sqrt(2 * np.sum(off**2) / 4000)  # Var[zᵀHz] = 2 Σ_{i≠j} H_ij²
    assert found.standard_error == pytest.approx(theory, rel=0.06)  # 5 σ of a variance, n = 4000


def test_two_probes_have_the_standard_error_of_two_samples():
    matrix = np.array([[0.0, 1.0], [1.0, 0.0]])  # zᵀHz = 2 z₁z₂, from {−2, 2}
    for seed in range(20):
        found = trace(lambda v: matrix @ v, 2, np.random.default_rng(seed), 2)
        same = abs(found.value) == 2.0
        assert found.standard_error == pytest.approx(0.0 if same else 2.0)  # √(8/1) / √2


@pytest.mark.fault("option-value", "sharpness.trace")
@pytest.mark.parametrize("bad", [1, 0, -1, 2.5, True, "2", None])
def test_too_few_probes_are_refused(bad):
    with pytest.raises(ValueError, match="probes must be a whole number of at least 2"):
        trace(lambda v: v, 3, np.random.default_rng(0), probes=bad)
    if bad != 1:
        with pytest.raises(ValueError, match="size must be a whole number of at least 1"):
            trace(lambda v: v, bad, np.random.default_rng(0))
