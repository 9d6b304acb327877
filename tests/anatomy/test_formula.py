import numpy as np
import pytest

from minisam.anatomy.formula import (
    ACCURACY,
    UNNAMED,
    Sample,
    find_direction,
    find_formula,
    fitted_factors,
)
from minisam.anatomy.sums import sum_in_words

NUMBERS = (0.1, 0.25, 0.03)


def samples(make, size=9):
    """Steps with other learning rates; the target is made of lr, d1 and d2."""
    rng = np.random.default_rng(0)
    found = []
    for lr in NUMBERS:
        d1, d2, A = rng.normal(size=(3, size))
        norm = float(np.linalg.norm(d1))
        scalars = {
            ("lr", ""): (lr, 0.0),
            ("", ""): (1.0, 0.5),
            ("lr", "‖d1‖"): (lr / norm, 1.0),
        }
        found.append(Sample(make(lr, d1, d2, A), {"d2": d2, "d1": d1, "A": A}, scalars))
    return found


@pytest.mark.parametrize(("make", "text"), [
    (lambda lr, d1, d2, A: -lr * d2, "A − lr d2"),
    (lambda lr, d1, d2, A: -lr * (d1 + d2), "A − lr (d2 + d1)"),
    (lambda lr, d1, d2, A: -lr * d2 + 3 * lr * d1, "A − lr d2 + 3 lr d1"),
    (lambda lr, d1, d2, A: -lr * d1 / np.linalg.norm(d1), "A − lr d1/‖d1‖"),
    (lambda lr, d1, d2, A: -0.5 * lr * d2, "A − 1/2 lr d2"),
    (lambda lr, d1, d2, A: -0.3 * d2, "A − 0.3 d2"),
    (lambda lr, d1, d2, A: d2 - A, "d2"),
    (lambda lr, d1, d2, A: -lr * A - lr * d2, "(1 − lr) A − lr d2"),
])  # fmt: skip
def test_a_sum_is_found_and_written(make, text):
    assert sum_in_words(find_formula(samples(make)), "A") == text


def test_nothing_is_found_where_nothing_fits():
    assert find_formula(samples(lambda lr, d1, d2, A: d1 * d2)) == []
    assert find_formula(samples(lambda lr, d1, d2, A: d1 + d2 + A), most=2) == []
    two = samples(lambda lr, d1, d2, A: d1 + d2, size=2)
    assert find_formula(two) == []  # two numbers fit anything


def test_a_factor_that_no_number_explains_has_no_name():
    (term,) = find_formula(samples(lambda lr, d1, d2, A: d1[0] * d2))
    assert term.cost >= UNNAMED


def test_what_is_not_needed_in_one_step_may_be_in_another():
    def sometimes(lr, d1, d2, A):
        return -lr * d2 - (lr if lr > 0.2 else 0) * d1

    several = samples(sometimes)
    for one, lr in zip(several, NUMBERS, strict=True):
        one.scalars["momentum", ""] = (lr if lr > 0.2 else 0.0, 0.0)
    assert sum_in_words(find_formula(several), "A") == "A − lr d2 − momentum d1"


def test_a_direction_is_found_whatever_its_length():
    several = samples(lambda lr, d1, d2, A: d1[0] * (d1 - 0.5 * d2))
    assert find_formula(several)[0].cost >= UNNAMED
    assert sum_in_words(find_direction(several)) == "d2 − 2 d1"
    against = samples(lambda lr, d1, d2, A: -abs(d1[0]) * (d2 + d1))
    assert sum_in_words(find_direction(against)) == "−(d2 + d1)"
    assert find_direction(samples(lambda lr, d1, d2, A: d1 + lr * d2)) == []  # no constant share
    known = [
        one._replace(shares={**one.shares, ("lr", ""): (lr, 1.0)})
        for one, lr in zip(samples(lambda lr, d1, d2, A: d2 + lr * d1), NUMBERS, strict=True)
    ]
    assert sum_in_words(find_direction(known)) == "d2 + lr d1"


def test_two_long_vectors_whose_difference_is_the_target_explain_nothing():
    x, target = np.eye(9)[:2]
    for apart, factors in ((0.125, [-8.0, 8.0]), (2.0**-10, [])):  # 8 times the target, and 1024
        sample = Sample(target, {"x": x, "beside": x + apart * target}, {})
        assert fitted_factors(sample, ["x", "beside"], ACCURACY) == pytest.approx(factors)


@pytest.mark.fault("special-value", "anatomy")
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_is_no_sum(odd):
    x, y = np.eye(4)[:2]
    assert fitted_factors(Sample(2 * x, {"x": x, "y": y}, {}), ["x", "y"], 1e-7)
    for target, basis in ((2 * x + odd, x), (2 * x, x + odd)):
        assert not fitted_factors(Sample(target, {"x": basis, "y": y}, {}), ["x", "y"], 1e-7)
