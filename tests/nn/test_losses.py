import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nn.checks import check_derivatives, check_float32

from minisam.nn.losses import accuracy, cross_entropy, soft_targets

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
    targets = soft_targets(LABELS, 4, 0.2, np.float64)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(np.sort(targets, axis=1)[:, :3], 0.05, rtol=1e-14)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 4, 0, 0, 0, 0]), r"labels must lie in 0…3 for 4 classes, got 0…4"),
        (np.array([-1, 0, 0, 0, 0, 0]), r"labels must lie in 0…3 for 4 classes, got -1…0"),
        (np.zeros(6), r"got float64 of shape \(6,\)"),
        (np.zeros((6, 3)), r"got float64 of shape \(6, 3\)"),
        (np.zeros(5, int), "5 labels for 6 rows"),
    ],
)
def test_bad_labels_are_named(labels, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy(LOGITS, labels)


def test_bad_smoothing_is_named():
    with pytest.raises(ValueError, match=r"smoothing must lie in \[0, 1\], got 1.5"):
        cross_entropy(LOGITS, LABELS, smoothing=1.5)


def test_accuracy_takes_hard_and_soft_labels():
    best = LOGITS.argmax(axis=1)
    assert accuracy(LOGITS, best) == 1.0
    assert accuracy(LOGITS, np.eye(4)[(best + 1) % 4]) == 0.0
