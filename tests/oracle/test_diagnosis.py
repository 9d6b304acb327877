"""Every wrong SAM is rejected, and named."""

import random
import time

import numpy as np
import pytest
from oracle import slips
from oracle.seen import adapter_with, named, split, traces_of

from minisam.adapters.library import adapter_of, base_of
from minisam.adapters.plain import plain
from minisam.adapters.protocol import FEATURES, Unsupported, mark
from minisam.oracle import check, diagnosis, replays
from minisam.oracle.diagnosis import diagnose
from minisam.oracle.judge import judge
from minisam.oracle.parts import (
    clash,
    convention_part,
    conventions_of,
    explains,
    mutant_part,
    mutant_parts,
    pieces_of,
)
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS, mutant_adapter
from minisam.variants.mutants.restore import (
    put_back_stale,
    take_back_stale,
    where_it_has_a_second,
)
from minisam.variants.recipe import optimizer, recipe_of

VISIBLE = [name for name, mutant in MUTANTS.items() if not mutant.equivalent]
CASES = [(name, dtype) for name in VISIBLE for dtype in MUTANTS[name].dtypes]
# A few of each kind by default; `pytest -m slow` names all of them.
SOME = {
    ("M01-not-restored", "float64"),
    ("M02-per-tensor-norm", "float32"),
    ("M08-gradients-added", "float64"),
    ("M10-first-gradient", "float32"),
    ("M14-epsilon-1e-12", "float64"),
    ("M20-momentum-of-first", "float64"),
    ("M28-restore-by-subtraction", "float32"),
    ("A05-eta-dropped", "float64"),
    ("M115-frozen-in-the-norm", "float64"),
}


def agrees(name, probe, dtype):
    trace = watch(MUTANTS[name].adapter, probe, dtype)
    assert trace.fault is None
    return judge(trace).agrees


@pytest.mark.parametrize("name", VISIBLE)
def test_every_mutant_is_rejected(name):
    mutant = MUTANTS[name]
    probes = [p for p in PROBES.values() if p.method in mutant.methods]
    for dtype in mutant.dtypes:
        telling = next((p for p in probes if not agrees(name, p, dtype)), None)
        assert telling, f"{name} passes every probe in {dtype}"
        probes.insert(0, telling)  # the first to try in the next dtype


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [name for name in MUTANTS if MUTANTS[name].equivalent])
def test_equivalent_mutants_pass_every_probe_in_range(name, dtype):
    for trace in traces_of(MUTANTS[name].adapter, ("sam",), dtype):
        assert judge(trace).agrees, trace.probe.slug


def survivors_of(failing, passing):
    return diagnose(failing, passing).survivors


def names_given(name, dtype):
    mutant = MUTANTS[name]
    failing, passing = split(traces_of(mutant.adapter, mutant.methods, dtype))
    return survivors_of(failing, passing)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        pytest.param(name, dtype, marks=[] if (name, dtype) in SOME else pytest.mark.slow)
        for name, dtype in CASES
    ],
)
def test_every_mutant_is_named_and_nothing_else(name, dtype):
    mutant = MUTANTS[name]
    survivors = names_given(name, dtype)
    assert len(survivors) == 1
    (part,) = survivors[0]
    assert part.declare == (mutant.convention or {})
    assert part.is_mutant == (not mutant.convention)
    if part.is_mutant:
        assert part.name == name


# Conventions that go together in implementations that people use.
PACKAGES = (
    {"eta": 0.0, "scope": "all"},
    {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12},
    {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12, "norm_dtype": "float32"},
    {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12, "restore": "subtract"},
    {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12, "asam_form": "Tg/|g|"},
    {"norm_epsilon": 1e-12, "norm_dtype": "float32"},
    {"norm_epsilon": 1e-12, "restore": "subtract"},
    {"norm_epsilon": 1e-16, "restore": "subtract"},
    {"zero_gradient": "nan", "restore": "subtract"},
    {"weight_decay": "in_loss", "norm_epsilon": 1e-12},
    {"weight_decay": "decoupled", "momentum_form": "lr_inside"},
)


def scheduled(adapter):
    """An adapter whose schedules a scheduler sets: where it finds them is no matter here."""
    return mark(adapter, features=frozenset(FEATURES))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "number"),
    [(name, k) for name in VISIBLE for k in range(1, 1 + len(MUTANTS[name].others))],
)
def test_every_other_way_to_make_a_mistake_is_named(name, number):
    part = mutant_parts(name)[number]
    traces = traces_of(scheduled(mutant_adapter(*part.changes)), MUTANTS[name].methods)
    failing, passing = split(traces)
    assert failing
    found = diagnose(failing, passing)
    assert {one.name for parts in found.survivors for one in parts} == {name}
    assert part.title in [one.title for parts in found.survivors for one in parts]
    assert not found.rest


@pytest.mark.parametrize(
    "package",
    [
        pytest.param(package, marks=[] if number in (1, 6) else pytest.mark.slow, id=str(package))
        for number, package in enumerate(PACKAGES)
    ],
)
def test_conventions_that_go_together_are_found_together(package):
    part = convention_part(package)
    adapter = adapter_of(lambda hp: optimizer({**hp, **part.settings}, part.changes))
    methods = ("asam",) if "eta" in package else ("sam",)
    failing, passing = split(traces_of(adapter, methods, "float64"))
    (survivor,) = survivors_of(failing, passing)
    assert {key: value for one in survivor for key, value in one.declare.items()} == package
    assert not split(traces_of(adapter, methods, "float64"), package)[0]


def test_conventions_are_found_beside_a_norm_in_float32_that_is_summed_in_another_order():
    """An ASAM that has a package's conventions, but not to the bit the reference's float32."""

    def step(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        scaled = [np.abs(x) * g for x, g in zip(w, d1, strict=True)]
        narrow = [np.square(g.astype(np.float32)) for g in scaled]
        length = np.sqrt(sum((entry for g in narrow for entry in g.flat), np.float32(0)))
        factor = rho / (float(length) + 1e-12)
        d2 = grad_fn([x + factor * x * x * g for x, g in zip(w, d1, strict=True)])
        return [x - lr * g for x, g in zip(w, d2, strict=True)]

    names = ("one-tensor", "three-tensors", "six-tensors", "rho-large", "gradient-1e-3")
    slugs = [f"asam-{name}" for name in (*names, "gradient-1e-10", "gradient-1e-15")]
    failing, passing = split(traces_of(plain(step), ("asam",), slugs=slugs))
    (survivor,) = diagnose(failing, passing).survivors
    assert not any(part.is_mutant for part in survivor)
    package = {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12, "norm_dtype": "float32"}
    assert conventions_of(survivor) == package


@pytest.mark.parametrize("method", ["sam", "asam"])
@pytest.mark.parametrize(
    ("back", "restore"),
    [(put_back_stale, {}), (take_back_stale, {"restore": "subtract"})],
    ids=["copy", "subtraction"],
)
def test_a_restore_that_skips_what_has_no_gradient_is_named_with_its_stale_copies(
    method, back, restore
):
    """The SAM that most people copy: the gradient decides what is restored, and by which copy."""
    declare = {"norm_epsilon": 1e-12, "saved_state": "without_base", **restore}
    declare |= {"eta": 0.0, "scope": "all"} if method == "asam" else {}
    names = ("three-tensors", "gradient-1e-10", "tensor-zero-at-B", "tensor-missing-at-B", "saved")
    slugs = [f"{method}-{name}" for name in (*names, "lr-zero", "tensor-at-one-pass")]
    adapter = adapter_with(declare=declare, changes=[where_it_has_a_second(back)])
    found = diagnose(*split(traces_of(adapter, (method,), slugs=slugs)))
    (survivor,) = found.survivors
    assert named([survivor]) == [{"R16-missing-second-gradient-no-restore"}]
    assert conventions_of(survivor) == declare
    assert not found.rest


def test_a_rate_that_stays_once_the_state_was_loaded_is_named_beside_a_momentum_that_is_lost():
    """What a wrapper does whose load_state_dict leaves the base optimizer its own groups."""

    def first_rate(recipe):
        loaded = recipe.hp.saved and recipe.hp.scheduler
        rate = recipe.hp.at(0).lr if loaded else recipe.hp.lr
        return recipe.having(base=base_of(recipe.hp, lr=rate))

    adapter = scheduled(adapter_with(declare={"saved_state": "without_base"}, changes=[first_rate]))
    names = ("one-tensor", "lr-schedule", "saved", "scheduler", "saved-schedule")
    found = diagnose(*split(traces_of(adapter, slugs=[f"sam-{name}" for name in names])))
    (survivor,) = found.survivors
    assert named([survivor]) == [{"R10-learning-rate-stays"}]
    assert conventions_of(survivor) == {"saved_state": "without_base"}
    assert not found.rest


def test_a_decay_in_the_loss_spreads_the_nan_of_a_climb_that_is_0_over_0():
    """The authors' own: no epsilon, and λ/2 ‖w‖² in the loss, be λ zero or not."""

    def step(w, grad_fn, *, rho, lr, momentum, weight_decay, decay, state):
        if weight_decay and decay != "in_loss":
            raise Unsupported("weight decay is in the loss")

        def gradient(at):
            return [g + weight_decay * x for x, g in zip(at, grad_fn(at), strict=True)]

        d1 = gradient(w)
        length = np.sqrt(sum(np.sum(g * g) for g in d1))
        with np.errstate(invalid="ignore"):
            d2 = gradient([x + rho * (g / length) for x, g in zip(w, d1, strict=True)])
        before = state.get("v", [0.0] * len(w))
        state["v"] = [momentum * v + g for v, g in zip(before, d2, strict=True)]
        return [x - lr * v for x, v in zip(w, state["v"], strict=True)]

    names = ("three-tensors", "lr-zero", "decay-in-loss", "gradient-zero", "nan-then-sound")
    declare = {"weight_decay": "in_loss", "zero_gradient": "nan"}
    for declared in ({}, declare):
        report = check(step, "float64", declared, probes=[f"sam-{name}" for name in names])
        assert report.found == {k: v for k, v in declare.items() if k not in declared}
        assert report.verdict.startswith("conforms" if declared else "undeclared")


def test_a_nan_that_stays_is_no_sign_of_a_restore_by_subtraction():
    """A GSAM with a share of 0 of what is left of d1: 0 · NaN is NaN."""

    def step(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        length = np.sqrt(sum(np.sum(g * g) for g in d1))
        d2 = grad_fn([x + rho * g / (length + 1e-12) for x, g in zip(w, d1, strict=True)])
        return [x - lr * (b - 0.0 * a) for x, a, b in zip(w, d1, d2, strict=True)]

    names = ("three-tensors", "gradient-1e-10", "lr-zero", "nan-then-sound")
    found = diagnose(*split(traces_of(plain(step), slugs=[f"sam-{name}" for name in names])))
    assert [conventions_of(one) for one in found.survivors] == [{"norm_epsilon": 1e-12}]
    assert [trace.probe.slug for trace in found.rest] == ["sam-nan-then-sound"]


@pytest.mark.parametrize(("rho", "copies"), [(2.0**-10, False), (0.5, True)])
def test_a_copy_is_told_from_a_subtraction_where_rounding_shows_it_with_other_conventions_too(
    rho, copies
):
    """What is subtracted from one entry leaves no trace unless B has another exponent than A."""
    beside = convention_part({"eta": 0.0, "scope": "all"})
    settings = {**PROBES["asam-lr-zero"].settings, "rho": rho}
    probe = PROBES["asam-lr-zero"]._replace(settings=settings, shapes={"weight": (1,)})
    trace = watch(adapter_with(declare=beside.declare), probe, "float64")
    assert diagnosis.comes_back(trace)
    assert diagnosis.restores_a_copy([trace], convention_part({}), (beside,)) is copies


def sampled_pairs(count, seed=0):
    candidates = [name for name in VISIBLE if not MUTANTS[name].convention]
    draw = random.Random(seed)
    pairs = set()
    while len(pairs) < count:
        a, b = sorted(draw.sample(candidates, 2))
        if set(MUTANTS[a].methods) & set(MUTANTS[b].methods):
            pairs.add((a, b))
    return sorted(pairs)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(pair, marks=[] if number < 6 else pytest.mark.slow)
        for number, pair in enumerate(sampled_pairs(220))
    ],
    ids="+".join,
)
def test_pairs_of_mutants_are_rejected_and_the_true_pair_survives(pair, dtype):
    parts = [mutant_part(name) for name in pair]
    methods = set(MUTANTS[pair[0]].methods) & set(MUTANTS[pair[1]].methods)
    adapter = mutant_adapter(*(MUTANTS[name].change for name in pair))
    traces = traces_of(adapter, sorted(methods), dtype)
    if any(trace.fault for trace in traces):  # two norms, say, of which one has no tensor left
        assert clash(*parts, {part.key: pieces_of(part, traces[0]) for part in parts})
        return
    base = convention_part({})
    assert not explains([], traces, base)
    assert explains(parts, traces, base)


def test_a_pair_is_found_by_the_search():
    pair = ("M08-gradients-added", "M12-twice-the-radius")
    adapter = mutant_adapter(*(MUTANTS[name].change for name in pair))
    failing, passing = split(traces_of(adapter, ("sam",), "float64"))
    found = [tuple(part.name for part in s) for s in survivors_of(failing, passing)]
    assert found in ([pair], [pair[::-1]])


def test_what_is_off_by_little_beside_a_mistake_is_no_norm_in_float32():
    """As is what is divided by T + 1e-12, where T is to be multiplied by."""
    mistake, in_float32 = "A27-divided-by-T", {"norm_dtype": "float32"}
    some = ("asam-one-tensor", "asam-three-tensors", "asam-eta")
    for adapter, declare in (
        (slips.adapter_of("asam_divided"), {}),
        (adapter_with(mistake, declare=in_float32), in_float32),
    ):
        (survivor,) = survivors_of(*split(traces_of(adapter, ("asam",), slugs=some)))
        assert named([survivor]) == [{mistake}]
        assert conventions_of(survivor) == declare


def test_a_mistake_and_a_convention_are_found_together():
    change = MUTANTS["M10-first-gradient"].change
    part = convention_part({"norm_epsilon": 1e-12})
    adapter = adapter_of(lambda hp: optimizer(hp, [*part.changes, change]))
    failing, passing = split(traces_of(adapter, ("sam",), "float64"))
    (survivor,) = survivors_of(failing, passing)
    assert {one.name for one in survivor} == {"norm_epsilon", "M10-first-gradient"}


def test_a_number_is_no_clipping_that_has_the_same_number():
    failing, passing = split(traces_of(adapter_with(declare={"norm_epsilon": 1e-6})))
    (survivor,) = survivors_of(failing, passing)
    assert conventions_of(survivor) == {"norm_epsilon": 1e-6}
    assert not any(part.is_mutant for part in survivor)


def test_a_student_who_walks_on_from_b_and_divides_by_zero_is_told_so_once():
    changes = [
        MUTANTS["M01-not-restored"].change,
        *convention_part({"zero_gradient": "nan"}).changes,
    ]
    adapter = adapter_of(lambda hp: optimizer(hp, changes))
    failing, passing = split(traces_of(adapter, ("sam",), "float64"))
    (survivor,) = survivors_of(failing, passing)
    assert {one.name for one in survivor} == {"zero_gradient", "M01-not-restored"}


def test_an_unknown_mistake_gets_no_name():
    def change(recipe):
        return recipe.having(radius=lambda now: 0.7 * now.rho)

    failing, passing = split(traces_of(mutant_adapter(change), ("sam",), "float64"))
    assert survivors_of(failing, passing) == []


def halfway(recipe):
    """A mistake that nobody knows: the radius is seven tenths of what was asked for."""
    return recipe.having(radius=lambda now: 0.7 * now.rho)


def only_with(feature, change):
    """A change where a hyper-parameter is not at its default."""
    return lambda recipe: change(recipe) if getattr(recipe.hp, feature) else recipe


def test_two_mistakes_and_two_conventions_are_found_together():
    declare = {"norm_epsilon": 2e-12, "restore": "subtract"}
    adapter = adapter_with("M12-twice-the-radius", "M08-gradients-added", declare=declare)
    (survivor,) = diagnose(*split(traces_of(adapter))).survivors
    assert named([survivor]) == [{"M12-twice-the-radius", "M08-gradients-added"}]
    assert conventions_of(survivor) == declare


def test_a_mistake_in_what_is_rare_does_not_hide_one_in_what_is_ordinary():
    where_missing = only_with("missing", halfway)
    failing, passing = split(traces_of(adapter_with("M13-rms-norm", changes=[where_missing])))
    found = diagnose(failing, passing)
    assert named(found.survivors) == [{"M13-rms-norm"}]
    assert "sam-tensor-missing" in {trace.probe.slug for trace in found.rest}
    assert all(trace.hp.missing for trace in found.rest)


def test_another_dtype_that_dissents_does_not_hide_a_mistake():
    adapter, worse = adapter_with("M13-rms-norm"), adapter_with("M13-rms-norm", changes=[halfway])
    slugs = ("sam-one-tensor", "sam-three-tensors", "sam-momentum", "sam-weight-decay")
    traces = traces_of(adapter, slugs=slugs) + traces_of(worse, dtype="float32", slugs=slugs)
    found = diagnose(*split(traces))
    assert named(found.survivors) == [{"M13-rms-norm"}]
    assert {t.dtype for t in found.rest} == {"float32"}


def test_a_mistake_is_named_beside_an_unknown_one_that_needs_momentum():
    with_momentum = only_with("momentum", halfway)
    failing, passing = split(
        traces_of(adapter_with("M08-gradients-added", changes=[with_momentum]))
    )
    found = diagnose(failing, passing)
    assert named(found.survivors) == [{"M08-gradients-added"}]
    assert all(trace.hp.momentum for trace in found.rest)


def test_what_is_rare_gives_no_name_while_something_ordinary_is_unknown():
    rare = "R16-missing-second-gradient-no-restore"
    with_momentum = only_with("momentum", halfway)
    failing, passing = split(traces_of(adapter_with(rare, changes=[with_momentum])))
    found = diagnose(failing, passing)
    assert found.survivors == []
    assert named(diagnose(*split(traces_of(adapter_with(rare)))).survivors) == [{rare}]


def test_a_name_that_an_ordinary_probe_refutes_is_not_given():
    wrong, right = adapter_with("M13-rms-norm"), adapter_with()
    slugs = ("sam-one-tensor", "sam-three-tensors", "sam-six-tensors")
    failing, _ = split(traces_of(wrong, slugs=slugs))
    _, passing = split(traces_of(right, slugs=("sam-momentum", "sam-weight-decay")))
    assert diagnose(failing, passing).survivors == []


def test_conventions_of_an_unknown_mistake_are_found_where_it_does_not_show():
    adapter = adapter_with(
        declare={"zero_gradient": "nan"}, changes=[only_with("momentum", halfway)]
    )
    found = diagnose(*split(traces_of(adapter)))
    assert [conventions_of(one) for one in found.survivors] == [{"zero_gradient": "nan"}]
    assert found.rest


@pytest.mark.fault("same-elsewhere", "oracle.check")
def test_the_search_is_bounded_by_what_there_is_to_try_not_by_a_clock(monkeypatch):
    slugs = ("sam-one-tensor", "sam-three-tensors", "sam-momentum", "sam-weight-decay")
    failing, passing = split(traces_of(adapter_with(changes=[halfway]), slugs=slugs))
    assert failing
    counts = []

    def counted(*args, **options):
        counts[-1] += 1
        return replays_judge(*args, **options)

    replays_judge = replays.judge_parts
    monkeypatch.setattr(replays, "judge_parts", counted)
    for hours in (0, 1000):
        slow = iter(range(10**9))
        for clock in ("process_time", "perf_counter", "monotonic", "time"):
            monkeypatch.setattr(
                time, clock, lambda slow=slow, hours=hours: 3600 * hours * next(slow)
            )
        counts.append(0)
        assert diagnosis.diagnose(failing, passing).survivors == []
    assert 0 < counts[0] == counts[1] < len(MUTANTS) ** 2 / 2


def test_an_unchanged_recipe_explains_the_reference():
    adapter = adapter_of(lambda hp: optimizer(hp, [lambda recipe: recipe_of(recipe.hp)]))
    assert not split(traces_of(adapter, ("sam",), "float32"))[0]


@pytest.mark.parametrize(("name", "value", "said"), [
    ("norm_epsilon", 3e-7, 1e-12),
    ("norm_epsilon_inside", 2e-9, 1e-12),
    ("eta", 0.3, 0.5),
])  # fmt: skip
def test_another_value_of_what_is_declared_is_found_whatever_number_it_is(name, value, said):
    part = convention_part({name: value})
    method = "asam" if name == "eta" else "sam"
    adapter = adapter_of(
        lambda hp: optimizer(hp.having(**part.settings), part.changes), ("sam", "asam")
    )
    slugs = [
        f"{method}-{slug}"
        for slug in ("three-tensors", "gradient-1e-6", "gradient-1e-3", "lr-zero")
    ]
    report = check(adapter, "float64", {name: said}, method=method, probes=slugs)
    assert report.found == {name: value}
