import numpy as np
import pytest
from oracle import implementations as known
from oracle.seen import in_bfloat16, traces_of
from oracle.slipped.fresh_bases import decays_at_b

from minisam.adapters.plain import as_adapter
from minisam.oracle.judge import judge
from minisam.oracle.matters import by_cost, entry_size, plainest, relative_error
from minisam.oracle.parts import convention_part, mutant_part
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS, mutant_adapter


def failures(step, *slugs):
    traces = [watch(as_adapter(step), PROBES[f"sam-{slug}"], "float64") for slug in slugs]
    judged = [(trace, judge(trace)) for trace in traces]
    return [(trace, judgement) for trace, judgement in judged if not judgement.agrees]


@pytest.mark.parametrize(("step", "error"), [
    (known.half_climb, 0.5),
    (MUTANTS["M11-no-gradient"].adapter, 1.0),
    (known.returns_nan, np.inf),
    (known.does_nothing, np.inf),  # there is no second point
])  # fmt: skip
def test_errors_are_in_units_of_the_way_from_a(step, error):
    ((trace, judgement),) = failures(step, "one-tensor")
    assert relative_error(trace, judgement) == pytest.approx(error, rel=1e-12)


def test_much_of_an_error_comes_before_few_numbers():
    def step(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        length = known.length_of(d1) + 1e-9
        b = [x + rho * g / length for x, g in zip(w, d1, strict=True)]
        wrong = lr if len(w) == 1 else 2 * lr
        return [x - wrong * g for x, g in zip(w, grad_fn(b), strict=True)]

    found = failures(step, "one-tensor", "six-tensors", "gradient-1e-10")
    assert len(found) == 3
    trace, judgement = plainest(found)
    assert trace.probe.slug == "sam-gradient-1e-10"  # the epsilon hides the rest of a step
    declared = convention_part({"norm_epsilon": 1e-9})
    rest = [(t, judge(t, declared.changes)) for t, _ in found]
    trace, judgement = plainest([one for one in rest if not one[1].agrees])
    assert (trace.probe.slug, judgement.quantity) == ("sam-six-tensors", "end")


def test_among_what_is_as_plain_few_numbers_come_first():
    found = failures(known.half_climb, "three-tensors", "rho-small", "one-tensor")
    assert plainest(found)[0].probe.slug == "sam-one-tensor"
    assert plainest(found[:2])[0].probe.slug == "sam-three-tensors"  # the fewest settings
    assert entry_size(found[0][0]) == (21, 3)


def test_a_nan_is_shown_only_where_nothing_else_shows_a_mistake():
    found = failures(decays_at_b, "nan-then-sound", "weight-decay")
    assert relative_error(*found[0]) > relative_error(*found[1])
    assert [plainest(found[:n])[0].probe.has_nan for n in (1, 2)] == [True, False]


def test_a_mistake_costs_what_is_wrong_without_it():
    twice, decay = mutant_part("M12-twice-the-radius"), mutant_part("R07-decay-ignored")
    epsilon = convention_part({"norm_epsilon": 1e-12})
    parts = (decay, epsilon, twice)
    adapter = mutant_adapter(*(change for part in parts for change in part.changes))
    slugs = ("one-tensor", "three-tensors", "weight-decay", "gradient-1e-10")
    failing = [trace for trace, _ in failures(adapter, *slugs)]
    costs = by_cost(parts, failing, convention_part({}))
    assert [(part.name, cost) for part, cost in costs] == [
        (twice.name, 3), (decay.name, 1), (epsilon.name, 0)
    ]  # fmt: skip


def test_of_two_parts_that_cost_the_same_the_mistake_comes_first():
    parts = (convention_part({"norm_epsilon": 1e-12}), mutant_part("M12-twice-the-radius"))
    adapter = mutant_adapter(*(change for part in parts for change in part.changes))
    tiny = watch(adapter, PROBES["sam-gradient-1e-10"], "float64")
    assert [part for part, _ in by_cost(parts, [tiny], convention_part({}))] == [*parts[::-1]]


def test_a_mistake_does_not_cost_what_bfloat16_rounds():
    part = mutant_part("R07-decay-ignored")
    (right,) = traces_of(in_bfloat16(0.0), dtype="bfloat16", slugs=("sam-three-tensors",))
    assert right.steps
    assert by_cost((part,), [right], convention_part({})) == [(part, 0)]
