from functools import partial

import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.library import adapter_of, library
from minisam.adapters.plain import as_adapter, plain
from minisam.oracle.judge import judge
from minisam.oracle.parts import convention_part
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS
from minisam.variants.mutants.adaptive import setting
from minisam.variants.recipe import optimizer


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_accepted_error_is_not_far_from_the_error(dtype):
    """Bounds that are never half used would let mistakes through."""
    worst = [judge(watch(library, probe, dtype)).ratio for probe in PROBES.values()]
    assert 0.25 < max(worst) <= 1


def test_one_unit_in_the_last_place_is_seen_where_nothing_may_round():
    trace = watch(as_adapter(known.right), PROBES["sam-lr-zero"], "float64")
    assert judge(trace).agrees
    end = [np.nextafter(x, np.inf) for x in trace.steps[0].end]
    bumped = trace._replace(steps=[trace.steps[0]._replace(end=end)])
    assert judge(bumped).quantity == "end"


def test_a_few_units_are_seen_everywhere():
    trace = watch(as_adapter(known.right), PROBES["sam-three-tensors"], "float32")
    end = [x * np.float32(1 + 2.0**-20) for x in trace.steps[0].end]
    bumped = trace._replace(steps=[trace.steps[0]._replace(end=end)])
    assert not judge(bumped).agrees


def flushing(w, grad_fn, *, rho, lr, share=1.0):
    """The plain formula, on a device that makes zeros of squares below the normal numbers."""
    d1 = grad_fn(w)
    squares = np.concatenate([np.ravel(g * g) for g in d1])
    squares[squares < np.finfo(squares.dtype).tiny] = 0
    length = np.sqrt(np.sum(squares)) * squares.dtype.type(share)
    b = [x + g * (rho / length) for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


@pytest.mark.fault("same-elsewhere", "oracle.judge")
def test_squares_below_the_normal_numbers_may_be_zeros_and_no_more():
    probe = PROBES["sam-gradient-1e-18"]
    for seed in range(20):
        assert judge(watch(as_adapter(flushing), probe, "float32", seed=seed)).agrees
    too_long = partial(flushing, share=1.03)
    assert not judge(watch(as_adapter(too_long), probe, "float32")).agrees
    assert not judge(watch(as_adapter(flushing), PROBES["sam-gradient-tiny"], "float32")).agrees
    less = PROBES["sam-gradient-1e-15"]
    slightly = partial(flushing, share=1.0001)
    assert judge(watch(as_adapter(flushing), less, "float32")).agrees
    assert not judge(watch(as_adapter(slightly), less, "float32")).agrees


def test_an_error_in_one_step_is_not_carried_into_the_next():
    def wrong_once(w, grad_fn, *, rho, lr, state):
        new = known.right(w, grad_fn, rho=rho, lr=lr)
        state["steps"] = state.get("steps", 0) + 1
        return [x + 1 for x in new] if state["steps"] == 1 else new

    trace = watch(as_adapter(wrong_once), PROBES["sam-three-tensors"], "float64")
    assert judge(trace).step == 0
    assert judge(trace._replace(steps=trace.steps[1:])).agrees


def test_asking_twice_at_the_same_point_changes_nothing():
    def curious(w, grad_fn, *, rho, lr):
        grad_fn(w)
        new = known.right(w, grad_fn, rho=rho, lr=lr)
        return new

    assert judge(watch(as_adapter(curious), PROBES["sam-three-tensors"], "float64")).agrees


@pytest.mark.parametrize("rough", [False, True])
def test_of_two_points_that_are_close_the_nearest_was_asked_for_again(rough):
    def short_climbs(hp):
        return optimizer({**hp, "rho": 2.0**-12}, [MUTANTS["M75-two-half-climbs"].change])

    trace = watch(adapter_of(short_climbs), PROBES["sam-gradient-zero-at-B"], "float32")
    change = [setting(rho=2.0**-12), MUTANTS["M75-two-half-climbs"].change]
    assert judge(trace, change, rough=rough).agrees


@pytest.mark.parametrize("rough", [False, True])
def test_a_point_that_is_not_asked_for_is_not_the_one_before(rough):
    def once(w, grad_fn, *, rho, lr):
        return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    found = judge(watch(as_adapter(once), PROBES["sam-three-tensors"], "float64"), rough=rough)
    assert (found.quantity, found.gradients) == ("fewer gradients", 2)


def test_an_extra_point_is_an_error():
    def wanders(w, grad_fn, *, rho, lr):
        new = known.right(w, grad_fn, rho=rho, lr=lr)
        grad_fn(new)
        return new

    trace = watch(as_adapter(wanders), PROBES["sam-three-tensors"], "float64")
    assert judge(trace).quantity == "more gradients"


def test_a_rough_look_never_rejects_what_agrees():
    for name in ("M01-not-restored", "M14-epsilon-1e-12", "M20-momentum-of-first"):
        mutant = MUTANTS[name]
        for slug in (
            "sam-three-tensors",
            "sam-momentum",
            "sam-gradient-1e-10",
            "sam-nan-then-sound",
        ):
            for dtype in ("float64", "float32"):
                trace = watch(mutant.adapter, PROBES[slug], dtype)
                assert judge(trace, [mutant.change]).agrees
                assert judge(trace, [mutant.change], rough=True).agrees


def test_a_rough_look_accepts_a_norm_in_float32_whatever_the_order_of_its_sum():
    def step(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        narrow = [np.square(g.astype(np.float32)) for g in d1]
        length = np.sqrt(sum((entry for g in narrow for entry in g.flat), np.float32(0)))
        d2 = grad_fn([x + rho / float(length) * g for x, g in zip(w, d1, strict=True)])
        return [x - lr * g for x, g in zip(w, d2, strict=True)]

    change = convention_part({"norm_dtype": "float32"}).changes
    for slug in ("sam-one-tensor", "sam-three-tensors", "sam-six-tensors", "sam-rho-large"):
        trace = watch(plain(step), PROBES[slug], "float64")
        assert judge(trace, change).agrees
        assert judge(trace, change, rough=True).agrees


def test_a_nan_that_must_be_somewhere_may_be_everywhere_but_not_nowhere():
    def handing_on(change):
        def step(w, grad_fn, *, rho, lr):
            new = known.right(w, grad_fn, rho=rho, lr=lr)
            return change(new) if any(np.isnan(x).any() for x in new) else new

        return watch(as_adapter(step), PROBES["sam-nan-at-B"], "float64")

    assert judge(handing_on(lambda new: [x * np.nan for x in new])).agrees
    assert not judge(handing_on(lambda new: [np.nan_to_num(x) for x in new])).agrees
    assert not judge(
        watch(as_adapter(known.returns_nan), PROBES["sam-one-tensor"], "float64")
    ).agrees


def told_at_b(w, grad_fn, *, rho, lr, fill):
    """A right step that does something more where its new weights are not finite."""
    new = known.right(w, grad_fn, rho=rho, lr=lr)
    return fill(new) if any(np.isnan(x).any() for x in new) else new


@pytest.mark.fault("special-value", "oracle.judge")
@pytest.mark.parametrize(("fill", "agrees"), [
    (lambda new: new, True),
    (lambda new: [new[0] * np.nan, new[1]], True),  # the whole tensor, as by its own length
    (lambda new: [x * np.nan for x in new], True),
    (lambda new: [new[0], new[1] * np.nan], False),  # another one
    (lambda new: [new[0], new[1] * [1.0, np.nan]], False),
    (lambda new: [np.nan_to_num(new[0]), new[1] * np.nan], False),
    (lambda new: [np.full_like(x, np.inf) for x in new], False),
])  # fmt: skip
@pytest.mark.parametrize("rough", [False, True])
def test_a_nan_is_handed_on_to_its_tensor_or_to_all_and_else_it_is_wrong(fill, agrees, rough):
    trace = watch(as_adapter(partial(told_at_b, fill=fill)), PROBES["sam-nan-at-B"], "float64")
    assert judge(trace, rough=rough).agrees == agrees


@pytest.mark.fault("special-value", "oracle.judge")
@pytest.mark.parametrize("rough", [False, True])
def test_a_point_to_which_a_nan_is_handed_on_excuses_nothing_after_it(rough):
    """Each tensor has its own norm, and one has a gradient of zero: ε = 0/0 there."""

    def lost(w, grad_fn, *, rho, lr, walks_on=0.0):
        d1 = grad_fn(w)
        d2 = grad_fn([x * np.nan for x in w])
        new = zip(w, d1, d2, strict=True)
        return [x - lr * (q + walks_on * p) for x, p, q in new]

    changes = convention_part({"norm_scope": "per_tensor", "zero_gradient": "nan"}).changes
    for walks_on, agrees in ((0.0, True), (0.5, False)):
        step = plain(partial(lost, walks_on=walks_on))
        trace = watch(step, PROBES["sam-tensor-zero"], "float64")
        found = judge(trace, changes, rough=rough)
        assert (found.agrees, found.quantity) == (agrees, "" if agrees else "end")
