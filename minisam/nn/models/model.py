"""A network: its initial parameters, and two pure functions of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.checks import check_whole


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


def whole_sizes(**sizes: Any) -> tuple[int, ...]:
    """Return sizes as Python's integers, in order, or raise ValueError naming one below 1.

    Example:
        >>> whole_sizes(width=np.int8(64), heads=0)
        Traceback (most recent call last):
        ...
        ValueError: heads must be a whole number of at least 1, got 0
    """
    return tuple(check_whole(name, size, low=1) for name, size in sizes.items())


def as_sizes(name: str, sizes: Any, length: int | None = None) -> tuple[int, ...]:
    """Return a sequence of sizes as Python's integers.

    Args:
        name: of the argument.
        sizes: what was given for it.
        length: how many numbers there must be; None for any, and none.

    Raises:
        ValueError: unless ``sizes`` is a sequence of whole numbers of at least 1.

    Example:
        >>> as_sizes("hidden", (256))
        Traceback (most recent call last):
        ...
        ValueError: hidden must be a sequence of whole numbers such as (256,), got 256
    """
    if not is_sequence(sizes):
        such_as = "(256,)" if length is None else repr((32, 32, 3)[:length])
        raise ValueError(
            f"{name} must be a sequence of whole numbers such as {such_as}, got {sizes!r}"
        )
    if length is not None and len(sizes) != length:
        raise ValueError(f"{name} must hold {length} whole numbers, got {sizes!r}")
    return tuple(check_whole(f"{name}[{index}]", size, low=1) for index, size in enumerate(sizes))


def is_sequence(sizes: Any) -> bool:
    """Tell a sequence or an array, which can be walked through again and again, from the rest."""
    if isinstance(sizes, np.ndarray):
        return sizes.ndim > 0
    return isinstance(sizes, Sequence) and not isinstance(sizes, str | bytes)


def check_images(images: Any, *shape: int | None) -> None:
    """Raise ValueError unless images are real numbers of shape (batch, *shape), at least one.

    Args:
        images: an array, or one that is being differentiated.
        shape: of one image, None for any size; nothing for an image of any shape.

    Example:
        >>> check_images(np.zeros((0, 32, 32, 3)), None, None, 3)
        Traceback (most recent call last):
        ...
        ValueError: images must be real numbers of shape (batch, any, any, 3), at least one of them,
        got float64 of shape (0, 32, 32, 3)
    """
    array = hasattr(images, "dtype")
    got = images.shape if array else ()
    numbers = len(got) > 0 and 0 not in got and images.dtype.kind in "fiub"
    same = len(got) == 1 + len(shape) and all(
        b in (None, a) for a, b in zip(got[1:], shape, strict=True)
    )
    if not (numbers and (same or not shape)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape) or "…"
        kind = f"{images.dtype} of shape {got}" if array else f"a {type(images).__name__}"
        raise ValueError(
            f"images must be real numbers of shape (batch, {wanted}), at least one of them, "
            f"got {kind}"
        )
