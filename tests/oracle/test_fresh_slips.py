"""Wrong steps of a hand that had not seen the catalogue are rejected, right ones conform."""

import pytest
from oracle.fresh_slips import BY_TORCH, DECLARE, FRESH, FRESH_RIGHT, adapter_of, verdict_on
from oracle.slips import is_rejected, kind

SAMPLED = 5  # one in so many by default; `pytest -m slow` asks all


def some(names):
    marks = [[] if number % SAMPLED == 0 else pytest.mark.slow for number in range(len(names))]
    return [pytest.param(name, marks=mark) for name, mark in zip(names, marks, strict=True)]


@pytest.mark.parametrize("name", some(FRESH))
def test_a_wrong_step_is_rejected(name):
    assert is_rejected(adapter_of(name), DECLARE.get(name))


@pytest.mark.parametrize("name", some(BY_TORCH))
def test_a_wrong_optimizer_of_torch_is_rejected(name):
    assert is_rejected(adapter_of(name), DECLARE[name])


@pytest.mark.parametrize("name", some(FRESH_RIGHT))
def test_a_right_step_conforms(name):
    assert kind(verdict_on(name), right=True) == "right"
