import time

import numpy as np
import pytest
from oracle import implementations as known
from oracle.printed import differ, printed_by, shrunk
from oracle.slips import adapter_of

from minisam.adapters.plain import as_adapter
from minisam.oracle.checking import check
from minisam.oracle.comparing import Judgement
from minisam.oracle.judge import judge
from minisam.oracle.probes import PROBES
from minisam.oracle.shrinking import TRIES, fails_alike, share, smallest_failure
from minisam.oracle.watch import watch
from minisam.rounding import exact
from minisam.variants.mutants import MUTANTS


def entries(trace):
    return sum(x.size for x in trace.steps[0].start)


def test_one_tensor_of_two_short_numbers_is_enough_where_it_shows_there():
    trace, judgement = shrunk(as_adapter(known.half_climb), probes=["sam-six-tensors"])
    assert [x.tolist() for x in trace.steps[0].start] == [[1, 2]]
    assert [x.tolist() for x in trace.steps[0].answers[0]] == [[3, 4]]
    assert (trace.hp.rho, len(trace.steps), judgement.quantity) == (0.5, 1, "point 1")


@pytest.mark.parametrize(
    ("name", "tensors", "steps", "kept"),
    [
        ("norm_of_each_tensor", 2, 1, {}),
        ("copies_by_shape", 2, 1, {}),
        ("absolute_climb", 1, 1, {}),
        ("velocity_forgotten", 1, 2, {"momentum": 0.5}),
        ("nesterov_ignored", 1, 1, {"momentum": 0.5, "nesterov": True}),
        ("rate_of_the_first_step", 1, 2, {"lr": [0.25, 0.125]}),
        ("velocity_lost_at_a_new_rate", 1, 2, {"momentum": 0.5, "lr": [0.25, 0.125]}),
        ("decay_halved", 1, 1, {"weight_decay": 0.5}),
    ],
)
def test_only_what_the_mistake_needs_is_kept(name, tensors, steps, kept):
    trace, _ = shrunk(adapter_of(name))
    assert (len(trace.steps[0].start), len(trace.steps)) == (tensors, steps)
    assert entries(trace) == 2
    settings = {key: trace.probe.settings[key] for key in kept}
    assert settings == kept
    assert {*trace.probe.settings} == {"method", "rho", "lr", *kept}


def test_a_small_matter_is_not_shown_for_a_large_one():
    def step(w, grad_fn, *, rho, lr, momentum, state):
        return known.with_epsilon(w, grad_fn, rho=rho * (2 if momentum else 1), lr=lr)

    trace, judgement = shrunk(as_adapter(step), probes=["sam-momentum"])
    assert trace.hp.momentum == 0.5
    apart = np.abs(judgement.observed["weight"] - judgement.expected["weight"].value)
    assert np.max(apart) > 0.1


def test_another_quantity_is_not_shown_for_the_first():
    end = Judgement(False, 9.0, 0, "end")
    assert fails_alike(end, end)
    assert not fails_alike(end, end._replace(quantity="point 1", point=1))
    assert not fails_alike(end, end._replace(agrees=True))


def off_by(*errors, right=(300.0, 400.0)):
    seen = {"w": np.add(right, errors)}
    return Judgement(False, 9.0, 0, "end", expected={"w": exact(right)}, observed=seen)


def test_an_error_is_a_share_of_what_should_be_there():
    assert share(off_by(3.0, 4.0)) == 5 / 500
    assert share(off_by(3.0, 4.0, right=(0.0, 0.0))) == 5.0
    assert share(off_by(np.nan, 0.0)) == np.inf


@pytest.mark.parametrize(("before", "after", "alike"), [
    (5e6, 1.0, True),  # 10,000 times what is right; then two thousandths of it
    (5e6, 0.1, False),  # a five thousandth
    (5.0, 0.1, True),  # a hundredth of what is right, and a fiftieth of that
    (np.nan, 1.0, False),
])  # fmt: skip
def test_a_smaller_input_shows_a_thousandth_of_the_error_or_of_what_is_right(before, after, alike):
    assert fails_alike(off_by(before, 0.0), off_by(after, 0.0)) == alike


def test_where_several_steps_are_needed_other_failures_are_begun_from():
    adapter = MUTANTS["R16-missing-second-gradient-no-restore"].adapter
    slugs = ["sam-tensor-at-one-pass", "sam-tensor-missing-at-B"]
    steps = [len(shrunk(adapter, probes=slugs[:count])[0].steps) for count in (1, 2)]
    assert steps == [3, 1]


@pytest.mark.fault("time-limit-value", "oracle.check")
def test_what_hangs_on_small_inputs_is_not_tried_again_and_again():
    tried = []

    def step(w, grad_fn, *, rho, lr):
        if sum(x.size for x in w) < 5:
            tried.append(w)
            time.sleep(0.2)
        return known.half_climb(w, grad_fn, rho=rho, lr=lr)

    report = check(step, "float64", probes=["sam-three-tensors"], timeout=0.1)
    assert len(tried) == 1
    assert differ(*printed_by(report.reproduction, {"step": known.half_climb}))


def test_where_nothing_smaller_fails_the_first_is_kept_after_so_many_tries():
    trace = watch(as_adapter(known.half_climb), PROBES["sam-everything"]._replace(
        settings={"method": "sam", "rho": [0.1, 0.05], "lr": [0.25, 0.1]}), "float64")  # fmt: skip
    tried = []

    def never(probe, drawn):
        tried.append((probe, str(drawn)))

    first = Judgement(False, 9.0, 0, "end")
    assert smallest_failure(trace, first, never) == (trace, first)
    assert 50 < len(tried) <= TRIES
    again = list(tried)
    smallest_failure(trace, first, never)
    assert tried[len(again) :] == again


def test_a_failure_under_a_declared_convention_is_shown_under_it():
    step = known.half_climb
    trace, judgement = shrunk(as_adapter(step), declare={"norm_epsilon": 0.5})
    right = judgement.expected["weight"].value
    np.testing.assert_allclose(right, np.add([1, 2], np.multiply([3, 4], 0.5 / 5.5)))
    assert not judge(trace).agrees
