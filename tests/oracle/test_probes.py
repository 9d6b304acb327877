import itertools
import zlib
from functools import partial

import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.library import adapter_of, optimizer_of
from minisam.adapters.plain import plain
from minisam.adapters.protocol import mark
from minisam.optim import METHODS, Optimizer
from minisam.oracle.checking import check
from minisam.oracle.judge import judge
from minisam.oracle.parametrization import cases
from minisam.oracle.probes import PROBES, probes_of
from minisam.oracle.script import script
from minisam.oracle.watch import watch
from minisam.rounding import UNITS, to_unit
from minisam.variants.recipe import TAKEN_APART, optimizer


def fingerprint(drawn):
    arrays = [*drawn.params, *(g for step in drawn.gradients for a in step for s in a for g in s)]
    return zlib.crc32(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays))


@pytest.mark.fault("same-elsewhere", "oracle.probes")
def test_a_slug_stands_for_the_same_numbers_for_ever():
    # A change here changes what a slug means: give the new probe a new slug instead.
    assert fingerprint(script(PROBES["sam-one-tensor"], "float64")) == FINGERPRINTS[0]
    assert fingerprint(script(PROBES["asam-momentum"], "float32")) == FINGERPRINTS[1]
    assert fingerprint(script(PROBES["sam-shards"], "bfloat16")) == FINGERPRINTS[2]
    assert fingerprint(script(PROBES["sam-weight-decay"], "float64")) == FINGERPRINTS[3]  # AVX-512


FINGERPRINTS = (4017185451, 17569186, 1866237233, 3163093262)


def test_scripts_can_be_held_by_their_dtype():
    for dtype, unit in UNITS.items():
        for probe in PROBES.values():
            drawn = script(probe, dtype)
            for array in [*drawn.params, *drawn.gradients[0][0][0]]:
                np.testing.assert_array_equal(to_unit(array, unit), array)
                assert array.dtype == (np.float64 if dtype == "float64" else np.float32)


def test_another_seed_gives_another_script_of_the_same_kind():
    probe = PROBES["sam-gradient-zero-at-B"]
    one, other = script(probe, "float64", 0), script(probe, "float64", 1)
    assert (one.params[0] != other.params[0]).all()
    assert not np.any(other.gradients[0][1][0][0])


def test_no_probe_has_a_subnormal_number():
    """A device may read one as zero, for which the bounds of exact numbers have no room."""
    for dtype, unit in UNITS.items():
        for probe in PROBES.values():
            drawn = script(probe, dtype)
            gradients = [g for step in drawn.gradients for a in step for s in a for g in s]
            for array in [*drawn.params, *gradients]:
                assert not np.any((array != 0) & (np.abs(array) < unit.tiny))


def test_specials_are_what_they_say():
    def gradients(slug, step=0, answer=0):
        return script(PROBES[slug], "float64").gradients[step][answer][0]

    assert not any(g.any() for g in gradients("sam-gradient-zero"))
    assert all(g.any() for g in gradients("sam-gradient-zero-at-B"))
    assert not any(g.any() for g in gradients("sam-gradient-zero-at-B", answer=1))
    assert [g.any() for g in gradients("sam-tensor-zero")] == [False, True, True]
    assert np.isnan(gradients("sam-nan-then-sound")[0]).sum() == 1
    assert np.isfinite(gradients("sam-nan-then-sound", step=1)[0]).all()
    assert set(np.abs(gradients("sam-gradient-ties")[0]).ravel()) == {0.5}


def test_extreme_probes_are_those_whose_squares_leave_the_range():
    for probe in PROBES.values():
        for dtype in UNITS:
            kind = np.float64 if dtype == "float64" else np.float32
            gradients = script(probe, dtype).gradients[0][0][0]
            whole = np.concatenate([g.ravel() for g in gradients]).astype(kind)
            with np.errstate(all="ignore"):
                square = np.sum(whole * whole)
            safe = not whole.any() or np.isnan(square) or np.finfo(kind).tiny < square < np.inf
            assert safe != probe.extreme, (probe.slug, dtype)


OWN = [
    (method, key)
    for method, row in METHODS.items()
    if method not in TAKEN_APART
    for key in row.own
    if key != "p"
]


@pytest.mark.fault("cannot-fail", "minisam check")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("method", "key"), OWN)
def test_a_follow_up_that_ignores_one_of_its_own_does_not_conform(method, key, dtype):
    def ignores(hp):
        return optimizer_of({**hp, key: METHODS[method].own[key]})

    report = check(adapter_of(ignores), method=method, dtype=dtype)
    assert report.verdict == "bug: unidentified"
    failing = {one.probe for one in report.results if one.status == "fail"}
    own = {probe.slug for probe in probes_of(method) if "-own-" in probe.slug}
    assert f"{method.replace('_', '-')}-own-{key}" in failing <= own


def wsam_as_it_is_written(w, grad_fn, *, rho, lr, gamma):
    d1 = grad_fn(w)
    length = np.sqrt(sum(np.sum(g * g) for g in d1))
    d2 = grad_fn([x + rho * g / length if length else x for x, g in zip(w, d1, strict=True)])
    share = gamma / (1 - gamma)
    return [x - lr * (p + share * (q - p)) for x, p, q in zip(w, d1, d2, strict=True)]


def alarms(probe):
    """The scripts of a probe, of forty, in which WSAM as it is written differs too much."""
    seen = (watch(plain(wsam_as_it_is_written), probe, "float64", seed=seed) for seed in range(40))
    return [trace for trace in seen if not judge(trace).agrees]


def test_a_right_follow_up_in_another_formula_raises_no_alarm():
    (probe,) = (probe for probe in probes_of("wsam") if "-own-" in probe.slug)
    assert alarms(probe) == []
    # The reference takes d2 where WSAM is SAM, which is a rounding off d1 + (d2 - d1).
    where_it_is_sam = probe.settings | METHODS["wsam"].is_sam_at
    assert alarms(probe._replace(slug="wsam-own-at-sam", settings=where_it_is_sam))


def some_have_none(step):
    """The adapter of a step that can be given None for a tensor's gradient."""
    return mark(plain(step), features={"missing-gradient"})


def climb_of(grads, rho):
    """ε of every tensor that has a gradient, None for the others."""
    given = [g for g in grads if g is not None]
    length = np.sqrt(sum(np.sum(g * g) for g in given))
    return [None if g is None or not g.any() else g * (rho / length) for g in grads]


def climbs_and_restores(restore):
    """A step that keeps what it restores from: ``restore(point, state of the tensor)``."""

    def step(w, grad_fn, *, rho, lr, state):
        tensors = [state.setdefault(k, {}) for k in range(len(w))]
        climb = climb_of(grad_fn(w), rho)
        for own, x, e in zip(tensors, w, climb, strict=True):
            if e is not None:
                own.update(climb=e, copy=x, step=state.get("step", 0))
        b = [x if e is None else x + e for x, e in zip(w, climb, strict=True)]
        d2 = grad_fn(b)
        a = [restore(x, own, state.get("step", 0)) for x, own in zip(b, tensors, strict=True)]
        state["step"] = state.get("step", 0) + 1
        return [x if g is None else x - lr * g for x, g in zip(a, d2, strict=True)]

    return step


def right_copy(point, own, step):
    return own["copy"] if own.get("step") == step else point


def stale_copy(point, own, step):
    return own.get("copy", point)


def stale_climb(point, own, step):
    return point - own["climb"] if "climb" in own else point


def stale_copy_where_none_is_now(point, own, step):
    return own.get("copy", point) if own.get("step") != step else right_copy(point, own, step)


COMES_AND_GOES = [
    "sam-tensor-comes-and-goes",
    "sam-tensor-at-one-pass",
    "sam-tensor-late",
    "sam-tensor-zero-at-times",
]


def judged(adapter, slug, **settings):
    trace = watch(adapter, PROBES[slug], "float64", settings)
    assert (trace.fault, trace.skipped) == (None, None)
    return judge(trace, settings=settings)


@pytest.mark.fault("cannot-fail", "minisam check")
@pytest.mark.parametrize("restore", [stale_copy, stale_climb, stale_copy_where_none_is_now])
def test_a_stale_climb_is_seen_where_a_gradient_comes_and_goes(restore):
    wrong, right = (some_have_none(climbs_and_restores(one)) for one in (restore, right_copy))
    for slug in COMES_AND_GOES:
        assert judged(right, slug).agrees
        seen = judged(wrong, slug)
        late = slug == "sam-tensor-late"  # where nothing went before
        assert (seen.agrees, seen.step) == ((True, 0) if late else (False, 1))
    assert judged(wrong, "sam-tensor-missing").agrees


def test_a_tensor_that_is_left_out_because_it_once_had_no_gradient_is_seen():
    def step(w, grad_fn, *, rho, lr, state):
        d1 = grad_fn(w)
        known = state.setdefault("known", [g is not None for g in d1])
        climb = climb_of([g if k else None for g, k in zip(d1, known, strict=True)], rho)
        b = [x if e is None else x + e for x, e in zip(w, climb, strict=True)]
        d2 = grad_fn(b)
        return [x if g is None else x - lr * g for x, g in zip(w, d2, strict=True)]

    assert not judged(some_have_none(step), "sam-tensor-late").agrees
    assert judged(some_have_none(step), "sam-tensor-missing").agrees


def frozen_step(in_norm=False, climbs=False, decays=False, rolls=False):
    """SAM and ASAM which treat what is frozen in four ways as if it were not."""

    def step(w, grad_fn, *, rho, lr, momentum, weight_decay, frozen, names, state, adaptive, eta):
        free = [name not in frozen for name in names]
        scaled = [adaptive and name == "weight" for name in names]
        T = [abs(x) + eta if yes else np.ones_like(x) for x, yes in zip(w, scaled, strict=True)]
        g = grad_fn(w)
        measured = [t * x for t, x, f in zip(T, g, free, strict=True) if f or in_norm]
        n = np.sqrt(sum(np.sum(x * x) for x in measured))
        move = [t * t * (rho / n if f or climbs else 0.0) for t, f in zip(T, free, strict=True)]
        d2 = grad_fn([x + m * y for x, m, y in zip(w, move, g, strict=True)])
        d2 = [y if f or rolls else 0 * y for y, f in zip(d2, free, strict=True)]
        d2 = [
            y + weight_decay * x if f or decays else y for x, y, f in zip(w, d2, free, strict=True)
        ]
        v = state.get("v")
        v = [momentum * a + b for a, b in zip(v, d2, strict=True)] if v else d2
        state["v"] = v
        moves = [f or decays or (rolls and momentum) for f in free]
        return [x - lr * y if m else x for x, y, m in zip(w, v, moves, strict=True)]

    return plain(step)


FROZEN = [f"frozen-{slug}" for slug in ("plain", "decay", "momentum-decay")]


@pytest.mark.fault("cannot-fail", "minisam check")
@pytest.mark.parametrize(
    ("way", "slugs"),
    [
        ("in_norm", FROZEN),
        ("climbs", FROZEN),
        ("decays", FROZEN[1:]),
        ("rolls", FROZEN[2:]),
    ],
)
def test_what_is_frozen_takes_no_part(way, slugs):
    for method, slug in itertools.product(("sam", "asam"), FROZEN):
        assert judged(frozen_step(), f"{method}-{slug}").agrees
        wrong = judged(frozen_step(**{way: True}), f"{method}-{slug}")
        assert wrong.agrees == (slug not in slugs)


def of_recipe(make):
    return mark(adapter_of(make), features={"groups", "saved", "frozen"})


def without(key):
    """SAM in which the groups' own ``key`` is ignored."""

    def make(hp):
        groups = [{k: v for k, v in group.items() if k != key} for group in hp.groups]
        return optimizer(hp.having(groups=groups))

    return of_recipe(make)


def by_group(hp):
    """SAM with a norm for every parameter group."""
    parts = [optimizer(own.having(names=names)) for names, own in hp.by_group(hp.names)]
    names = [names for names, _ in hp.by_group(hp.names)]

    def init(params):
        return [one.init(params) for one in parts]

    def step(params, state, value_and_grad):
        new, states, d1 = {}, [], value_and_grad(params)[1]
        point = {}
        for mine, (_, own) in zip(names, hp.by_group(hp.names), strict=True):
            length = np.sqrt(sum(np.sum(d1[k] ** 2) for k in mine))
            point |= {k: params[k] + own.rho / length * d1[k] for k in mine}
        d2 = value_and_grad(point)[1]
        for mine, (_, own) in zip(names, hp.by_group(hp.names), strict=True):
            new |= {k: params[k] - own.lr * (d2[k] + own.weight_decay * params[k]) for k in mine}
        return new, states, None

    return Optimizer(init, step)


@pytest.mark.fault("cannot-fail", "minisam check")
def test_parameter_groups_have_their_own_and_one_norm():
    right = of_recipe(optimizer)
    for slug in ("sam-groups", "asam-groups", "sam-groups-rho", "asam-groups-rho"):
        assert judged(right, slug).agrees
    for key, slug in (("lr", "groups"), ("weight_decay", "groups"), ("rho", "groups-rho")):
        assert not judged(without(key), f"sam-{slug}").agrees
    for slug in ("sam-groups", "sam-groups-rho"):
        assert judged(of_recipe(by_group), slug).quantity == "point 1"


def forgetful(hp):
    """SGD with momentum whose velocity is in no state."""
    kept = {}

    def step(params, state, value_and_grad):
        opt = optimizer(hp)
        before = kept.get("state") or opt.init(params)
        new, kept["state"], seen = opt.step(params, before, value_and_grad)
        return new, state, seen

    return Optimizer(lambda params: None, step)


@pytest.mark.fault("cannot-fail", "minisam check")
def test_what_is_not_saved_is_missed_after_loading():
    assert judged(of_recipe(optimizer), "sam-saved").agrees
    assert judged(of_recipe(forgetful), "sam-momentum").agrees
    assert judged(of_recipe(forgetful), "sam-saved").step == 1


def from_outside(reads_again):
    """An adapter whose learning rate is set in ``group``, before every step."""

    def adapter(params, hyperparameters):
        hp = HyperParameters.of(hyperparameters)
        group, held, count = {"lr": hp.at(0).lr}, [np.array(x) for x in params], 0
        first = group["lr"]

        def run(grad_fn):
            nonlocal held, count
            group["lr"] = hp.at(count).lr
            count += 1
            climb = climb_of(grad_fn(held), hp.rho)
            d2 = grad_fn([x + e for x, e in zip(held, climb, strict=True)])
            lr = group["lr"] if reads_again else first
            held = [x - lr * g for x, g in zip(held, d2, strict=True)]
            return held

        return run

    return mark(adapter, features={"scheduler"})


def test_a_learning_rate_that_is_read_once_is_seen():
    assert judged(from_outside(True), "sam-scheduler").agrees
    assert judged(from_outside(False), "sam-scheduler").step == 1


def mixing(hp, kept):
    """SGD whose velocity all runs share."""
    opt = optimizer(hp)

    def step(params, state, value_and_grad):
        new, kept["state"], seen = opt.step(params, kept.get("state") or state, value_and_grad)
        return new, state, seen

    return Optimizer(opt.init, step)


@pytest.mark.fault("cannot-fail", "minisam check")
def test_two_runs_that_share_something_are_seen():
    shared = {}

    def one_array(params, hyperparameters):  # the weights of the run that was begun last
        shared["w"] = [np.array(x) for x in params]

        def run(grad_fn):
            step = plain(right_step)(shared["w"], hyperparameters)
            shared["w"] = step(grad_fn)
            return shared["w"]

        return run

    assert judged(adapter_of(optimizer), "sam-two-runs").agrees
    assert judged(adapter_of(optimizer), "sam-two-runs-momentum").agrees
    assert judged(one_array, "sam-one-tensor").agrees
    assert not judged(one_array, "sam-two-runs").agrees
    mixed = adapter_of(partial(mixing, kept={}))
    assert not judged(mixed, "sam-two-runs-momentum").agrees


def right_step(w, grad_fn, *, rho, lr):
    climb = climb_of(grad_fn(w), rho)
    d2 = grad_fn([x + e for x, e in zip(w, climb, strict=True)])
    return [x - lr * g for x, g in zip(w, d2, strict=True)]


def test_where_rounding_plays_no_part_one_dtype_is_enough():
    report = check(adapter_of(optimizer), method="sam")
    once = [one for one in report.results if PROBES[one.probe].once and one.status == "pass"]
    assert {one.dtype for one in once} == {"float64"}
    assert "one dtype is enough" in report.summary()
    single = [case for case in cases(adapter_of(optimizer), method="sam") if case.probe.once]
    assert {case.dtype for case in single} == {"float64"}
    (single,) = {
        r.dtype
        for r in check(
            adapter_of(optimizer), "float32", method="sam", probes=["sam-two-runs"]
        ).results
        if r.status == "pass"
    }
    assert single == "float32"


def moves_no_scalar(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    length = np.sqrt(sum(np.sum(g * g) for g in d1 if g.ndim))
    b = [x + g * (rho / length) if length and x.ndim else x for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


def tires(w, grad_fn, *, rho, lr, state, last=11):
    state["step"] = state.get("step", 0) + 1
    return known.right(w, grad_fn, rho=rho if state["step"] <= last else 0.0, lr=lr)


def failing(step):
    report = check(step, "float64")
    wrong = {one.probe for one in report.results if one.status in ("fail", "error")}
    return wrong, report.text()


@pytest.mark.fault("shape", "oracle.check")
def test_a_tensor_without_axes_is_one_like_the_others():
    slugs, text = failing(moves_no_scalar)
    assert slugs == {"sam-scalar"}
    assert "Only with a tensor that has no axes." in text.replace("\n    ", " ")
    assert "w = [np.array([1.0, 2.0]), np.array(3.0)]" in text


@pytest.mark.fault("shape", "oracle.check")
def test_who_takes_no_tensor_without_axes_is_not_tried_on_one():
    def rows(w, grad_fn, *, rho, lr):
        return known.right([x[:] for x in w], grad_fn, rho=rho, lr=lr)

    slugs, text = failing(rows)
    assert (slugs, "tensors without axes" in text) == (set(), True)


@pytest.mark.fault("shape", "oracle.check")
def test_who_gives_an_axis_to_a_tensor_without_axes_is_told_so():
    def longer(w, grad_fn, *, rho, lr):
        return [np.atleast_1d(x) for x in known.right(w, grad_fn, rho=rho, lr=lr)]

    slugs, text = failing(longer)
    assert slugs == {"sam-scalar"}
    assert "got [(2,), (1,)]" in text


@pytest.mark.fault("cannot-fail", "minisam check")
def test_the_twelfth_step_is_one_like_the_first():
    assert judged(plain(tires), "sam-twelve-steps").step == 11
    slugs, text = failing(partial(tires, last=5))
    assert slugs == {"sam-twelve-steps"}
    assert "Only from the sixth step on" in text.replace("\n    ", " ")
