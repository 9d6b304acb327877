import numpy as np
import pytest

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.library import adapter_of, library
from minisam.adapters.protocol import HYPERPARAMETERS, Unsupported, observe
from minisam.trees import norm
from minisam.variants.mutants import MUTANTS, mutant_adapter
from minisam.variants.recipe import build, optimizer, recipe_of

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


def test_a_recipe_says_what_was_changed():
    recipe = recipe_of(HYPERPARAMETERS)
    assert recipe.changed == frozenset()
    other = recipe.having(norm=lambda now, g: 1.0).having(second=lambda now: now.d1)
    assert other.changed == {"norm", "second"}
    assert recipe.changed == frozenset()


def twice_as_long(recipe):
    return recipe.having(norm=lambda now, g: 0.5 * norm(g))


@pytest.mark.parametrize("p", [1, np.inf, 3])
@pytest.mark.parametrize("method", ["sam", "asam"])
def test_a_change_of_the_climb_is_refused_where_it_would_be_lost(method, p):
    """The formula that it changes is that of p = 2."""
    hp = {"method": method, "p": p}
    with pytest.raises(Unsupported, match=f"no recipe with p = {p} has another norm"):
        steps_of(mutant_adapter(twice_as_long), hp, np.float64)
    hp["p"] = 2
    found = steps_of(mutant_adapter(twice_as_long), hp, np.float64)
    assert (found != steps_of(library, hp, np.float64)).any()


def test_changes_beside_the_climb_work_for_every_p():
    hp = {"method": "sam", "p": 1}
    downhill = MUTANTS["M07-downhill"].adapter
    assert (steps_of(downhill, hp, np.float64) != steps_of(library, hp, np.float64)).any()


def test_a_change_that_puts_back_what_was_there_is_a_change_all_the_same():
    """What counts is what a change says, not which function it happens to be."""
    standard = recipe_of(HYPERPARAMETERS).norm
    again = mutant_adapter(lambda recipe: recipe.having(norm=standard))
    expected = steps_of(library, {"method": "sam"}, np.float64)
    np.testing.assert_allclose(steps_of(again, {"method": "sam"}, np.float64), expected, rtol=1e-14)


@pytest.mark.parametrize("method", ["gsam", "m_sam", "exact_sam"])
def test_a_follow_up_is_not_taken_apart(method):
    hp = {**HYPERPARAMETERS, "method": method}
    optimizer(hp)
    with pytest.raises(Unsupported, match=f"{method} is not taken apart"):
        optimizer(hp, [twice_as_long])


@pytest.mark.parametrize("method", ["sam", "asam", "gsam", "wsam"])
def test_the_reference_asks_each_shard_and_averages(method):
    rng = np.random.default_rng(4)
    w, centres = {"weight": rng.normal(size=3)}, rng.normal(size=(2, 3))
    asked = []

    def value_and_grad(point, shard):
        asked.append(shard)
        return 0.0, {"weight": point["weight"] - centres[shard]}

    def whole(point):
        return 0.0, {"weight": point["weight"] - centres.mean(axis=0)}

    opt = optimizer({**HYPERPARAMETERS, "method": method, "shards": 2})
    found, _, _ = opt.step(w, opt.init(w), value_and_grad)
    assert asked == [0, 1, 0, 1]
    one = optimizer({**HYPERPARAMETERS, "method": method})
    expected, _, _ = one.step(w, one.init(w), whole)
    np.testing.assert_allclose(found["weight"], expected["weight"], rtol=0, atol=1e-14)


def test_a_parameter_group_climbs_as_far_as_its_own_radius():
    w = {"a.weight": np.array([3.0, 0.0]), "a.bias": np.array([4.0])}
    groups = ({"names": ["a.bias"], "rho": 2.5},)
    hp = HyperParameters(method="sam", rho=0.5, lr=0.0, names=list(w), groups=groups)
    _, _, step = optimizer(hp).step(w, optimizer(hp).init(w), lambda w: (0.0, w))
    # one norm, 5
    np.testing.assert_allclose(step.perturbation["a.weight"], [0.3, 0.0], rtol=1e-15)
    np.testing.assert_allclose(step.perturbation["a.bias"], [2.0], rtol=1e-15)
