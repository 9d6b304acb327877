import numpy as np
import pytest

from minisam.adapters.library import adapter_of, library
from minisam.oracle.protocol import HYPERPARAMETERS, observe
from minisam.oracle.recipe import build, optimizer, recipe_of

NAMES = ["a.weight", "a.bias", "b.weight"]
SHAPES = [(2, 3), (3,), (4,)]
SETTINGS = [
    {"method": "sgd", "momentum": 0.9, "weight_decay": 0.1, "decay": "decoupled"},
    {"method": "sam"},
    {"method": "sam", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "lr": [0.1, 0.3]},
    {"method": "sam", "p": np.inf, "rho": [0.1, 0.2]},
    {"method": "sam", "weight_decay": 0.1, "decay": "in_loss"},
    {"method": "asam", "rho": 0.5},
    {"method": "asam", "p": 1.5, "eta": 0.0, "scope": "all", "momentum": 0.5},
    {"method": "sam", "frozen": ["a.bias"]},
]


def wavy(point):
    return [np.sin(3 * w + i) + w / 3 for i, w in enumerate(point)]


def steps_of(adapter, setting, dtype):
    rng = np.random.default_rng(1)
    w = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    run = adapter(w, {**HYPERPARAMETERS, **setting, "names": NAMES})
    ends = []
    for _ in range(4):
        seen = observe(run, w, lambda point: [g.astype(dtype) for g in wavy(point)])
        w = seen.end
        ends.append(np.concatenate([leaf.ravel() for leaf in w]))
    return np.array(ends)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_the_unchanged_recipe_is_the_library_bit_for_bit(setting, dtype):
    recipe = adapter_of(lambda hp: build(recipe_of(hp)))
    expected = steps_of(library, setting, dtype)
    assert expected.dtype == dtype
    np.testing.assert_array_equal(steps_of(recipe, setting, dtype), expected)


def test_the_reference_leaves_frozen_tensors_alone():
    adapter = adapter_of(optimizer)
    w = [np.ones(2), np.ones(3)]
    hp = {**HYPERPARAMETERS, "names": ["a", "b"], "frozen": ["b"]}
    seen = observe(adapter(w, hp), w, wavy)
    np.testing.assert_array_equal(seen.queries[1][1], w[1])
    np.testing.assert_array_equal(seen.end[1], w[1])
    assert (seen.end[0] != w[0]).all()
