import numpy as np
import pytest

from minisam.finite import NonFiniteError, check_finite, checker


def test_large_but_finite_gradients_pass():
    check_finite(1.0, {"w": np.full(3, 1e200), "v": np.full(3, 1e30, np.float32)}, "step 0")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_values_are_named(bad):
    with pytest.raises(NonFiniteError, match="the gradient of 'b' is not finite"):
        check_finite(1.0, {"a": np.ones(2), "b": np.array([1.0, bad])}, "step 0")
    with pytest.raises(NonFiniteError, match=f"step 0: the loss is {bad}"):
        check_finite(bad, {"a": np.ones(2)}, "step 0")


def test_the_pass_is_named():
    results = iter([(1.0, {}), (np.nan, {})])
    objective = checker(2, 41)(lambda params: next(results))
    objective({})
    with pytest.raises(NonFiniteError, match=r"step 41 \(epoch 3\), at B: the loss is nan"):
        objective({})


def test_what_an_objective_carries_goes_along_and_its_shards_are_checked_too():
    def objective(params):
        return 1.0, params

    def broken(params):
        return np.inf, params

    objective.hessian_product = object()
    objective.shards, objective.sizes = [lambda params: (1.0, params), broken], [3, 1]
    checked = checker(0, 7)(objective)
    assert (checked.hessian_product, checked.sizes) == (objective.hessian_product, [3, 1])
    sound, bad = checked.shards
    sound({}), sound({})
    with pytest.raises(NonFiniteError, match=r"step 7 \(epoch 1\), at A: the loss is inf"):
        bad({})
