import pytest
from oracle.seen import adapter_with, traces_of

from minisam.anatomy.measuring import first_asked
from minisam.oracle.parts import convention_part, mutant_part
from minisam.oracle.replays import Replays

DOWNHILL, FIRST = mutant_part("M07-downhill"), mutant_part("M10-first-gradient")


@pytest.fixture
def replays():
    return Replays(convention_part({}))


@pytest.mark.parametrize("slug", ["sam-one-tensor", "sam-momentum", "asam-three-tensors"])
def test_each_half_of_a_step_is_judged_by_itself(replays, slug):
    adapter = adapter_with("M07-downhill", "M10-first-gradient")
    (trace,) = traces_of(adapter, ("sam", "asam"), slugs=(slug,))
    assert replays.agrees((DOWNHILL, FIRST), trace)
    assert replays.agrees((DOWNHILL,), trace, "climb")
    assert replays.agrees((FIRST,), trace, "descent")
    assert not replays.agrees((FIRST,), trace, "climb")
    assert not replays.agrees((DOWNHILL,), trace, "descent")
    assert not replays.explain((DOWNHILL,), [trace], "rough")


def test_a_third_gradient_belongs_to_the_descent(replays):
    (trace,) = traces_of(adapter_with("M34-two-climbs"), slugs=("sam-one-tensor",))
    assert [len(first_asked(seen)) for seen in trace.steps] == [3, 3, 3]
    assert replays.agrees((), trace, "climb")
    assert not replays.agrees((), trace, "descent")
    assert replays.agrees((mutant_part("M34-two-climbs"),), trace, "descent")


def test_the_same_is_replayed_once(replays):
    (trace,) = traces_of(adapter_with("M07-downhill"), slugs=("sam-one-tensor",))
    for _ in range(2):
        assert replays.agrees((DOWNHILL,), trace)
    assert replays.count == 1
    replays.agrees((DOWNHILL,), trace, "rough")
    replays.agrees((), trace)
    assert replays.count == 3
