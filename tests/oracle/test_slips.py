"""Steps that are wrong as people write them are rejected, and right ones conform."""

import pytest
from oracle.slips import ASAM_SLIPS, EVERY, RIGHT, SLIPS, is_rejected, kind, verdict_on

# What is not yet seen, and not yet judged as it should be; whoever mends one takes it out.
PASSED = {"stale_climb", "stale_copy", "frozen_in_the_norm", "frozen_climb", "frozen_decay"}
FALSE_ALARMS = {"python_powers"}


@pytest.mark.parametrize("name", [*SLIPS, *ASAM_SLIPS])
def test_a_wrong_step_is_rejected(name):
    assert is_rejected(name) is (name not in PASSED)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_step_conforms(name):
    expected = "false alarm" if name in FALSE_ALARMS else "right"
    assert kind(name, verdict_on(name)) == expected


def test_every_step_says_what_it_is():
    assert all(step.__doc__ for step in EVERY.values())
    assert len(SLIPS) + len(ASAM_SLIPS) > 80
    assert len(RIGHT) >= 15
