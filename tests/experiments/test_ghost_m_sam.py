import numpy as np
import pytest

from minisam.experiments.ghost_m_sam import ghost_m_sam, ghost_objective
from minisam.nn.gradients import training_objective
from minisam.nn.losses import cross_entropy
from minisam.nn.models import mlp
from minisam.optim import m_sam, sgd
from minisam.train import NonFiniteError, train

MODEL = mlp((6,), input_shape=(2, 2, 3), classes=3)
RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((10, 2, 2, 3))
LABELS = RNG.integers(0, 3, 10)
BASE = sgd(lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-2)


def test_a_step_is_that_of_m_sam():
    w = MODEL.init(0, dtype=np.float64)
    pairs = (
        (m_sam(BASE, 0.2), training_objective(MODEL, cross_entropy, IMAGES, LABELS, {}, m=4)),
        (ghost_m_sam(BASE, 0.2), ghost_objective(MODEL, cross_entropy, IMAGES, LABELS, {}, m=4)),
    )
    (slow, _, theirs), (fast, state, ours) = (
        optimizer.step(w, optimizer.init(w), objective) for optimizer, objective in pairs
    )
    assert state.count == 1
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-13)
    for key, leaf in slow.items():  # as close as the gradients, see tests/nn/test_shard_climbs.py
        np.testing.assert_allclose(fast[key], leaf, rtol=0, atol=1e-13)


def test_a_run_that_diverges_says_at_which_step():
    def objective(*arguments):
        return ghost_objective(*arguments, m=2)

    with pytest.raises(NonFiniteError, match="step "):
        train(
            MODEL, ghost_m_sam(sgd(lr=1e200), 0.1), IMAGES, LABELS, epochs=5, batch_size=4,
            objective=objective,
        )  # fmt: skip


def test_another_objective_is_refused_by_name():
    w = MODEL.init(0)
    optimizer = ghost_m_sam(BASE, 0.1)
    plain = training_objective(MODEL, cross_entropy, IMAGES, LABELS, {})
    with pytest.raises(ValueError, match="ghost"):
        optimizer.step(w, optimizer.init(w), plain)
