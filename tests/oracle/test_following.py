from oracle.seen import adapter_with, split, traces_of

from minisam.oracle.candidates import known_parts
from minisam.oracle.following import contains, followed, telling
from minisam.oracle.parts import convention_part
from minisam.oracle.replays import Replays
from minisam.oracle.strata import strata

SLUGS = (
    "sam-one-tensor",
    "sam-momentum",
    "sam-gradient-1e-6",
    "sam-gradient-zero",
    "asam-momentum",
)


def layers():
    return strata(traces_of(adapter_with(), ("sam", "asam"), slugs=SLUGS))


def test_what_is_wrong_in_plain_steps_is_wrong_with_momentum_too():
    plain, momentum, adaptive, *_ = layers()
    assert contains(momentum, plain)
    assert not contains(plain, momentum)
    assert not contains(adaptive, plain)


def test_numbers_are_told_by_plain_steps_and_small_gradients():
    first, *_ = every = layers()
    told = [trace.probe.slug for trace in telling(every, first)]
    assert told == ["sam-one-tensor", "sam-gradient-1e-6"]


def test_what_is_seen_later_is_added_to_what_was_found():
    traces = traces_of(adapter_with("M07-downhill", "R02-momentum-lost"), slugs=SLUGS)
    failing, _ = split(traces)
    replays = Replays(convention_part({}))
    (found,) = followed(replays, strata(traces), known_parts(traces, {}), failing)
    assert [part.name for part in found] == ["M07-downhill", "R02-momentum-lost"]


def test_what_is_wrong_without_a_climb_is_no_name_for_a_step_that_climbs_wrongly():
    def change(recipe):
        return recipe.having(radius=lambda now: 0.7 * now.rho)

    slugs = ("sgd-plain", "sgd-momentum", "sam-one-tensor", "sam-three-tensors", "sam-momentum")
    adapter = adapter_with("R02-momentum-lost", changes=[change])
    traces = traces_of(adapter, ("sgd", "sam"), slugs=slugs)
    failing, _ = split(traces)
    found = followed(Replays(convention_part({})), strata(traces), known_parts(traces, {}), failing)
    assert found == [()]
