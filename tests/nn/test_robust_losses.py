import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.test_util import check_grads
from hypothesis import given
from hypothesis import strategies as st

from minisam.nn.kernels.activations import softmax
from minisam.nn.labels import fitting, soft_targets
from minisam.nn.losses import cross_entropy, log_softmax
from minisam.nn.robust_losses import (
    generalized_cross_entropy,
    hard_bootstrap,
    mixup,
    soft_bootstrap,
)

LOSSES = [generalized_cross_entropy, soft_bootstrap, hard_bootstrap]


def batch(seed: int = 0, size: int = 6, classes: int = 5, scale: float = 2.0):
    rng = np.random.default_rng(seed)
    return scale * rng.standard_normal((size, classes)), rng.integers(classes, size=size)


@given(st.integers(0, 1000), st.floats(1e-8, 1e-5))
def test_gce_tends_to_cross_entropy(seed, q):
    z, y = batch(seed)
    difference = cross_entropy(z, y) - generalized_cross_entropy(z, y, q)
    log_p = log_softmax(z)[np.arange(len(y)), y]
    # (1 − e^{−qu})/q = u − q u²/2 + …, so the gap is q u²/2, up to rounding eps/q
    assert difference == pytest.approx(q * np.mean(log_p**2) / 2, rel=1e-3, abs=1e-15 / q)


@given(st.integers(0, 1000))
def test_gce_at_one_is_the_mean_absolute_error(seed):
    z, y = batch(seed)
    t = soft_targets(y, 5, dtype=np.float64)
    mae = np.mean(np.sum(np.abs(t - softmax(z)), axis=1)) / 2  # Σ|t − p| = 2 (1 − p_y)
    assert generalized_cross_entropy(z, y, 1.0) == pytest.approx(mae)


@given(st.integers(0, 1000), st.floats(0.05, 1.0))
def test_gce_gradient_is_cross_entropys_weighted_by_p_to_the_q(seed, q):
    z, y = batch(seed)
    p_y = softmax(z)[np.arange(len(y)), y]
    expected = grad(cross_entropy)(z, y) * (p_y**q)[:, None]
    np.testing.assert_allclose(grad(generalized_cross_entropy)(z, y, q), expected, atol=1e-14)


@given(st.integers(0, 1000), st.floats(0.05, 1.0))
def test_gce_is_bounded_and_its_sum_over_labels_is_bounded(seed, q):
    z, _ = batch(seed, size=1, scale=10)
    losses = [generalized_cross_entropy(z, np.array([k]), q) for k in range(5)]
    assert max(losses) <= 1 / q * (1 + 1e-12)
    assert (5 - 5 ** (1 - q)) / q <= sum(losses) * (1 + 1e-12)  # the paper's lemma 1
    assert sum(losses) <= (5 - 1) / q * (1 + 1e-12)


@given(st.integers(0, 1000), st.floats(0, 1))
def test_soft_bootstrap_is_cross_entropy_and_entropy(seed, beta):
    z, y = batch(seed)
    p = softmax(z)
    entropy = -np.mean(np.sum(p * np.log(p), axis=1))
    expected = beta * cross_entropy(z, y) + (1 - beta) * entropy
    assert soft_bootstrap(z, y, beta) == pytest.approx(expected)


@given(st.integers(0, 1000), st.floats(0, 1))
def test_hard_bootstrap_mixes_labels_with_choices_that_have_no_gradient(seed, beta):
    z, y = batch(seed)
    choice = z.argmax(axis=1)
    expected = beta * cross_entropy(z, y) + (1 - beta) * cross_entropy(z, choice)
    assert hard_bootstrap(z, y, beta) == pytest.approx(expected)
    gradient = beta * grad(cross_entropy)(z, y) + (1 - beta) * grad(cross_entropy)(z, choice)
    np.testing.assert_allclose(grad(hard_bootstrap)(z, y, beta), gradient, atol=1e-14)


@pytest.mark.parametrize("loss", [soft_bootstrap, hard_bootstrap])
def test_bootstrap_with_all_weight_on_the_labels_is_cross_entropy(loss):
    z, y = batch()
    assert loss(z, y, 1.0) == pytest.approx(cross_entropy(z, y))


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_of_both_orders(loss):
    z, y = batch()
    check_grads(lambda z: loss(z, y), modes=["rev"], order=2)(z)
    smooth = fitting(z, y, 0.2)[1]
    check_grads(lambda z: loss(z, smooth), modes=["rev"])(z)


@pytest.mark.parametrize("loss", LOSSES)
def test_float32_stays_float32_and_extreme_logits_stay_finite(loss):
    z = np.array([[200.0, -200.0, 0.0], [-1e4, 1e4, 1e4]], np.float32)
    gradient = grad(loss)(z, np.array([1, 0]))
    assert gradient.dtype == np.float32
    assert np.all(np.isfinite(gradient))
    assert loss(z, np.array([1, 0])).dtype == np.float32


@pytest.mark.parametrize("loss", LOSSES)
def test_soft_one_hot_labels_are_hard_labels(loss):
    z, y = batch()
    assert loss(z, soft_targets(y, 5, dtype=np.float64)) == pytest.approx(loss(z, y), rel=1e-12)


@given(st.integers(0, 1000), st.floats(0.1, 8))
def test_mixup_is_one_convex_combination_of_images_and_labels(seed, alpha):
    """With one-hot images the mixed images must be the mixed labels, and λ can be read off."""
    y = np.arange(8)
    x = np.eye(8).reshape(8, 1, 1, 8)
    mixed, t = mixup(x, y, np.random.default_rng(seed), classes=8, alpha=alpha)
    np.testing.assert_allclose(mixed.reshape(8, 8), t, atol=1e-15)
    np.testing.assert_allclose(t.sum(axis=1), 1)
    own = np.diag(t)
    moved = own < 1 - 1e-12
    assert len(set(own[moved].round(12))) <= 1  # one λ for the batch
    np.testing.assert_allclose(t.sum(axis=0), 1)  # every example is used once as a partner
    assert np.array_equal(x, np.eye(8).reshape(8, 1, 1, 8))


def test_mixup_weight_has_the_beta_distribution():
    x, y = np.array([0.0, 1.0]).reshape(2, 1, 1, 1), np.array([0, 1])
    rng = np.random.default_rng(0)
    lam = np.array([mixup(x, y, rng, 2, alpha=2.0)[1][0, 0] for _ in range(4000)])
    lam = lam[lam < 1]  # half of the permutations of two move nothing
    assert np.mean(lam) == pytest.approx(0.5, abs=5 * (0.05 / len(lam)) ** 0.5)
    assert np.var(lam) == pytest.approx(0.05, rel=0.1)  # αα/((2α)²(2α + 1)) = 1/20


def test_mixup_keeps_float32_and_mixes_soft_labels():
    x = np.ones((3, 2, 2, 1), np.float32)
    mixed, t = mixup(x, np.full((3, 4), 0.25, np.float32), np.random.default_rng(0), classes=4)
    assert (mixed.dtype, t.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(t, 0.25, rtol=1e-6)
    assert cross_entropy(anp.zeros((3, 4), np.float32), t) == pytest.approx(np.log(4), rel=1e-6)


# Three classes, of which the second is masked: softmax (1, 0, e) / (1 + e), cross-entropy of the
# first 1.313262, of the third 0.313262, entropy 0.582203.
Z, Y = np.array([[0.0, -np.inf, 1.0]]), np.array([0])
P = np.array([1, np.e]) / (1 + np.e)
MASKED = {
    "gce": (lambda z, y: generalized_cross_entropy(z, y, q=0.5), (1 - P[0] ** 0.5) / 0.5),
    "gce of an own opinion": (lambda z, y: generalized_cross_entropy(z, [2], q=1.0), 1 - P[1]),
    "soft": (lambda z, y: soft_bootstrap(z, y, 0.8), 1.167050),
    "hard": (lambda z, y: hard_bootstrap(z, y, 0.8), 1.113262),
    "entropy": (lambda z, y: soft_bootstrap(z, y, 0.0), -P @ np.log(P)),
}


@pytest.mark.fault("special-value", "nn.robust_losses")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", MASKED)
def test_a_masked_class_leaves_the_loss_and_derivatives_of_the_others(name, dtype):
    """Value, gradient and Hessian product are those of the same loss without that class."""
    loss, value = MASKED[name]
    v = np.array([[0.3, 0.7, -0.2]], dtype)
    if "own" in name:
        two = lambda z: generalized_cross_entropy(z, [1], q=1.0)  # noqa: E731
    else:
        two = lambda z: loss(z, Y)  # noqa: E731
    slope = lambda f, v: lambda z: (grad(f)(z) * v).sum()  # noqa: E731
    z, left = Z.astype(dtype), [0, 2]
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    masked = lambda z: loss(z, Y)  # noqa: E731
    assert masked(z) == pytest.approx(value, rel=1e-6)
    assert masked(z) == pytest.approx(two(z[:, left]), rel=tolerance)
    pairs = [
        (grad(masked)(z), grad(two)(z[:, left])),
        (grad(slope(masked, v))(z), grad(slope(two, v[:, left]))(z[:, left])),
    ]
    for found, expected in pairs:
        assert found.dtype == dtype
        assert found[0, 1] == 0
        np.testing.assert_allclose(found[:, left], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.fault("special-value", "nn.robust_losses")
def test_a_label_that_asks_for_a_masked_class_costs_the_most_there_is():
    y = np.array([1])
    assert generalized_cross_entropy(Z, y, q=0.5) == 2.0  # (1 − 0) / q
    assert soft_bootstrap(Z, y) == np.inf
    assert hard_bootstrap(Z, y) == np.inf
    assert hard_bootstrap(Z, y, beta=0.0) == pytest.approx(-np.log(P[1]))


@pytest.mark.fault("special-value", "nn.robust_losses")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("decades", [0.1, 1, 10, 17, 30, 37.9])
def test_gce_of_the_smallest_q_is_cross_entropy(dtype, decades):
    """(1 − e^{−qu})/q = u − q u²/2 + …, where 1 − p^q would have cancelled to 0 below q = 1e-16."""
    q = 10.0**-decades
    z, y = batch()
    z = z.astype(dtype)
    u = -log_softmax(z)[np.arange(len(y)), y]
    eps = np.finfo(dtype).eps
    bound = (
        q * np.mean(u**2) / 2 + 8 * eps * np.mean(u) + 8 * eps
    )  # subnormal terms: eps · tiny / q
    assert abs(generalized_cross_entropy(z, y, q) - cross_entropy(z, y)) <= bound


@pytest.mark.fault("dtype", "nn.robust_losses")
def test_numbers_of_numpy_leave_float32_as_it_is():
    z, y = batch()
    z = z.astype(np.float32)
    half = np.float64(0.5)
    for loss in LOSSES:
        assert loss(z, y, half).dtype == np.float32
        assert loss(z, y, half) == loss(z, y, 0.5)


@pytest.mark.fault("option-value", "nn.robust_losses", "nn.mixup")
@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan, np.inf, True, "0.5", None])
def test_numbers_out_of_range_are_named(value):
    z, y = batch()
    for loss in (soft_bootstrap, hard_bootstrap):
        with pytest.raises(ValueError, match=r"beta must be a number in \[0, 1\], got "):
            loss(z, y, value)
    for q in (value, 0.0, 5e-324):
        with pytest.raises(ValueError, match=r"q must be above 0 .*and at most 1, got "):
            generalized_cross_entropy(z, y, q)
    x = np.ones((2, 1, 1, 1))
    for alpha in (value, 0) if value != 1.5 else (0,):
        with pytest.raises(ValueError, match="alpha must be positive, got "):
            mixup(x, np.array([0, 1]), np.random.default_rng(0), 2, alpha=alpha)


@pytest.mark.fault("dtype", "nn.mixup")
def test_images_that_cannot_be_mixed_are_refused():
    for images in (np.ones((2, 1, 1, 1), np.uint8), np.ones((2, 1, 1, 1), bool), [[1.0], [2.0]]):
        with pytest.raises(ValueError, match="images must be a floating-point array"):
            mixup(images, np.array([0, 1]), np.random.default_rng(0), 2)
