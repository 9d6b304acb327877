"""What a network is: its initial parameters and two pure functions of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Model(NamedTuple):
    """A network as pure functions over a dict of parameters.

    Attributes:
        name: what the network is called in tables and results.
        init: (rng, dtype=float32) → params, from a `numpy.random.Generator` or an integer seed.
        initial_statistics: () → dict of batch norm's running statistics, empty without batch norm.
        apply: (params, images, statistics={}) → logits of shape (batch, classes): inference.
        apply_training: (params, images, statistics) → (logits, new statistics): batch norm uses the
            batch's own statistics. The new statistics are plain arrays without gradient; the old
            ones are not changed.
    """

    name: str
    init: Callable
    initial_statistics: Callable
    apply: Callable
    apply_training: Callable


def without_statistics(name: str, init: Callable, forward: Callable) -> Model:
    """Return the model of a network without batch norm, whose training and inference are one.

    Args:
        name: of the network.
        init: (rng, dtype) → params.
        forward: (params, images) → logits.
    """
    return Model(
        name=name,
        init=init,
        initial_statistics=dict,
        apply=lambda params, images, statistics=None: forward(params, images),
        apply_training=lambda params, images, statistics: (forward(params, images), {}),
    )
