import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_network import tiny_mean_loss, tiny_params

from minisam.nn import cross_entropy, mlp
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
    assert len(calls) == top.steps + 2 < 100  # and one product for each residual
    assert np.all(top.residuals <= 1e-4)
    np.testing.assert_allclose(top.eigenvalues, spectrum[::-1][:2], atol=1e-4)


@pytest.mark.fault("stated-accuracy", "sharpness.top_eigenvalues")
@pytest.mark.parametrize("seed", range(3))
def test_eigenvalues_of_a_softmax_regression_come_as_often_as_they_occur(seed):
    """At w = 0 and with balanced classes p = 1/K, so that H = (I/K − 11ᵀ/K²) ⊗ E[xxᵀ], whose first
    factor has the eigenvalue 1/K, K − 1 times, and 0 once.
    """
    rng, K = np.random.default_rng(0), 5
    x, y = rng.standard_normal((300, 4, 4, 1)), np.arange(300) % K
    model = mlp(hidden=(), input_shape=(4, 4, 1), classes=K)
    zero = {key: np.zeros(w.shape) for key, w in model.init(0).items()}
    loss = lambda p: cross_entropy(model.apply(p, x, {}), y)  # noqa: E731
    inputs = np.concatenate([x.reshape(300, -1), np.ones((300, 1))], axis=1)
    expected = np.repeat(np.linalg.eigvalsh(inputs.T @ inputs / 300)[::-1] / K, K - 1)
    assert expected[:6].round(4).tolist() == [0.2856] * 4 + [0.2695] * 2
    hessian = flat_hessian(hessian_product(loss, zero), zero)
    found = top_eigenvalues(hessian.matvec, hessian.size, np.random.default_rng(seed), count=6)
    assert np.all(np.abs(found.eigenvalues - expected[:6]) <= found.residuals + 1e-15)
    assert np.all(found.residuals <= 1e-3 * expected[:6])
    np.testing.assert_allclose(found.eigenvectors.T @ found.eigenvectors, np.eye(6), atol=1e-12)


@pytest.mark.fault("stated-accuracy", "sharpness.top_eigenvalues")
@given(
    st.lists(st.sampled_from([5.0, 4.0, 1.0, 0.5, 0.0, -1.0, -7.0]), min_size=1, max_size=12),
    st.data(),
)
def test_every_multiplicity_is_found(values, data):
    """Multiples of I, H = 0 and more eigenvalues than there are distinct ones among them."""
    spectrum = np.array(values)
    count = data.draw(st.integers(1, len(values)))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    rotation, _ = np.linalg.qr(rng.standard_normal((len(values), len(values))))
    matrix = rotation @ np.diag(spectrum) @ rotation.T
    found = top_eigenvalues(lambda v: matrix @ v, len(values), rng, count)
    np.testing.assert_allclose(found.eigenvalues, np.sort(spectrum)[::-1][:count], atol=1e-12)
    vectors = found.eigenvectors
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(count), atol=1e-12)
    np.testing.assert_allclose(matrix @ vectors, vectors * found.eigenvalues, atol=1e-11)


def test_one_start_finds_an_eigenvalue_once():
    """Why `top_eigenvalues` takes a block: diag(5, 5, 1, ½) has grade 3 for every start.

    A fourth step would start from rounding errors, if from anything.
    """
    spectrum = np.array([5.0, 5.0, 1.0, 0.5])
    rounding = 4 * (2 * 4 + 5) * 2.0**-53 * 5  # 4 max |ΔT_ij|, T_ij = ⟨q, Hq⟩
    once = lanczos(lambda v: spectrum * v, np.random.default_rng(0).standard_normal(4), 3)
    np.testing.assert_allclose(once.eigenvalues, [0.5, 1, 5], rtol=0, atol=rounding)
    twice = top_eigenvalues(lambda v: spectrum * v, 4, np.random.default_rng(0), count=2)
    np.testing.assert_allclose(twice.eigenvalues, [5, 5], rtol=0, atol=rounding)


@pytest.mark.fault("stated-accuracy", "sharpness.top_eigenvalues")
@pytest.mark.parametrize("hidden", [(), (16,), (8, 8)])
def test_residuals_of_a_float32_network_hold_in_float64(hidden):
    """‖H y − θ y‖ with H in float64 at the same weights is what is stated, at the most."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((200, 8, 8, 3)).astype(np.float32), rng.integers(0, 10, 200)
    model = mlp(hidden=hidden, input_shape=(8, 8, 3))

    def hessian(params, images):
        loss = lambda p: cross_entropy(model.apply(p, images, {}), y)  # noqa: E731
        return flat_hessian(hessian_product(loss, params), params)

    single = model.init(0)
    double = {key: w.astype(np.float64) for key, w in single.items()}
    h32, h64 = hessian(single, x), hessian(double, x.astype(np.float64))
    for tolerance in (1e-3, 1e-12):
        found = top_eigenvalues(
            h32.matvec, h32.size, np.random.default_rng(1), count=3, tolerance=tolerance
        )
        images = np.stack([h64.matvec(v) for v in found.eigenvectors.T], axis=1)
        true = np.linalg.norm(images - found.eigenvalues * found.eigenvectors, axis=0)
        assert np.all(true <= found.residuals)
        # Not without reason: some hundred roundings of products up to the largest eigenvalue.
        assert np.all(found.residuals <= 3 * true + 100 * 2.0**-24 * found.eigenvalues[0])


@pytest.mark.fault("stated-accuracy", "sharpness.top_eigenvalues")
@pytest.mark.parametrize("u", [2.0**-11, 2.0**-24])
def test_the_rounding_of_products_is_part_of_the_residual(u):
    """A product whose results are off by u in a way that depends on the vector, as rounding is."""
    spectrum, noise = np.linspace(0, 1, 200) ** 8, np.random.default_rng(1)

    def matvec(v):
        error = noise.standard_normal(200)
        return spectrum * v + u * error / np.linalg.norm(error)

    found = top_eigenvalues(matvec, 200, np.random.default_rng(0), 2, tolerance=1e-14)
    true = np.linalg.norm(
        spectrum[:, None] * found.eigenvectors - found.eigenvectors * found.eigenvalues, axis=0
    )
    assert np.all(true <= found.residuals)
    assert np.all(found.residuals <= 4 * u + 2 * true)


@pytest.mark.fault("stated-accuracy", "sharpness.top_eigenvalues")
@pytest.mark.parametrize("most", [1e3, 1e6])
def test_an_eigenvalue_that_is_small_beside_the_largest_modulus(most):
    """The tolerance is relative to the eigenvalue itself, or its error is told."""
    spectrum = np.append(np.linspace(0, 1, 100) ** 8, -most)
    found = top_eigenvalues(lambda v: spectrum * v, 101, np.random.default_rng(0), 2, steps=90)
    expected = spectrum[[99, 98]]
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=1e-3)
    assert np.all(found.residuals <= 1e-3 * expected)
    few = top_eigenvalues(lambda v: spectrum * v, 101, np.random.default_rng(0), 2, steps=8)
    nearest = np.abs(spectrum[:, None] - few.eigenvalues).min(axis=0)
    assert np.all(nearest <= few.residuals)
    one = top_eigenvalues(lambda v: spectrum * v, 101, np.random.default_rng(0), 1, steps=90)
    assert one.steps < 90
    assert one.eigenvalues[0] == pytest.approx(1.0, rel=1e-3)


def test_two_eigenvalues_are_not_found_by_as_many_steps_as_one():
    """``steps`` counts products: whole blocks of ``count``, and one for each residual."""
    spectrum, calls = np.linspace(0, 1, 50), []
    matvec = lambda v: calls.append(1) or spectrum * v  # noqa: E731
    for count, steps, basis in ((1, 7, 7), (3, 7, 6), (3, 1, 3), (2, None, 50), (3, 200, 50)):
        calls.clear()
        found = top_eigenvalues(matvec, 50, np.random.default_rng(0), count, steps, tolerance=0)
        assert (found.steps, len(calls)) == (basis, basis + count)


@pytest.mark.fault("special-value", "sharpness.lanczos")
@pytest.mark.parametrize("exponent", [-1074, -600, 600, 1023])
def test_a_start_of_any_scale_is_the_start_of_scale_one(exponent):
    spectrum = np.array([1.0, 2.0, 10.0])
    start = np.ones(3) * 2.0**exponent
    found = lanczos(lambda v: spectrum * v, start, 3)
    np.testing.assert_allclose(found.eigenvalues, spectrum, rtol=1e-14)


@pytest.mark.fault("dtype", "sharpness.lanczos")
@pytest.mark.parametrize("start", [[1, 1, 1], np.ones(3, bool), np.ones(3, ">f4"), (1.0, 1.0, 1.0)])
def test_a_start_of_any_real_type(start):
    spectrum = np.array([1.0, 2.0, 10.0])
    found = lanczos(lambda v: spectrum * v, start, 3)
    np.testing.assert_allclose(found.eigenvalues, spectrum, rtol=1e-14)


BAD_STARTS = [np.zeros(2), [], np.ones((2, 1)), np.ones((1, 2)), 1.0, [np.nan, 1], [np.inf, 1]]


@pytest.mark.fault("shape", "sharpness.lanczos", "sharpness.top_eigenvalues")
@pytest.mark.parametrize("start", [*BAD_STARTS, [1j, 0], ["1", "2"], None], ids=repr)
def test_a_bad_start_is_named(start):
    with pytest.raises(ValueError, match="start must be a finite vector other than zero, got "):
        lanczos(lambda v: v, start, 2)


@pytest.mark.fault("option-value", "sharpness.lanczos", "sharpness.top_eigenvalues")
@pytest.mark.parametrize("bad", [0, -1, 2.0, True, "2", np.nan])
def test_bad_numbers_are_named(bad):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="steps must be a whole number "):
        lanczos(lambda v: v, np.ones(2), bad)
    for name in ("steps", "count"):
        with pytest.raises(ValueError, match=f"{name} must be a whole number "):
            top_eigenvalues(lambda v: v, 2, rng, **{name: bad})
    with pytest.raises(ValueError, match="size must be a whole number of at least 1"):
        top_eigenvalues(lambda v: v, bad, rng)
    with pytest.raises(ValueError, match="count must be a whole number from 1 to 2, got 3"):
        top_eigenvalues(lambda v: v, 2, rng, count=3)
    for tolerance in (-1.0, np.nan, "0", True):
        with pytest.raises(ValueError, match="tolerance must be a number in"):
            top_eigenvalues(lambda v: v, 2, rng, tolerance=tolerance)
