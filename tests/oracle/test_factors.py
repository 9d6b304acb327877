import numpy as np
import pytest
from oracle.seen import adapter_with, traces_of

from minisam.oracle.factors import Ascent, are_multiples, factor_of, factors_of
from minisam.oracle.parts import convention_part, mutant_part

NOTHING = convention_part({})


def seen(*names, declare=None, slug="sam-gradient-1e-3", dtype="float64"):
    (trace,) = traces_of(adapter_with(*names, declare=declare), ("sam", "asam"), dtype, (slug,))
    return trace


@pytest.mark.parametrize("slug", ["sam-gradient-1e-3", "asam-gradient-1e-3"])
def test_a_right_climb_is_divided_by_its_norm_within_the_error(slug):
    found = factors_of((), seen(slug=slug), NOTHING)
    assert len(found) == 2  # a climb in each step
    for one in found:
        assert one.low <= one.length <= one.high
        assert one.high - one.low < 1e-9 * one.length


def test_each_tensor_says_its_own_where_each_has_a_norm():
    declare = {"norm_scope": "per_tensor"}
    found = factors_of((convention_part(declare),), seen(declare=declare), NOTHING)
    assert len({one.length for one in found}) == 6
    assert all(one.low <= one.length <= one.high for one in found)


def test_what_else_is_at_work_is_taken_into_account():
    trace = seen("M12-twice-the-radius")
    assert all(
        np.isclose([one.low, one.high], one.length / 2, rtol=1e-9).all()
        for one in factors_of((), trace, NOTHING)
    )
    for one in factors_of((mutant_part("M12-twice-the-radius"),), trace, NOTHING):
        assert one.low <= one.length <= one.high


def test_a_climb_in_another_direction_says_nothing():
    assert factors_of((), seen("M06-sign"), NOTHING) == []
    assert factors_of((), seen("M07-downhill"), NOTHING) == []


def test_a_decay_in_the_loss_is_part_of_what_is_climbed_along():
    trace = seen(slug="sam-decay-in-loss")
    found = factors_of((), trace, NOTHING)
    assert len(found) == len(trace.steps)
    assert all(one.low <= one.length <= one.high for one in found)


def test_what_moves_where_the_direction_is_zero_says_nothing():
    def told(b):
        A, along = np.array([1.0, 2.0]), np.array([1.0, 0.0])
        return factor_of(Ascent(A, np.array([1.5, b]), along, 0.5, 1.0, "float64"))

    (one,) = told(2.0)
    assert one.low <= 1.0 <= one.high
    assert told(2.25) == []


@pytest.mark.parametrize(("names", "declare", "yes"), [
    ((), {"norm_dtype": "float32"}, True),
    ((), {"norm_epsilon": 1e-12}, True),
    (("M12-twice-the-radius",), None, True),
    (("M74-perturbation-in-half-precision",), None, False),
    (("M06-sign",), None, False),
])  # fmt: skip
def test_a_norm_of_fewer_digits_makes_a_multiple_and_a_direction_of_fewer_does_not(
    names, declare, yes
):
    assert are_multiples((), [seen(*names, declare=declare)], NOTHING) == yes


def test_what_is_added_to_a_norm_changes_no_direction():
    added = (convention_part({"norm_epsilon": 1e-6}),)
    for names, yes in (((), True), (("M74-perturbation-in-half-precision",), False)):
        trace = seen(*names, declare={"norm_epsilon": 1e-6})
        assert are_multiples(added, [trace], NOTHING) == yes
        assert factors_of(added, trace, NOTHING) == []  # it is known


@pytest.mark.parametrize(("slug", "dtype"), [
    ("sam-p-inf", "float64"),  # its climb has no norm that is divided by
    ("sam-gradient-1e-3", "float32"),  # ε is as rough as all of it
])  # fmt: skip
def test_only_of_float64_and_the_euclidean_norm_something_is_told(slug, dtype):
    assert are_multiples((), [seen("M06-sign", slug=slug, dtype=dtype)], NOTHING)
    assert not are_multiples((), [seen("M06-sign")], NOTHING)


def test_what_is_frozen_takes_part_in_a_norm_by_its_gradient():
    trace, part = seen("M115-frozen-in-the-norm", slug="sam-frozen"), "M115-frozen-in-the-norm"
    for one in factors_of((mutant_part(part),), trace, NOTHING):
        assert one.low <= one.length <= one.high


def test_a_group_with_a_radius_of_its_own_makes_no_other_direction():
    assert are_multiples((), [seen(slug="sam-groups-rho")], NOTHING)


def test_where_there_is_no_climb_all_is_a_multiple():
    assert are_multiples((), [seen(slug="sam-gradient-zero")], NOTHING)
    assert are_multiples((), [seen(slug="sam-rho-zero")], NOTHING)


def test_of_a_split_batch_nothing_is_told():
    """Its second point is A again, for the other half."""
    assert factors_of((), seen(slug="sam-shards"), NOTHING) == []


def test_what_is_no_climb_or_no_number_tells_nothing():
    ascent = Ascent(np.zeros(2), np.ones(2), np.ones(2), 0.5, 1.0, "float64")
    assert ascent.tells
    for less in (
        {"rho": 0.0},
        {"along": np.zeros(2)},
        {"along": np.array([1.0, np.inf])},
        {"B": np.array([1.0, np.nan])},
    ):
        assert not ascent._replace(**less).tells
        assert factor_of(ascent._replace(**less)) == []


@pytest.mark.fault("special-value", "oracle.factors")
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_says_nothing(odd):
    told = {"A": np.array([1.0, 2.0]), "B": np.array([1.5, 2.5]), "along": np.array([1.0, 1.0])}
    assert factor_of(Ascent(**told, rho=0.5, length=1.0, dtype="float64"))
    for name, x in told.items():
        strange = {**told, name: np.add(x, [0.0, odd])}
        assert not factor_of(Ascent(**strange, rho=0.5, length=1.0, dtype="float64")), name
