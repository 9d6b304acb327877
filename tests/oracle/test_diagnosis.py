"""Every wrong SAM is rejected, and named."""

import math
import random

import pytest

from minisam.adapters.library import adapter_of
from minisam.oracle.diagnosis import (
    PACKAGES,
    convention_part,
    diagnose,
    explains,
    judge_parts,
    mutant_part,
    simplest,
)
from minisam.oracle.judge import judge
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS, mutant_adapter
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
}


def traces_of(adapter, methods, dtype):
    probes = [p for p in PROBES.values() if p.method in methods and not p.extreme]
    return [watch(adapter, probe, dtype) for probe in probes]


def split(traces, declared=None):
    base = convention_part(declared or {})
    agrees = [judge_parts([], trace, base).agrees for trace in traces]
    failing = [trace for trace, good in zip(traces, agrees, strict=True) if not good]
    return failing, [trace for trace, good in zip(traces, agrees, strict=True) if good]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_every_mutant_is_rejected(name, dtype):
    mutant = MUTANTS[name]
    for probe in (p for p in PROBES.values() if p.method in mutant.methods):
        trace = watch(mutant.adapter, probe, dtype)
        assert trace.fault is None
        if not judge(trace).agrees:
            return
    raise AssertionError(f"{name} passes every probe in {dtype}")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [name for name in MUTANTS if MUTANTS[name].equivalent])
def test_equivalent_mutants_pass_every_probe_in_range(name, dtype):
    for trace in traces_of(MUTANTS[name].adapter, ("sam",), dtype):
        assert judge(trace).agrees, trace.probe.slug


def survivors_of(failing, passing):
    """The explanations, however long the machine takes to find them."""
    return diagnose(failing, passing, patience=math.inf).survivors


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
    base = convention_part({})
    assert not explains([], traces, base)
    assert explains(parts, traces, base)


def test_a_pair_is_found_by_the_search():
    pair = ("M08-gradients-added", "M12-twice-the-radius")
    adapter = mutant_adapter(*(MUTANTS[name].change for name in pair))
    failing, passing = split(traces_of(adapter, ("sam",), "float64"))
    found = [tuple(part.name for part in s) for s in survivors_of(failing, passing)]
    assert found in ([pair], [pair[::-1]])


def test_a_mistake_and_a_convention_are_found_together():
    change = MUTANTS["M10-first-gradient"].change
    part = convention_part({"norm_epsilon": 1e-12})
    adapter = adapter_of(lambda hp: optimizer(hp, [*part.changes, change]))
    failing, passing = split(traces_of(adapter, ("sam",), "float64"))
    (survivor,) = survivors_of(failing, passing)
    assert {one.name for one in survivor} == {"norm_epsilon", "M10-first-gradient"}


def test_explanations_that_only_add_conventions_to_another_are_left_out():
    def parts(*names, **declare):
        mutants = tuple(mutant_part(name) for name in names)
        return (convention_part(declare), *mutants) if declare else mutants

    nan = {"zero_gradient": "nan"}
    few, more = (
        parts("M01-not-restored", **nan),
        parts("M01-not-restored", **nan, restore="subtract"),
    )
    assert simplest([more, few]) == [few]
    other = parts("M08-gradients-added", **nan, restore="subtract")
    assert simplest([few, other]) == [few, other]
    value = parts("M01-not-restored", norm_epsilon=1e-12)
    assert simplest([few, value]) == [few, value]
    assert simplest([few, few]) == [few, few]


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


def test_the_search_for_pairs_ends_when_patience_does():
    def change(recipe):
        return recipe.having(radius=lambda now: 0.7 * now.rho)

    failing, passing = split(traces_of(mutant_adapter(change), ("sam",), "float64"))
    found = diagnose(failing[:3], passing[:3], patience=0.0)
    assert not found.complete
    assert found.survivors == []


def test_an_unchanged_recipe_explains_the_reference():
    adapter = adapter_of(lambda hp: optimizer(hp, [lambda recipe: recipe_of(recipe.hp)]))
    assert not split(traces_of(adapter, ("sam",), "float32"))[0]
