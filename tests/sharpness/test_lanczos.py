import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_network import tiny_mean_loss, tiny_params

from minisam.sharpness.hessian import dense_hessian, flat_hessian, hessian_product
from minisam.sharpness.lanczos import lanczos, top_eigenvalues


def symmetric(n: int, seed: int, decades: float = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((n, n)))
    spectrum = np.sort(rng.choice([-1, 1], n) * 10 ** rng.uniform(-decades, 0, n))
    return rotation @ np.diag(spectrum) @ rotation.T, spectrum


@given(st.integers(1, 25), st.integers(0, 10**6))
def test_all_steps_give_the_whole_spectrum(n, seed):
    matrix, spectrum = symmetric(n, seed)
    found = lanczos(lambda v: matrix @ v, np.random.default_rng(seed).standard_normal(n), n)
    assert found.steps == n
    np.testing.assert_allclose(found.eigenvalues, spectrum, atol=1e-12)
    np.testing.assert_allclose(found.weights.sum(), 1.0, atol=1e-12)
    np.testing.assert_allclose(found.eigenvectors.T @ found.eigenvectors, np.eye(n), atol=1e-12)


@given(st.integers(2, 60), st.integers(1, 30), st.integers(0, 10**6))
def test_residuals_are_true_residuals_and_bound_the_error(n, steps, seed):
    matrix, spectrum = symmetric(n, seed)
    found = lanczos(lambda v: matrix @ v, np.random.default_rng(seed).standard_normal(n), steps)
    true = np.linalg.norm(
        matrix @ found.eigenvectors - found.eigenvectors * found.eigenvalues, axis=0
    )
    np.testing.assert_allclose(found.residuals, true, atol=1e-12)
    nearest = np.abs(spectrum[:, None] - found.eigenvalues).min(axis=0)
    assert np.all(nearest <= found.residuals + 1e-12)


def test_the_basis_stays_orthogonal_and_no_ghost_appears():
    spectrum = np.concatenate([[1e4], np.linspace(0, 1, 199)])  # the top converges at once
    found = lanczos(lambda v: spectrum * v, np.ones(200), 120)
    assert np.sum(found.eigenvalues > 10) == 1
    gram = found.eigenvectors.T @ found.eigenvectors
    np.testing.assert_allclose(gram, np.eye(found.steps), atol=1e-12)


def test_an_invariant_subspace_ends_the_iteration():
    spectrum = np.array([1.0, 1.0, 1.0, 4.0])
    found = lanczos(lambda v: spectrum * v, np.ones(4), 4)
    assert found.steps == 2
    np.testing.assert_allclose(found.eigenvalues, [1.0, 4.0])
    assert lanczos(lambda v: 0 * v, np.ones(4), 4).eigenvalues.tolist() == [0.0]


def test_top_eigenvalues_of_a_network_match_its_dense_hessian():
    w = tiny_params()
    expected, vectors = np.linalg.eigh(dense_hessian(tiny_mean_loss, w))
    hessian = flat_hessian(hessian_product(tiny_mean_loss, w), w)
    top = top_eigenvalues(
        hessian.matvec, hessian.size, np.random.default_rng(0), count=3, tolerance=1e-10
    )
    np.testing.assert_allclose(top.eigenvalues, expected[::-1][:3], rtol=1e-9)
    np.testing.assert_allclose(np.abs(np.diag(top.eigenvectors.T @ vectors[:, ::-1])), 1, rtol=1e-6)


def test_tolerance_saves_products_and_keeps_its_promise():
    spectrum = np.linspace(0, 1, 500) ** 8
    calls = []
    top = top_eigenvalues(
        lambda v: calls.append(1) or spectrum * v, 500, np.random.default_rng(0), 2, 200, 1e-4
    )
    assert len(calls) == top.steps < 100
    assert np.all(top.residuals <= 1e-4)
    np.testing.assert_allclose(top.eigenvalues, spectrum[::-1][:2], atol=1e-4)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        lanczos(lambda v: v, np.ones(2), 0)
    with pytest.raises(ValueError, match="start must be a finite vector other than zero"):
        lanczos(lambda v: v, np.zeros(2), 2)
    with pytest.raises(ValueError, match="not finite at step 1"):
        lanczos(lambda v: v * np.nan, np.ones(2), 2)
    with pytest.raises(ValueError, match="count must be from 1 to the number of parameters 2"):
        top_eigenvalues(lambda v: v, 2, np.random.default_rng(0), count=3)
