import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.test_util import check_grads
from hypothesis import given
from hypothesis import strategies as st
from nn.checks import check_derivatives, check_float32

from minisam.nn.gradients import value_and_grad
from minisam.nn.labels import fitting
from minisam.nn.losses import (
    accuracy,
    batch_mean,
    cross_entropy,
    log_softmax,
    softmax_cross_entropy,
    without_masked,
)

rng = np.random.default_rng(0)
LOGITS = rng.standard_normal((6, 4))
LABELS = rng.integers(0, 4, 6)
SOFT = rng.dirichlet(np.ones(4), 6)


@pytest.mark.parametrize("labels", [LABELS, SOFT, 2 * SOFT], ids=["hard", "soft", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_derivatives(labels, smoothing):
    check_derivatives(lambda z: cross_entropy(z, labels, smoothing), LOGITS)
    check_float32(lambda z: cross_entropy(z, labels, smoothing), LOGITS)


def test_value_is_the_definition():
    p = anp.exp(LOGITS) / anp.exp(LOGITS).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(p[np.arange(6), LABELS]))
    assert abs(cross_entropy(LOGITS, LABELS) - expected) <= 20 * 2.0**-53 * expected
    expected = -np.mean(np.sum(SOFT * np.log(p), axis=1))
    assert abs(cross_entropy(LOGITS, SOFT) - expected) <= 20 * 2.0**-53 * expected


def test_hard_labels_are_one_hot_soft_labels():
    assert cross_entropy(LOGITS, LABELS) == cross_entropy(LOGITS, np.eye(4)[LABELS])


@given(shift=st.floats(-1e6, 1e6), c=st.sampled_from([1.0, 1e4, 1e300]))
def test_large_logits_neither_overflow_nor_give_nan(shift, c):
    logits = c * LOGITS + shift
    assert np.isfinite(cross_entropy(logits, LABELS))


def test_smoothing_mixes_with_the_uniform_distribution():
    targets = fitting(np.zeros((len(LABELS), 4)), LABELS, 0.2)[1]
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(np.sort(targets, axis=1)[:, :3], 0.05, rtol=1e-14)


def test_accuracy_takes_hard_and_soft_labels():
    best = LOGITS.argmax(axis=1)
    assert accuracy(LOGITS, best) == 1.0
    assert accuracy(LOGITS, np.eye(4)[(best + 1) % 4]) == 0.0


@pytest.mark.fault("special-value", "nn.accuracy")
def test_a_row_without_a_largest_logit_is_wrong():
    """A network that has diverged is right about nothing, not about the share of class 0."""
    logits = np.array([[np.nan, 0.0], [1.0, np.nan], [-np.inf, -np.inf], [0.0, np.inf], [0, -0.0]])
    assert accuracy(logits, np.array([0, 0, 0, 1, 0])) == 3 / 5
    assert accuracy(np.full((4, 10), np.nan), np.zeros(4, int)) == 0.0


# Three classes, of which the second is masked: softmax (1, 0, e) / (1 + e).
Z, Y = np.array([[0.0, -np.inf, 1.0]]), np.array([0])


@pytest.mark.fault("special-value", "nn.cross_entropy")
def test_a_masked_class_leaves_the_loss_of_the_others():
    """−log p₀ = log(1 + e) = 1.313262, with gradient p − t; smoothing is over two classes."""
    p = np.array([1, 0, np.e]) / (1 + np.e)
    value, gradient = value_and_grad(lambda w: cross_entropy(w["z"], Y))({"z": Z})
    assert value == pytest.approx(np.log1p(np.e), rel=1e-15)
    np.testing.assert_allclose(gradient["z"][0], p - [1, 0, 0], rtol=1e-15)
    value, gradient = value_and_grad(lambda w: cross_entropy(w["z"], Y, 0.5))({"z": Z})
    assert value == pytest.approx(0.75 * np.log1p(np.e) + 0.25 * (np.log1p(np.e) - 1), rel=1e-15)
    np.testing.assert_allclose(gradient["z"][0], p - [0.75, 0, 0.25], rtol=1e-15)


@pytest.mark.fault("special-value", "nn.cross_entropy")
def test_a_label_that_asks_for_a_masked_class_costs_infinity():
    for labels in (np.array([1]), np.array([[0.5, 0.5, 0]])):
        for smoothing in (0.0, 0.1):
            assert cross_entropy(Z, labels, smoothing) == np.inf
    assert cross_entropy(np.array([[-np.inf, 0.0]]), np.array([0])) == np.inf


@pytest.mark.fault("special-value", "nn.cross_entropy")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_logit_that_is_no_number_makes_the_loss_none(bad):
    for at in range(3):
        logits = np.zeros((2, 3))
        logits[1, at] = bad
        with np.errstate(invalid="ignore"):
            assert np.isnan(cross_entropy(logits, np.array([0, 0])))
            assert np.isnan(cross_entropy(logits, np.array([[0, 1, 0], [0, 0, 0]])))


@pytest.mark.fault("special-value", "nn.cross_entropy")
def test_a_row_of_masked_classes_makes_the_loss_no_number():
    logits = np.array([[0.0, 0.0], [-np.inf, -np.inf]])
    with np.errstate(invalid="ignore"):
        for smoothing in (0.0, 0.5, 1.0):
            assert np.isnan(cross_entropy(logits, np.array([0, 0]), smoothing))


@pytest.mark.fault("special-value", "nn.cross_entropy")
def test_no_sum_of_float16_terms_overflows():
    """Each of the 2,000 terms is 100 and so is their mean, though their sum is beyond 65,504."""
    logits = np.tile(np.array([100, 0], np.float16), (2000, 1))
    loss = cross_entropy(logits, np.ones(2000, int))
    assert (loss, loss.dtype) == (100, np.float16)


def test_helpers_have_both_modes():
    terms = np.arange(6.0).reshape(3, 2)
    assert batch_mean(terms) == 5.0  # 15 / 3
    check_grads(batch_mean, modes=["fwd", "rev"], order=2)(terms)
    check_grads(without_masked, modes=["fwd", "rev"], order=2)(np.log(terms + 1))
    check_grads(softmax_cross_entropy, modes=["fwd", "rev"], order=2)(LOGITS, SOFT)
    check_float32(lambda t: softmax_cross_entropy(LOGITS.astype(np.float32), t), SOFT)
    masked = np.array([-np.inf, -1.0], np.float32)
    assert without_masked(masked).tolist() == [0, -1]
    np.testing.assert_array_equal(grad(lambda x: without_masked(x).sum())(masked), [0, 1])


def test_log_softmax_has_both_modes():
    check_grads(log_softmax, modes=["fwd", "rev"], order=2)(LOGITS)
