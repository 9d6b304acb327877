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
