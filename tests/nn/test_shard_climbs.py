from functools import partial

import numpy as np
import pytest

from minisam.nn.gradients import training_objective
from minisam.nn.losses import cross_entropy
from minisam.nn.models import mlp
from minisam.nn.shard_climbs import m_sam_gradient, one_pass, squared_norms
from minisam.optim import m_sam, sgd

MODEL = mlp((7, 5), input_shape=(2, 2, 3), classes=4)
RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.standard_normal((11, 2, 2, 3)), RNG.integers(0, 4, 11)
PARAMS = {
    key: leaf + 0.1 * RNG.standard_normal(leaf.shape)
    for key, leaf in MODEL.init(1, dtype=np.float64).items()
}
# Every number is a chain of sums, of at most 12 + 7 + 5 + 4 terms in a layer's inputs and 11 in a
# shard, forth and back and at A and at B; each rounds by u relative to terms of about 1.
TERMS = 2 * 2 * (12 + 7 + 5 + 4 + 11)
BOUND = TERMS * np.finfo(np.float64).eps


def slow(m, rho):
    """Return what `minisam.optim.m_sam` sees, shard by shard."""
    optimizer = m_sam(sgd(lr=0.1), rho)
    objective = training_objective(MODEL, cross_entropy, IMAGES, LABELS, {}, m=m)
    return optimizer.step(PARAMS, optimizer.init(PARAMS), objective)[2]


@pytest.mark.parametrize("m", [1, 2, 4, 11, 20])  # 11 examples: the last shard is smaller, or all
def test_both_passes_are_those_of_m_sam(m):
    step = slow(m, 0.3)
    loss, perturbed_loss, d2 = m_sam_gradient(PARAMS, 0.3, IMAGES, LABELS, m)
    assert loss == pytest.approx(step.loss, abs=BOUND)
    assert perturbed_loss == pytest.approx(step.perturbed_loss, abs=BOUND)
    for key, leaf in step.descent_gradient.items():
        np.testing.assert_allclose(d2[key], leaf, rtol=0, atol=BOUND)


def test_another_m_or_radius_is_another_gradient():
    found = [
        m_sam_gradient(PARAMS, rho, IMAGES, LABELS, m)[2]["fc1.weight"]
        for m, rho in ((2, 0.3), (4, 0.3), (4, 0.1))
    ]
    assert np.max(np.abs(found[0] - found[1])) > 1e3 * BOUND
    assert np.max(np.abs(found[1] - found[2])) > 1e3 * BOUND


def test_norms_are_those_of_the_shards_gradients():
    seen = one_pass(PARAMS, IMAGES[:8].reshape(2, 4, 12), LABELS[:8].reshape(2, 4))
    for part, square in zip((slice(0, 4), slice(4, 8)), squared_norms(seen), strict=True):
        objective = training_objective(MODEL, cross_entropy, IMAGES[part], LABELS[part], {})
        _, grads, _ = objective(PARAMS)
        exact = sum(float(np.sum(leaf**2)) for leaf in grads.values())
        assert square == pytest.approx(exact, rel=BOUND)


def test_a_shard_without_a_gradient_stays_where_it_is():
    sure = {key: np.zeros_like(leaf) for key, leaf in PARAMS.items()}
    sure["fc3.bias"] = np.array([1000.0, 0.0, 0.0, 0.0])  # of class 0, whatever the image
    low, high, d2 = m_sam_gradient(sure, 0.3, IMAGES[:2], np.zeros(2, int), m=1)
    assert (low, high) == (0.0, 0.0)
    assert not any(leaf.any() for leaf in d2.values())


def test_no_shard_of_no_examples():
    for m in (0, 1.5):
        with pytest.raises(ValueError, match="m must be a whole number of at least 1"):
            partial(m_sam_gradient, PARAMS, 0.1, IMAGES, LABELS)(m)
