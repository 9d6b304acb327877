import pytest
from oracle.seen import adapter_with, traces_of

from minisam.oracle.parts import (
    active,
    clash,
    convention_part,
    conventions_of,
    explains,
    judge_parts,
    mistake_of,
    mutant_part,
    pieces_of,
)
from minisam.variants.mutants import MUTANTS

NOTHING = convention_part({})


@pytest.fixture(scope="module")
def trace():
    (only,) = traces_of(adapter_with("M07-downhill"), slugs=("sam-one-tensor",))
    return only


def test_a_part_explains_what_it_does_and_another_does_not(trace):
    assert explains([mutant_part("M07-downhill")], [trace], NOTHING)
    assert not explains([mutant_part("M12-twice-the-radius")], [trace], NOTHING)
    assert not explains([], [trace], NOTHING)


def test_what_is_wrong_with_the_climb_for_2_says_nothing_of_another_p():
    (trace,) = traces_of(adapter_with(), slugs=("sam-p-3",))
    rms, downhill = mutant_part("M13-rms-norm"), mutant_part("M07-downhill")
    assert active([rms, downhill], trace) == [downhill]
    assert judge_parts([rms], trace, NOTHING).agrees


def test_two_mutants_clash_where_they_replace_the_same_piece(trace):
    rms, l1, first = map(mutant_part, ("M13-rms-norm", "M05-l1-norm", "M10-first-gradient"))
    scope = convention_part({"norm_scope": "per_tensor"})
    pieces = {part.key: pieces_of(part, trace) for part in (rms, l1, first, scope)}
    assert clash(rms, l1, pieces)
    assert not clash(rms, first, pieces)
    assert not clash(rms, scope, pieces)


def test_a_part_may_say_its_number():
    part = mutant_part("M51-epsilon-too-large")._replace(title="adds 0.25 to the norm")
    assert mistake_of(part).title == "adds 0.25 to the norm"
    assert mistake_of(mutant_part("M07-downhill")) == MUTANTS["M07-downhill"]


def test_conventions_are_gathered_from_all_parts():
    parts = (convention_part({"eta": 0.0}), mutant_part("M07-downhill"),
             convention_part({"restore": "subtract"}))  # fmt: skip
    assert conventions_of(parts) == {"eta": 0.0, "restore": "subtract"}
