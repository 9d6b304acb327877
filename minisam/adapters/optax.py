"""Adapt Optax transformations: base optimizers, and SAM in both modes of ``optax.contrib.sam``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from minisam.adapters.arguments import adapter_of_maker
from minisam.adapters.protocol import (
    Adapter,
    AdapterError,
    Arrays,
    GradFn,
    Run,
    array_type,
    mark,
)
from minisam.adapters.reading import ReadingDict
from minisam.checks import check_choice

MODES = ("auto", "plain", "opaque", "transparent")


def optax(
    make: Callable[[dict, ReadingDict], Any], mode: str = "auto", updates: int = 2
) -> Adapter:
    """Make an adapter of an Optax gradient transformation.

    Args:
        make: ``(params, hyperparameters) -> transformation``. ``params`` is a dict of JAX arrays
            without the frozen ones; a scheduled ``lr`` or ``rho`` is a function of the step count.
            What ``make`` does not read, such as ``p``, the implementation is taken not to have.
        mode: ``"plain"`` for one gradient and one ``update`` a step; ``"opaque"`` for one
            ``update`` that is given ``grad_fn``; ``"transparent"`` for ``updates`` updates a step,
            each with the gradient where the last one led; ``"auto"`` asks the state of
            ``optax.contrib.sam`` which of the two it is, and takes a base optimizer for plain.
        updates: updates a step in transparent mode, ``sync_period`` of ``optax.contrib.sam``.

    Returns:
        An adapter for `minisam.oracle.check`.

    Raises:
        ValueError: if ``make`` cannot be called, or ``mode`` is none of these.

    Example:
        >>> import optax as ox  # doctest: +SKIP
        >>> adapter = optax(lambda params, hp: ox.sgd(hp["lr"]))  # doctest: +SKIP
    """
    check_choice("mode", mode, MODES)

    def begin(params: Arrays, read: ReadingDict) -> Run:
        import jax  # extras, and slow to import
        import jax.numpy as jnp
        from optax import apply_updates

        hp = read.asked
        held = hp.named(params)
        dtype = jnp.dtype(hp.dtype)
        # Functions and no lists, which JAX would take for trees.
        shown = read.showing(**{key: hp[key].__call__ for key in hp.scheduled})

        def tree(arrays: Arrays) -> dict[str, Any]:
            return {
                name: jnp.asarray(np.asarray(x), dtype)
                for name, x in zip(held, arrays, strict=True)
                if name not in hp.frozen
            }

        def arrays(tree: dict[str, Any]) -> Arrays:
            kind = array_type(hp.dtype)
            here = {name: np.array(leaf.astype(kind)) for name, leaf in tree.items()}
            return list({**held, **here}.values())

        def precision() -> Any:  # as float32 is used: without float64, unless that is on already
            return jax.enable_x64(True) if hp.dtype == "float64" else nullcontext()

        with precision():
            weights = tree(params)
            transformation = make(weights, shown)
            if not hasattr(transformation, "update"):
                raise AdapterError(f"make returned {transformation!r}, which has no update")
            state = transformation.init(weights)
        chosen = _mode(state) if mode == "auto" else mode
        rounds = updates if chosen == "transparent" else 1

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal weights, state

            def gradient(point: dict[str, Any], *_: Any) -> dict[str, Any]:
                return tree(grad_fn(arrays(point)))

            extra = {"grad_fn": gradient} if chosen == "opaque" else {}
            with precision():
                for _ in range(rounds):
                    change, state = transformation.update(
                        gradient(weights), state, weights, **extra
                    )
                    weights = apply_updates(weights, change)
                return arrays(weights)

        return run

    given = {"mode": mode, "updates": updates}
    own = {
        key: value for key, value in given.items() if value != {"mode": "auto", "updates": 2}[key]
    }
    return mark(adapter_of_maker(make, begin, "frozen"), kind="optax", arguments=own)


def _mode(state: Any) -> str:
    """Return the mode of the ``optax.contrib.sam`` that a state belongs to; plain for others."""
    if hasattr(state, "steps_since_sync"):
        return "opaque" if state.cache is None else "transparent"
    if isinstance(state, tuple):
        modes = {_mode(one) for one in state} - {"plain"}
        return modes.pop() if modes else "plain"
    return "plain"
