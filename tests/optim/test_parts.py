import numpy as np
import pytest

from minisam.optim.parts import sam_parts
from minisam.optim.perturbation import sam_perturbation
from minisam.optim.sam import sam
from minisam.optim.sgd import sgd

W = {"w": np.array([3.0, -4.0])}


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_the_parts_are_those_of_sam(p):
    base = sgd(lr=0.1, momentum=0.9)
    radius, climb, init = sam_parts(base, lambda count: 0.5 / (count + 1), p)
    assert [radius(count) for count in range(2)] == [0.5, 0.25]
    np.testing.assert_array_equal(climb(W, W, 0.5)["w"], sam_perturbation(W, W, 0.5, p)["w"])
    assert init(W) == sam(base, 0.5, p).init(W)


def test_another_climb_takes_the_place_of_sams():
    def stay(params, grads, rho):
        return {"w": np.zeros(2)}

    assert sam_parts(sgd(lr=0.1), 0.5, perturb=stay).climb is stay


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"base": 3}, "base must be a base optimizer"),
        ({"rho": -1.0}, r"rho must be a number in \[0, inf\), got -1.0"),
        ({"p": 0.5}, r"p must be a number in \[1, inf\], got 0.5"),
        ({"perturb": 2}, "perturb must be a function"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        sam_parts(**{"base": sgd(lr=0.1), "rho": 0.5, **arguments})
