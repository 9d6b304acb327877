import math
from functools import partial

import numpy as np
import pytest

from minisam.nn import cross_entropy, mlp
from minisam.nn.kernels.activations import tanh
from minisam.nn.robust_losses import generalized_cross_entropy
from minisam.optim import asam, cosine, m_sam, sam, sgd
from minisam.same_run import check_same_run, describe, differences, run_settings

IMAGES, LABELS = np.ones((4, 2, 2, 1), np.float32), np.arange(4) % 2
NUMBERS = {"epochs": 2, "batch_size": 4, "seed": 0}
PARAMS = {"w": np.ones(2)}


def scaled(factor):
    return lambda logits, labels: factor * cross_entropy(logits, labels)


BASE = sgd(lr=0.1, momentum=0.9)
GCE = generalized_cross_entropy
PARTS = [
    (BASE, sam(BASE), "part was 'optim.sgd.sgd.step', now 'optim.sam.sam.step'"),
    (sam(BASE), m_sam(BASE), "part was 'optim.sam.sam.step', now 'optim.m_sam.m_sam.step'"),
    (sam(BASE), asam(BASE, 0.05), "part.climb was 'optim.perturbation.sam_perturbation', now"),
    (sam(BASE), sam(BASE, 0.1), "part.radius.number was 0.05, now 0.1"),
    (BASE, sgd(0.1), "part.update.momentum was 0.9, now 0.0"),
    (sam(BASE), sam(sgd(0.2, 0.9)), "part.base.update.learning_rate.number was 0.1, now 0.2"),
    (sgd(cosine(1, 30)), sgd(cosine(1, 60)), "learning_rate.value.steps was 30, now 60"),
    (cross_entropy, GCE, "part was 'nn.losses.cross_entropy', now 'nn.robust_losses.gen"),
    (partial(GCE, q=0.7), partial(GCE, q=math.nan), "part.q was 0.7, now nan"),
    (partial(pow, 2), pow, "part.arguments was [2], now 'not set'"),
    (scaled(1), scaled(2), "part.factor was 1, now 2"),
    (None, pow, "part was None, now 'builtins.pow'"),
    ("first", "second", "part was 'first', now 'second'"),
    (mlp().apply, mlp(activation=tanh).apply, "part.forward.activation"),
]


@pytest.mark.fault("resumed-as-another", "run_settings", "check_same_run")
@pytest.mark.parametrize(("before", "now", "message"), PARTS, ids=[m for *_, m in PARTS])
def test_a_run_of_other_parts_is_told_what_each_was_and_is(before, now, message):
    before, now, again = (
        run_settings({}, NUMBERS, IMAGES, LABELS, PARAMS, part=part)
        for part in (before, now, before)
    )
    check_same_run(before, again, "run.npz")
    with pytest.raises(ValueError, match="of another run: ") as caught:
        check_same_run(before, now, "run.npz")
    assert message in str(caught.value)
    assert ";" not in str(caught.value) or "activation" in message


@pytest.mark.fault("resumed-as-another", "run_settings", "check_same_run")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"numbers": NUMBERS | {"batch_size": 8}}, "batch_size was 4, now 8"),
        ({"numbers": NUMBERS | {"seed": 1}}, "seed was 0, now 1"),
        ({"images": IMAGES.astype(np.float64)}, "data was "),
        ({"labels": LABELS[::-1]}, "data was "),
        ({"params": {"w": np.zeros(2)}}, "start was "),
        (
            {"params": {"w": np.ones(2, np.float32)}},
            r"parameters.w was 'float64 \(2,\)', now 'float32 \(2,\)'",
        ),
        ({"settings": {"trial": {"noise": 0.4, "model": [1]}}}, "trial.noise was 0.2, now 0.4$"),
    ],
)
def test_a_run_of_other_settings_is_told_what_each_was_and_is(change, message):
    asked = {
        "settings": {"trial": {"noise": 0.2, "model": [1]}}, "numbers": NUMBERS,
        "images": IMAGES, "labels": LABELS, "params": PARAMS,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        check_same_run(run_settings(**asked), run_settings(**{**asked, **change}), "run.npz")
    more = asked | {"numbers": NUMBERS | {"epochs": 9}}
    check_same_run(run_settings(**asked), run_settings(**more), "run.npz")


def test_what_train_finds_itself_is_not_hidden_by_a_setting_of_that_name():
    settings = run_settings({"seed": 5, "data": "toy"}, NUMBERS, IMAGES, LABELS, PARAMS)
    assert settings["seed"] == 0
    assert len(settings["data"]) == 8


@pytest.mark.fault("resumed-as-another", "check_same_run")
def test_the_parts_are_not_compared_with_those_of_another_version():
    now = run_settings({}, NUMBERS, IMAGES, LABELS, PARAMS, optimizer=BASE)
    old = {key: value for key, value in now.items() if key != "made"}
    check_same_run(old, now, "run.npz")
    check_same_run({**old, "made": {"minisam": "0.0.1", "step": "sgd"}}, now, "run.npz")
    with pytest.raises(ValueError, match=r"another run: optimizer was 'sgd', now 'optim\.sgd"):
        check_same_run({**old, "made": {**now["made"], "optimizer": "sgd"}}, now, "run.npz")


@pytest.mark.fault("round-trip", "run_settings")
@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((8, (8,)), [8, [8]]),
        ({1: 0.5}, {"1": 0.5}),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.arange(2), [0, 1]),
    ],
)
def test_settings_are_what_json_gives_back(value, kept):
    settings = run_settings({"value": value}, NUMBERS, IMAGES, LABELS, PARAMS)
    assert settings["value"] == kept
    assert type(settings["value"]) is type(kept)


@pytest.mark.fault("round-trip", "run_settings")
@pytest.mark.parametrize("value", [{1}, b"x", 1j, object()])
def test_settings_that_json_cannot_hold_are_refused(value):
    with pytest.raises(ValueError, match="settings must be what JSON can hold, got "):
        run_settings({"a": [value]}, NUMBERS, IMAGES, LABELS, PARAMS)


@pytest.mark.fault("special-value", "check_same_run")
def test_nan_is_nan_and_one_is_one():
    same = {"lr": math.nan, "list": [1, math.nan], "one": 1}
    assert differences(same, {"lr": math.nan, "list": [1.0, math.nan], "one": 1.0}) == []
    assert differences(same, {}) == [
        ("lr", same["lr"], "not set"), ("list", same["list"], "not set"), ("one", 1, "not set")
    ]  # fmt: skip


def test_many_differences_are_cut_short():
    with pytest.raises(ValueError, match=r"e was 0, now 1; and 2 more$"):
        check_same_run(dict.fromkeys("abcdefg", 0), dict.fromkeys("abcdefg", 1), "run.npz")


def test_a_function_that_holds_itself_or_nothing_yet_is_told_by_its_name():
    def factorial(n):
        return n * factorial(n - 1) if n else unknown

    assert describe(factorial)["factorial"] == {"function": describe(factorial)["function"]}
    assert "unknown" not in describe(factorial)
    unknown = 1
    assert describe(factorial)["unknown"] == 1
    assert describe(np.ones(3)) == {"function": "numpy.ndarray"}
