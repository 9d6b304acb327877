"""No convention is called a bug, and each one can be declared."""

import itertools

import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.library import adapter_of
from minisam.adapters.plain import as_adapter
from minisam.oracle.checking import check
from minisam.oracle.parts import convention_part, judge_parts
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.variants.conventions import (
    CONVENTIONS,
    check_declared,
    declared_changes,
    declared_settings,
)
from minisam.variants.recipe import TAKEN_APART, optimizer, recipe_of

FOLLOWED = [
    (name, value)
    for name, convention in CONVENTIONS.items()
    for value in convention.values
    # Who stays at A, or raises, where a gradient is not finite conforms as it is.
    if name not in ("output", "inputs") and value not in ("no_climb", "raise")
]
# Enough to tell every convention from the others; all probes in the slow test.
FEW = [
    f"{method}-{slug}"
    for method in ("sam", "asam")
    for slug in (
        "three-tensors",
        "momentum",
        "lr-schedule-momentum",
        "weight-decay",
        "weight-decay-momentum",
        "lr-zero",
        "shards",
        "gradient-1e-10",
        "gradient-1e-15",
        "gradient-1e-18",
        "gradient-zero",
        "zero-weights",
        "eta",
        "nan-then-sound",
        "nan-momentum",
        "saved",
    )
    if f"{method}-{slug}" in PROBES
]


def follower(name, value):
    """The reference, but for one convention; it cannot do otherwise."""
    settings, changes = declared_settings({name: value}), declared_changes({name: value})
    adapter = adapter_of(lambda hp: optimizer({**hp, **settings}, changes))
    adapter.methods = TAKEN_APART if name not in ("eta", "scope", "asam_form") else ("asam",)
    return adapter


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # One number stands for all, since they are solved for.
        pytest.param(name, value, marks=pytest.mark.slow)
        if name in ("norm_epsilon", "norm_floor") and value != 1e-12
        else (name, value)
        for name, value in FOLLOWED
    ],
)
def test_a_convention_is_recognized_and_conforms_once_declared(name, value):
    report = check(follower(name, value), "float64", probes=FEW)
    assert report.verdict == f"undeclared convention: {name}"
    assert report.found == {name: value}
    assert report.exit_code == 3
    declared = check(follower(name, value), "float64", probes=FEW, declare={name: value})
    assert declared.verdict == "conforms as declared"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32", None])
@pytest.mark.parametrize(("name", "value"), FOLLOWED)
def test_no_convention_is_called_a_bug_on_all_probes(name, value, dtype):
    report = check(follower(name, value), dtype)
    expected = "conforms" if (name, dtype) == ("norm_dtype", "float32") else "undeclared"
    assert report.verdict.startswith(expected), str(report)


def test_values_are_checked():
    check_declared({"norm_epsilon": 1e-9, "eta": 0, "scope": "all", "split": "sum"})
    for wrong in ({"eta": "0"}, {"norm_epsilon": True}, {"scope": None}, {"unknown": 1}):
        with pytest.raises(ValueError, match="declare"):
            check_declared(wrong)


def raises(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    if not all(np.isfinite(g).all() for g in d1):
        raise FloatingPointError("not finite")
    return known.right(w, lambda point: d1 if point is w else grad_fn(point), rho=rho, lr=lr)


def test_who_refuses_a_nan_conforms_and_can_say_so():
    report = check(raises, "float64")
    assert report.verdict == "conforms"
    assert "it refuses NaN gradients" in report.summary()
    assert check(raises, "float64", declare={"nonfinite": "raise"}).conforms
    promised = check(known.right, "float64", declare={"nonfinite": "raise"})
    assert promised.verdict == "undeclared convention: nonfinite"
    assert promised.found == {"nonfinite": "propagate"}


# What sets the length of the climb for good, so that a second one has nothing to say.
LENGTHS = {"norm_epsilon", "norm_floor", "norm_epsilon_inside", "zero_gradient"}
SOME_VALUE = {"eta": 0.0}
ONE_OF_EACH = [
    (name, value)
    for name, convention in CONVENTIONS.items()
    for value in (
        convention.values if convention.accepts is None else [SOME_VALUE.get(name, 1e-12)]
    )
    if name not in ("output", "inputs")
]
PAIRS = [
    pytest.param(
        {one: a, other: b},
        marks=[pytest.mark.slow] if other == "nonfinite" and b != "skip" else [],
        id=f"{one}={a} {other}={b}",
    )
    for (one, a), (other, b) in itertools.combinations(ONE_OF_EACH, 2)
    if one != other and not {one, other} <= LENGTHS
]
TELLING = [
    PROBES[f"asam-{slug}"]
    for slug in (
        "three-tensors",
        "gradient-1e-15",
        "gradient-zero",
        "weight-decay-momentum",
        "lr-schedule-momentum",
        "lr-zero",
        "shards",
        "nan-then-sound",
        "nan-momentum",
        "nan-at-B",
        "saved",
    )
]


def agree(traces, declared, rough=False):
    """Whether what a declared convention allows is all that was seen."""
    base = convention_part(declared)
    for trace in traces:
        raises = "nan at A" in trace.probe.special and declared.get("nonfinite") == "raise"
        if trace.fault is not None:
            if not raises:
                return False
        elif raises or not judge_parts([], trace, base, rough).agrees:
            return False
    return True


@pytest.mark.fault("declared-together", "oracle.check")
@pytest.mark.parametrize("pair", PAIRS)
def test_two_declared_conventions_hold_together_and_both_are_needed(pair):
    settings, changes = declared_settings(pair), declared_changes(pair)
    adapter = adapter_of(lambda hp: optimizer({**hp, **settings}, changes))
    traces = [watch(adapter, probe, "float64") for probe in TELLING]
    assert agree(traces, pair)
    for name, value in pair.items():
        last_digits = pair.keys() & {"restore", "norm_dtype"}  # which a rough look does not see
        alone = agree(traces, {name: value}, rough=not last_digits)
        assert alone == ("no_climb" in pair.values() and value != "no_climb" and name != "restore")


def test_the_order_in_which_conventions_are_declared_means_nothing():
    pair = {"nonfinite": "skip", "momentum_form": "ema", "norm_scope": "per_tensor"}
    hp = HyperParameters(momentum=0.5)
    one, other = (
        recipe_of(hp, *declared_changes(dict(several)))
        for several in (pair.items(), reversed(pair.items()))
    )
    assert one.changed == other.changed
    assert one.update.__qualname__ == other.update.__qualname__ != "Recipe.<lambda>"


def test_two_conventions_that_say_the_same_thing_cannot_both_be_declared():
    with pytest.raises(ValueError, match=r"norm_epsilon=1e-12 and norm_floor=1e-12"):
        check_declared({"norm_epsilon": 1e-12, "norm_floor": 1e-12})
    check_declared({"norm_epsilon": 1e-12, "norm_floor": 0.0})


@pytest.mark.fault("declared-together", "oracle.check")
def test_a_decay_of_zero_in_the_loss_may_spread_the_nan_of_a_zero_gradient():
    def step(w, grad_fn, *, rho, lr, weight_decay):
        def penalized(point):
            return [g + weight_decay * x for g, x in zip(grad_fn(point), point, strict=True)]

        d1 = penalized(w)
        length = known.length_of(d1)
        with np.errstate(all="ignore"):
            b = [x + rho * (g / length) for x, g in zip(w, d1, strict=True)]
            return [x - lr * g for x, g in zip(w, penalized(b), strict=True)]

    declare = {"weight_decay": "in_loss", "zero_gradient": "nan"}
    assert check(step, declare=declare).verdict == "conforms as declared"


@pytest.mark.parametrize("decay", ["coupled", "decoupled"])
@pytest.mark.parametrize("nesterov", [False, True])
def test_a_decay_is_part_of_what_the_momentum_averages(decay, nesterov):
    """v ← μv + (1−μ)(g + λw), as the formula is written down, with and without a look ahead."""

    def step(w, grad_fn, *, rho, lr, momentum, weight_decay, nesterov, decay, state):
        coupled = weight_decay if decay == "coupled" else 0.0
        beside = weight_decay if decay == "decoupled" else 0.0
        d1 = grad_fn(w)
        length = known.length_of(d1) or 1.0
        d2 = grad_fn([x + rho * g / length for x, g in zip(w, d1, strict=True)])
        d2 = [(1 - momentum) * (g + coupled * x) for x, g in zip(w, d2, strict=True)]
        v = state.get("v")
        v = [momentum * a + g for a, g in zip(v, d2, strict=True)] if v else d2
        state["v"] = v
        move = [g + momentum * a for a, g in zip(v, d2, strict=True)] if nesterov else v
        return [(1 - lr * beside) * x - lr * m for x, m in zip(w, move, strict=True)]

    probe = PROBES["sam-weight-decay-momentum"]
    settings = {"decay": decay, "nesterov": nesterov}
    probe = probe._replace(settings={**probe.settings, **settings})
    trace = watch(as_adapter(step), probe, "float64")
    assert judge_parts([], trace, convention_part({"momentum_form": "ema"})).agrees
    assert not judge_parts([], trace, convention_part({})).agrees
