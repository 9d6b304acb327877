from oracle.seen import adapter_with, traces_of

from minisam.oracle.candidates import (
    NUMBERS,
    TOO_LARGE,
    fewest,
    known_parts,
    preferred,
    simplest,
    union,
)
from minisam.oracle.parts import convention_part, mutant_part
from minisam.variants.conventions import CONVENTIONS
from minisam.variants.mutants import MUTANTS


def parts(*names, **declare):
    mutants = tuple(mutant_part(name) for name in names)
    return (convention_part(declare), *mutants) if declare else mutants


def test_what_is_known_is_what_could_be_seen():
    traces = traces_of(adapter_with(), slugs=("sam-one-tensor",))
    names = {part.name for part in known_parts(traces, {"restore": "copy"})}
    assert "M07-downhill" in names
    assert not names & {"A01-T-once", "M24-norm-clipped", "M02-per-tensor-norm", "restore"}
    assert not names & set(NUMBERS)
    adaptive = traces_of(adapter_with(), ("asam",), slugs=("asam-one-tensor",))
    assert {"A01-T-once", "eta, scope"} <= {part.name for part in known_parts(adaptive, {})}


def test_every_number_in_the_norm_is_solved_for_and_not_tried():
    assert {name for name, one in CONVENTIONS.items() if one.accepts} == {*NUMBERS, "eta"}


def test_explanations_that_only_add_conventions_to_another_are_left_out():
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


def test_of_several_explanations_those_of_the_fewest_parts_are_followed():
    one, two = parts("M01-not-restored"), parts("M07-downhill", eta=0.0)
    honest = parts(eta=0.0)
    assert fewest([two, one, honest]) == [one, honest]


def test_of_what_survives_those_of_the_fewest_mistakes_are_told():
    one, two = parts("M01-not-restored", eta=0.0), parts("M07-downhill", "M01-not-restored")
    honest = parts(eta=0.0)
    assert preferred([two, one]) == [one]
    assert preferred([two, one, honest]) == [honest]
    assert preferred([]) == []


def test_a_union_has_every_part_once():
    a, b = parts("M01-not-restored"), parts("M07-downhill", "M01-not-restored")
    assert [part.name for part in union(a, b)] == ["M01-not-restored", "M07-downhill"]


def test_no_mutant_is_both_a_convention_and_a_candidate():
    traces = traces_of(adapter_with(), ("sam", "asam"), slugs=("sam-one-tensor", "asam-one-tensor"))
    mistakes = {part.name for part in known_parts(traces, {}) if part.is_mutant}
    every = {name for name, one in MUTANTS.items() if not one.convention and not one.equivalent}
    assert mistakes == every - {TOO_LARGE}  # whose number is solved for
