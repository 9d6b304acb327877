"""What is added to a norm is solved for, whatever its value, and printed as it was written."""

import numpy as np
import pytest
from oracle.seen import adapter_with, in_bfloat16, split, traces_of

from minisam.oracle.diagnosis import diagnose
from minisam.oracle.epsilons import Solved, as_written, common_bounds, epsilon_parts, part_of, solve
from minisam.oracle.factors import Factor
from minisam.oracle.parts import convention_part, conventions_of

NOTHING = convention_part({})
SMALL = tuple(f"sam-gradient-1e-{k}" for k in (3, 6, 10, 15, 18))
SINGLE = float(np.finfo(np.float32).eps)


def solved(declare, dtype="float64", parts=()):
    traces = traces_of(adapter_with(declare=declare), dtype=dtype, slugs=SMALL)
    return epsilon_parts(parts, traces, NOTHING)


@pytest.mark.parametrize("value", [1e-16, 2e-12, 1e-8, SINGLE, 2.5e-6, 1e-3])
@pytest.mark.parametrize("name", ["norm_epsilon", "norm_floor"])
def test_any_value_is_found_to_the_digit(name, value):
    assert {name: value} in [part.declare for part in solved({name: value})]


@pytest.mark.parametrize("value", [1e-12, 3e-8])
def test_a_value_under_the_root_is_found_to_the_digit(value):
    declare = {"norm_epsilon_inside": value}
    assert declare in [part.declare for part in solved(declare)]


@pytest.mark.parametrize("value", [1e-12, 1e-7])
def test_bfloat16_alone_tells_the_value_that_people_write(value):
    failing, passing = split(traces_of(in_bfloat16(value), dtype="bfloat16"))
    assert failing
    first, *_ = diagnose(failing, passing).survivors  # a floor would do the same
    assert conventions_of(first) == {"norm_epsilon": value}


def test_a_right_climb_has_nothing_in_its_norm():
    assert solved({}) == []
    assert solved({}, "float32") == []


def test_what_is_settled_is_not_solved_for():
    traces = traces_of(adapter_with(declare={"norm_floor": 1e-7}), slugs=SMALL)
    names = [part.name for part in epsilon_parts((), traces, NOTHING, ["norm_floor"])]
    assert names == ["norm_epsilon", "norm_epsilon_inside"]


@pytest.mark.parametrize(
    ("name", "value"), [("norm_epsilon", 0.25), ("norm_floor", 1.0), ("norm_epsilon_inside", 1.0)]
)
def test_each_equation_gives_its_number_back(name, value):
    length = 0.5
    inverse = {
        "norm_epsilon": length + value,
        "norm_floor": max(length, value),
        "norm_epsilon_inside": (length**2 + value) ** 0.5,
    }[name]
    low, high = solve(name, Factor(length, inverse * (1 - 1e-9), inverse * (1 + 1e-9)))
    assert low <= value <= high < value * (1 + 1e-8)
    assert solve(name, Factor(length, -1.0, np.inf)).low <= 0  # lost in the error


def test_bounds_that_disagree_leave_the_tightest():
    assert common_bounds([Solved(1.0, 1.5), Solved(2.0, 2.1), Solved(-1.0, 9.0)]) == (2.0, 2.1)
    assert common_bounds([Solved(-1.0, 2.0), Solved(0.0, 1.0)]) is None
    assert common_bounds([Solved(1.0, np.inf)]) is None
    assert common_bounds([]) is None


def test_the_decimal_is_the_shortest_within_the_bounds():
    assert as_written(Solved(0.99999e-12, 1.00001e-12)) == 1e-12
    assert as_written(Solved(1.025e-12, 1.035e-12)) == 1.03e-12
    machine = np.finfo(np.float64).eps
    assert as_written(Solved(machine * (1 - 1e-6), machine * (1 + 1e-6))) == machine


def test_a_number_that_is_felt_is_a_mistake_and_says_its_value():
    assert part_of("norm_epsilon", 1e-3).declare == {"norm_epsilon": 1e-3}
    part = part_of("norm_floor", 0.05)
    assert part.is_mutant
    assert (part.name, part.title) == ("M51-epsilon-too-large", "divides by no less than 0.05")
    assert part_of("norm_epsilon_inside", 1e-6).declare  # as 1e-3 in the norm
    assert part_of("norm_epsilon_inside", 4e-6).is_mutant


DECLARED = (
    {"norm_epsilon": 2e-12, "restore": "subtract"},
    {"norm_epsilon_inside": 1e-12, "norm_dtype": "float32"},
    {"norm_floor": 1e-7, "weight_decay": "in_loss", "restore": "subtract"},
)
BESIDE = ((), ("M12-twice-the-radius",), ("M36-biases-not-perturbed",))


# Each of both once by default; `pytest -m slow` tries the others.
@pytest.mark.parametrize(
    ("declare", "mutant"),
    [
        pytest.param(declare, mutant, marks=[] if k == n else pytest.mark.slow)
        for k, declare in enumerate(DECLARED)
        for n, mutant in enumerate(BESIDE)
    ],
)
def test_a_number_is_found_beside_conventions_and_a_mistake(declare, mutant):
    failing, passing = split(traces_of(adapter_with(*mutant, declare=declare)))
    (survivor,) = diagnose(failing, passing).survivors
    assert conventions_of(survivor) == declare
    assert {part.name for part in survivor if part.is_mutant} == set(mutant)
