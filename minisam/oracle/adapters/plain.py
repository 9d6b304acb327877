"""A plain function as an adapter: ``step(w, grad_fn, **hyperparameters) -> w``."""

from minisam.oracle.protocol import plain

__all__ = ["plain"]
