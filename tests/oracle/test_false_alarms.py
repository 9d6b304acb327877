"""No false alarm: right implementations, on scripts that nobody has looked at, always conform."""

import itertools
import math

import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.library import library
from minisam.adapters.plain import as_adapter
from minisam.oracle.parts import convention_part, judge_parts
from minisam.oracle.probes import probes_of
from minisam.oracle.watch import watch


def runs_of(adapter, methods, dtypes, declare, count, first_seed=1, known=()):
    """Run random scripts of all probes in range, until ``count`` were judged; return the alarms."""
    base = convention_part(declare)
    alarms, done = [], 0
    for seed in itertools.count(first_seed):
        before = done
        for dtype in dtypes:
            for probe in itertools.chain.from_iterable(map(probes_of, methods)):
                if done == count:
                    return alarms
                trace = watch(adapter, probe, dtype, base.settings, seed=seed)
                if probe.extreme or trace.skipped or trace.fault is not None:
                    continue
                if probe.slug in known:  # to be another
                    continue
                done += 1
                judgement = judge_parts([], trace, base)
                if not judgement.agrees:
                    alarms.append((probe.slug, dtype, seed, judgement.quantity, judgement.ratio))
        assert done > before, "no probe ran"
    return alarms


def upper_bound(alarms, runs, confidence=0.95):
    """The rate of false alarms that is not excluded at this confidence (Clopper and Pearson)."""
    low, high = alarms / runs, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        below = sum(
            math.exp(
                math.lgamma(runs + 1) - math.lgamma(k + 1) - math.lgamma(runs - k + 1)
                + k * math.log(rate) + (runs - k) * math.log1p(-rate)
            )
            for k in range(alarms + 1)
        )  # fmt: skip
        low, high = (rate, high) if below > 1 - confidence else (low, rate)
    return high


def other_order(w, grad_fn, *, rho, lr):
    """The same formula, computed in another order."""
    d1 = grad_fn(w)
    flat = np.concatenate([g.ravel() for g in d1][::-1])
    length = np.linalg.norm(flat)
    if length:
        unit = [g / length for g in d1]
        b = [u * rho + x for u, x in zip(unit, w, strict=True)]
    else:
        b = w
    return [-(lr * g) + x for x, g in zip(w, grad_fn(b), strict=True)]


@pytest.mark.parametrize(
    ("step", "declare"),
    [
        (known.right, {}),
        (known.right_with_momentum, {}),
        (known.with_epsilon, {"norm_epsilon": 1e-12}),
        (other_order, {}),
        (library, {}),
    ],
    ids=["right", "momentum", "epsilon", "other order", "reference"],
)
def test_right_functions_raise_no_alarm(step, declare):
    methods = getattr(step, "methods", ("sam",))
    adapter = as_adapter(step)
    assert runs_of(adapter, methods, ["float64", "float32"], declare, 100) == []


def test_a_wrong_function_does():
    assert len(runs_of(as_adapter(known.half_climb), ("sam",), ["float64"], {}, 20)) > 10


def test_the_upper_bound_is_the_rule_of_three():
    assert upper_bound(0, 10_000) == pytest.approx(3 / 10_000, rel=0.01)
    assert upper_bound(1, 100) == pytest.approx(0.0466, rel=0.01)


@pytest.mark.slow
@pytest.mark.backends
def test_ten_thousand_runs_of_what_people_use_raise_no_alarm(capsys):
    pytest.importorskip("torch")
    from backends.implementations import IMPLEMENTATIONS

    wrong = ("BSAM", "transparent", "2.1.0", "unifiedSAM")
    right = [
        one
        for one in IMPLEMENTATIONS
        if one.installed() and not any(word in one.name + one.version for word in wrong)
    ]
    share = math.ceil(10_000 / len(right))
    alarms, runs = [], 0
    for one in right:
        dtypes = ["float64", "float32", "bfloat16"]
        found = runs_of(one.adapter(), one.methods, dtypes, one.declare, share, known=one.known)
        alarms += [(one.name, *alarm) for alarm in found]
        runs += share
    with capsys.disabled():
        print(
            f"\n{len(alarms)} false alarms in {runs} runs of {len(right)} implementations: "
            f"below {upper_bound(len(alarms), runs):.2g} at 95 % confidence"
        )
    assert runs >= 10_000
    assert alarms == []
