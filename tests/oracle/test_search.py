import pytest
from oracle.seen import adapter_with, named, traces_of

from minisam.oracle.candidates import known_parts
from minisam.oracle.parts import convention_part, conventions_of, mutant_part
from minisam.oracle.replays import Replays
from minisam.oracle.search import Question, extensions, half, refine

SLUGS = ("sam-one-tensor", "sam-three-tensors", "sam-rho-large")


def asked(*names, declare=None, found=(), thorough=True, slugs=SLUGS):
    """The question that such an implementation puts."""
    traces = traces_of(adapter_with(*names, declare=declare), slugs=slugs)
    return Question(traces, found, known_parts(traces, {}), traces, thorough)


@pytest.fixture
def replays():
    return Replays(convention_part({}))


@pytest.mark.parametrize(
    "names",
    [
        ("M07-downhill",),
        ("M07-downhill", "M09-mean-of-both"),
        ("M13-rms-norm", "M43-radius-squared"),
        ("M34-two-climbs", "M13-rms-norm", "M01-not-restored"),
    ],
)
def test_up_to_two_mistakes_in_each_half_are_found(replays, names):
    assert {*names} in named(extensions(replays, asked(*names)))


def test_two_in_one_half_are_looked_for_only_where_it_is_worth_it(replays):
    question = asked("M13-rms-norm", "M43-radius-squared", thorough=False)
    assert extensions(replays, question) == []


def test_what_is_known_stays(replays):
    known = (mutant_part("M07-downhill"),)
    (found,) = extensions(replays, asked("M07-downhill", "M09-mean-of-both", found=known))
    assert [part.name for part in found] == ["M07-downhill", "M09-mean-of-both"]


def test_a_half_that_is_right_needs_nothing(replays):
    question = asked("M07-downhill")
    assert half(replays, question, "descent") == [()]
    assert [part.name for (part,) in half(replays, question, "climb")] == ["M07-downhill"]


def test_the_last_bits_ask_for_no_more_conventions_than_needed(replays):
    declare = {"norm_epsilon": 1e-12, "restore": "subtract"}
    found = refine(replays, asked(declare=declare, slugs=(*SLUGS, "sam-lr-zero")), ())
    assert conventions_of(found) == declare


def test_what_is_right_or_wrong_by_more_than_the_last_bits_gets_no_convention(replays):
    assert refine(replays, asked(), ()) == ()
    assert refine(Replays(convention_part({})), asked("M07-downhill"), ()) is None
