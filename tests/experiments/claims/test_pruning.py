import numpy as np
import pytest

from minisam.experiments.claims.pruning import (
    hessian_diagonal,
    masked_objective,
    pruned,
    pruned_in_rounds,
    saliency,
)
from minisam.nn.gradients import training_objective
from minisam.nn.losses import cross_entropy
from minisam.nn.models import mlp
from minisam.optim import sam, sgd
from minisam.sharpness import dense_hessian, flatten
from minisam.train import train


def test_saliency_is_the_rise_of_a_quadratic_at_its_minimum():
    w, h = {"fc.weight": np.array([1.0, -2.0])}, {"fc.weight": np.array([3.0, 0.5])}
    rise = [0.5 * 3.0 * 1.0**2, 0.5 * 0.5 * 2.0**2]  # of ½ Σ h (v − w)² when one v is set to 0
    np.testing.assert_allclose(saliency(w, "curvature", h)["fc.weight"], rise)
    np.testing.assert_allclose(saliency(w, "magnitude", h)["fc.weight"], [1.0, 2.0])


def test_the_diagonal_is_that_of_the_dense_hessian():
    model = mlp((4, 3), input_shape=(2, 1, 1), classes=3)
    rng = np.random.default_rng(0)
    w, x = model.init(rng, dtype=np.float64), rng.standard_normal((7, 2, 1, 1))
    w = {key: leaf + 0.3 * rng.standard_normal(leaf.shape) for key, leaf in w.items()}
    dense = dense_hessian(lambda p: cross_entropy(model.apply(p, x), np.arange(7) % 3), w)
    np.testing.assert_allclose(flatten(hessian_diagonal(w, x)), np.diag(dense), atol=1e-12)


def test_pruning_keeps_the_worthiest_of_all_layers_and_every_bias():
    w = {
        "a.weight": np.array([[1.0, 4.0]]),
        "a.bias": np.array([0.01]),
        "b.weight": np.array([3.0, 2.0]),
    }
    kept = pruned(w, {key: np.abs(leaf) for key, leaf in w.items()}, 0.5)
    np.testing.assert_array_equal(kept["a.weight"], [[0.0, 4.0]])
    np.testing.assert_array_equal(kept["b.weight"], [3.0, 0.0])
    np.testing.assert_array_equal(kept["a.bias"], w["a.bias"])
    whole = pruned(w, w, 1.0)
    np.testing.assert_array_equal(whole["b.weight"], w["b.weight"])


MODEL = mlp((6, 5), input_shape=(2, 1, 1), classes=3)
RNG = np.random.default_rng(1)
IMAGES = RNG.standard_normal((64, 2, 1, 1)).astype(np.float32)
LABELS = RNG.integers(0, 3, 64)


def more_training(params, objective):
    optimizer = sam(sgd(lr=0.1, momentum=0.9, weight_decay=1e-2), rho=0.1)
    options = {"epochs": 2, "batch_size": 16, "seed": 0, "objective": objective}
    return train(MODEL, optimizer, IMAGES, LABELS, params=params, **options).params


def zeros(params):
    return {key: leaf == 0 for key, leaf in params.items() if key.endswith("weight")}


@pytest.mark.parametrize("masked", [True, False])
def test_pruned_weights_stay_0_through_more_training_only_if_masked(masked):
    params = pruned(MODEL.init(0), MODEL.init(0), 0.4)
    mask = {key: (leaf != 0).astype(leaf.dtype) for key, leaf in params.items()}
    mask |= {key: np.ones_like(leaf) for key, leaf in params.items() if key.endswith("bias")}
    before, start = zeros(params), {key: leaf.copy() for key, leaf in params.items()}
    after = more_training(params, masked_objective(mask) if masked else training_objective)
    assert all((zeros(after)[key] == before[key]).all() for key in before) is masked
    assert all(np.any(after[key] != start[key]) for key in start)
    assert all(np.array_equal(params[key], start[key]) for key in start)


def test_rounds_prune_further_what_the_round_before_left():
    params, trainings = MODEL.init(0), []

    def worth(w):
        return {key: np.abs(leaf) for key, leaf in w.items()}

    def retrain(w, objective):
        trainings.append(w)
        return more_training(w, objective)

    shares = (1.0, 0.5, 0.25)
    networks = list(pruned_in_rounds(params, shares, worth, retrain))
    assert len(trainings) == 2
    assert networks[0] is params
    size = sum(leaf.size for leaf in zeros(params).values())
    for share, network in zip(shares, networks, strict=True):
        kept = size - sum(leaf.sum() for leaf in zeros(network).values())
        assert kept == round(share * size)
    half, quarter = (zeros(network) for network in networks[1:])
    assert all(quarter[key][half[key]].all() for key in half)


def test_weights_worth_nothing_are_kept_before_weights_that_were_pruned():
    params = {"a.weight": np.array([1.0, 2.0, 3.0, 4.0])}
    values = iter([np.arange(4.0), np.zeros(4)])  # all units are dead in the second round
    rounds = pruned_in_rounds(
        params, (0.5, 0.25), lambda w: {"a.weight": next(values)}, lambda w, _: dict(w)
    )
    assert [np.count_nonzero(network["a.weight"]) for network in rounds] == [2, 1]


@pytest.mark.parametrize("kept", [-0.1, 1.5, float("nan"), "half"])
def test_a_share_out_of_range_is_refused(kept):
    with pytest.raises(ValueError, match=r"kept must be a number in \[0, 1"):
        pruned(MODEL.init(0), MODEL.init(0), kept)


def test_shares_that_rise_are_refused():
    rounds = pruned_in_rounds(MODEL.init(0), (0.5, 0.8), dict, lambda w, _: w)
    with pytest.raises(ValueError, match=r"shares must not rise.*\(0\.5, 0\.8\)"):
        list(rounds)
