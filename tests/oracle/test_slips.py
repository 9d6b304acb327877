"""Steps that are wrong as people write them are rejected, and right ones conform."""

import pytest
from oracle.slips import (
    ASAM_SLIPS,
    DECLARE,
    EVERY,
    RIGHT,
    SLIPS,
    adapter_of,
    is_rejected,
    kind,
    verdict_on,
)


@pytest.mark.parametrize("name", [*SLIPS, *ASAM_SLIPS])
def test_a_wrong_step_is_rejected(name):
    assert is_rejected(adapter_of(name), DECLARE.get(name))


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_step_conforms(name):
    assert kind(verdict_on(name), right=True) == "right"


def test_every_step_says_what_it_is():
    assert all(step.__doc__ for step in EVERY.values())
    assert len(SLIPS) + len(ASAM_SLIPS) > 80
    assert len(RIGHT) >= 15
