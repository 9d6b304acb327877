import numpy as np
import pytest

from minisam import trees
from minisam.adapters.protocol import HYPERPARAMETERS
from minisam.rounding import UNITS, Rounded, exact, to_unit
from minisam.variants.recipe import optimizer


def test_what_is_not_known_of_a_function_is_refused():
    with pytest.raises(TypeError, match="cos"):
        np.cos(exact(1.0))
    with pytest.raises(TypeError, match="median"):
        np.median(exact([1.0, 2.0]))


def test_adding_in_place_makes_a_new_number():
    x = y = exact(1.0)
    x += 1.0
    x *= 3.0
    assert (x.value, y.value) == (6.0, 1.0)


def test_a_plain_computation_asks_for_no_care():
    """Its range is float64's, so that nothing is rescaled; it may have lost all squares."""
    tiny = {"w": np.array([3e-26, 4e-26])}
    careful = {"w": exact(tiny["w"], "float32")}
    plainly = {"w": exact(tiny["w"], UNITS["float32"]._replace(plain=True))}
    assert trees.norm(careful).bound < 1e-6 * 5e-26
    assert trees.norm(plainly).bound >= trees.norm(plainly).value == pytest.approx(5e-26)
    wide = {"w": exact(tiny["w"], UNITS["float64"]._replace(plain=True)).astype("float32")}
    assert trees.norm(wide).bound >= trees.norm(wide).value  # as plain as before


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("method", ["sgd", "sam", "asam"])
def test_the_library_runs_on_error_carrying_numbers(method, dtype):
    rng = np.random.default_rng(0)
    settings = {"method": method, "momentum": 0.9, "weight_decay": 0.01}
    opt = optimizer({**HYPERPARAMETERS, **settings})

    def numbers():
        return exact(to_unit(rng.normal(size=5), UNITS[dtype]), dtype)

    w = {"weight": numbers()}
    state = opt.init(w)
    for _ in range(2):
        new, state, _ = opt.step(w, state, lambda point: (0.0, {"weight": numbers()}))
        assert isinstance(new["weight"], Rounded)
        assert np.all(new["weight"].bound > 0)
        assert np.all(new["weight"].bound < 100 * UNITS[dtype].u)


def test_a_zero_learning_rate_has_no_room_for_error():
    opt = optimizer({**HYPERPARAMETERS, "lr": 0.0})
    w = {"weight": exact([0.1, 0.2], "float64")}
    grads = {"weight": exact([0.3, 0.4], "float64")}
    new, _, _ = opt.step(w, opt.init(w), lambda point: (0.0, grads))
    np.testing.assert_array_equal(new["weight"].bound, 0.0)
