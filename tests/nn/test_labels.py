"""Logits and labels of every shape, type and value, for the accuracy and for every loss."""

import numpy as np
import pytest
from autograd import grad
from hypothesis import given
from hypothesis import strategies as st

from minisam.nn.labels import as_labels, as_logits, fitting, soft_targets
from minisam.nn.losses import accuracy, cross_entropy
from minisam.nn.robust_losses import (
    generalized_cross_entropy,
    hard_bootstrap,
    mixup,
    soft_bootstrap,
)

N, K = 6, 4
Y = np.array([0, 3, 1, 1, 2, 0])
LOGITS = np.random.default_rng(0).standard_normal((N, K)) + 3 * np.eye(K)[Y]


def smoothed(z, y):
    return cross_entropy(z, y, smoothing=0.2)


LOSSES = [cross_entropy, smoothed, generalized_cross_entropy, soft_bootstrap, hard_bootstrap]
ALL = [accuracy, *LOSSES]

LABELS_THAT_FIT = {
    "list": Y.tolist(),
    "tuple": tuple(Y),
    "int8": Y.astype(np.int8),
    "uint64": Y.astype(np.uint64),
    "big-endian": Y.astype(">i4"),
    "read-only": np.broadcast_to(Y, (1, N))[0],
    "every second": np.repeat(Y, 2)[::2],
    "one-hot": np.eye(K)[Y],
    "one-hot list": np.eye(K)[Y].tolist(),
    "one-hot int": np.eye(K, dtype=np.int16)[Y],
    "one-hot bool": np.eye(K, dtype=bool)[Y],
    "one-hot float16": np.eye(K, dtype=np.float16)[Y],
    "one-hot big-endian": np.eye(K, dtype=">f8")[Y],
    "one-hot with −0": np.where(np.eye(K)[Y] == 0, -0.0, 1.0),
}
LABELS_THAT_DO_NOT = {
    "column": (Y[:, None], r"int64 of shape \(6, 1\)"),
    "nested list": (Y[:, None].tolist(), r"int64 of shape \(6, 1\)"),
    "row": (Y[None], r"int64 of shape \(1, 6\)"),
    "one label": (Y[:1], "got 1 labels for 6"),
    "too many": (np.tile(Y, 2), "got 12 labels for 6"),
    "none": (Y[:0], "got 0 labels for 6"),
    "number": (3, r"int64 of shape \(\)"),
    "nothing": (None, r"object of shape \(\)"),
    "three axes": (np.eye(K)[Y][..., None], r"float64 of shape \(6, 4, 1\)"),
    "fewer classes": (np.eye(K)[Y][:, :3], r"float64 of shape \(6, 3\)"),
    "one row of probabilities": (np.eye(K)[:1], "got 1 labels for 6"),
    "floats": (Y.astype(float), r"float64 of shape \(6,\)"),
    "truth values": (Y > 1, r"bool of shape \(6,\)"),
    "text": (Y.astype(str), r"<U21 of shape \(6,\)"),
    "objects": (Y.astype(object), r"object of shape \(6,\)"),
    "complex": (np.eye(K, dtype=complex)[Y], r"complex128 of shape \(6, 4\)"),
    "too large": (Y + 1, "0…3 for 4 classes, got 1…4"),
    "negative": (Y - 1, "0…3 for 4 classes, got -1…2"),
    "negative weight": (np.eye(K)[Y] - 0.1, "none of them negative"),
    "NaN": (np.where(np.eye(K)[Y] > 0, np.nan, 0), "finite"),
    "infinity": (np.where(np.eye(K)[Y] > 0, np.inf, 0), "finite"),
}


@pytest.mark.fault("dtype", "nn.accuracy", "nn.cross_entropy", "nn.robust_losses")
@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("name", LABELS_THAT_FIT)
def test_labels_that_fit_all_mean_the_same(function, name):
    assert function(LOGITS, LABELS_THAT_FIT[name]) == function(LOGITS, Y)


@pytest.mark.fault("shape", "nn.accuracy", "nn.cross_entropy", "nn.robust_losses", "nn.mixup")
@pytest.mark.parametrize("name", LABELS_THAT_DO_NOT)
def test_labels_that_do_not_fit_are_refused(name):
    labels, message = LABELS_THAT_DO_NOT[name]
    for function in ALL:
        with pytest.raises(ValueError, match=message) as refusal:
            function(LOGITS, labels)
        assert "labels" in str(refusal.value)
    with pytest.raises(ValueError, match=message):
        mixup(np.zeros((N, 2, 2, 1)), labels, np.random.default_rng(0), classes=K)


@pytest.mark.fault("shape", "nn.accuracy")
def test_perfect_logits_are_all_right_or_their_labels_are_refused():
    """Every row's largest entry is at its label: the accuracy is 1, and never the share of 0s."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 50)
    assert accuracy(np.eye(10)[y], y) == 1.0
    for labels in (y[:, None], y[None], y[:1], y[:, None].tolist()):
        with pytest.raises(ValueError, match="labels"):
            accuracy(np.eye(10)[y], labels)


@pytest.mark.fault("dtype", "nn.accuracy", "nn.cross_entropy", "nn.robust_losses")
@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("kind", [list, "i8", "u1", "?", "f2", "f4", ">f4", ">f8", "f8"])
def test_logits_of_any_real_type(function, kind):
    whole = np.eye(K)[Y]  # numbers that each of these types holds
    logits = whole.tolist() if kind is list else whole.astype(kind)
    found = function(logits, Y)
    single = kind in ("f2", "f4", ">f4")
    u = float(np.finfo(kind if single else "f8").eps) / 2
    assert found == pytest.approx(float(function(whole, Y)), rel=50 * u)  # of 10 + K + N roundings
    if function is not accuracy:
        assert found.dtype == (np.dtype(kind).newbyteorder("=") if single else np.float64)


@pytest.mark.fault("shape", "nn.accuracy", "nn.cross_entropy", "nn.robust_losses")
@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize(
    "logits",
    [
        np.float64(1.0),
        np.zeros(K),
        np.zeros((0, K)),
        np.zeros((N, 0)),
        np.zeros((2, 3, K)),
        np.zeros((N, K), complex),
        np.zeros((N, K), object),
        None,
        "logits",
    ],
    ids=lambda x: f"{np.asarray(x).dtype} {np.shape(x)}",
)
def test_logits_that_do_not_fit_are_refused(function, logits):
    with pytest.raises(
        ValueError, match=r"logits must be real numbers of shape \(batch, classes\)"
    ):
        function(logits, Y)


@pytest.mark.fault("special-value", "nn.cross_entropy", "nn.robust_losses", "nn.mixup")
@given(st.integers(0, 10**6), st.integers(1, 6), st.data())
def test_masked_classes_might_as_well_not_be_there(seed, classes, data):
    """Every loss, of hard and mixed labels, and its gradient: as without the masked columns."""
    rng = np.random.default_rng(seed)
    left = np.sort(data.draw(st.permutations(range(classes)))[: data.draw(st.integers(1, classes))])
    z = rng.standard_normal((3, len(left))) * 5
    masked = np.full((3, classes), -np.inf)
    masked[:, left] = z
    hard = rng.integers(0, len(left), 3)
    _, mixed = mixup(np.zeros((3, 1, 1, 1)), hard, rng, len(left))
    wide = np.zeros((3, classes))
    wide[:, left] = mixed
    for loss in LOSSES:
        for few, many in ((hard, left[hard]), (mixed, wide)):
            assert loss(masked, many) == pytest.approx(loss(z, few), rel=1e-12, abs=1e-15)
            gradient = grad(loss)(masked, many)
            np.testing.assert_allclose(gradient[:, left], grad(loss)(z, few), atol=1e-13)
            assert not np.delete(gradient, left, axis=1).any()


def test_derivatives_with_respect_to_integer_logits_are_those_of_floats():
    whole = np.eye(K)[Y]
    box_of_integers = grad(lambda c: cross_entropy(c * whole.astype(int), Y))(1.0)
    assert box_of_integers == grad(lambda c: cross_entropy(c * whole, Y))(1.0)


@given(st.integers(1, 5), st.integers(1, 5), st.floats(0, 1))
def test_targets_sum_to_one(n, k, smoothing):
    labels = np.arange(n) % k
    _, targets = fitting(np.zeros((n, k)), labels, smoothing)
    np.testing.assert_array_equal(soft_targets(labels, k), np.eye(k)[labels])
    assert targets.shape == (n, k)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=k * 2.0**-52)


def test_smoothing_is_spread_over_the_classes_that_are_left():
    logits = np.array([[0.0, -np.inf, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    _, targets = fitting(logits, np.array([0, 1]), smoothing=0.25)
    np.testing.assert_allclose(targets[0], [0.75 + 0.25 / 3, 0, 0.25 / 3, 0.25 / 3], rtol=1e-15)
    np.testing.assert_array_equal(targets[1], [0.0625, 0.8125, 0.0625, 0.0625])


@pytest.mark.fault("dtype", "nn.cross_entropy")
@pytest.mark.parametrize("smoothing", [-0.1, 1.5, np.nan, True, "0.1", None])
def test_bad_smoothing_is_named(smoothing):
    for function in (fitting, cross_entropy):
        with pytest.raises(ValueError, match=r"smoothing must be a number in \[0, 1\], got "):
            function(LOGITS, Y, smoothing)


def test_what_fits_is_not_copied_and_not_changed():
    assert as_logits(LOGITS) is LOGITS
    assert as_labels(Y, K) is Y
    before = LOGITS.copy(), Y.copy()
    for function in ALL:
        function(LOGITS, Y)
    np.testing.assert_array_equal(before[0], LOGITS)
    np.testing.assert_array_equal(before[1], Y)
