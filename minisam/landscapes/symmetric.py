"""Losses that stay the same when their weights are rescaled, while their sharpness changes.

Double one layer of a ReLU network and halve the next: the function is unchanged, the Hessian is
not. SAM's ball does not follow such a change, ASAM's does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from minisam.landscapes.landscape import Landscape, Minimum


def curved_valley(features: int = 1, target: float = 1.0) -> Landscape:
    """Return L(u, v) = ½ (u·v − y)², a two-layer linear network with one example.

    Minima: every (u, v) with u·v = y, of value 0, with the one curvature ‖u‖² + ‖v‖² across the
    valley's curved floor. The flattest has curvature 2|y|, at ‖u‖ = ‖v‖; for y = 1 it is t² + t⁻²
    at (t, 1/t). (`Landscape.minima` has the flattest along the first axes.)

    Args:
        features: length k of u and of v; a point is (u, v), of shape (2k,).
        target: y.

    Example:
        >>> valley = curved_valley()
        >>> float(valley.loss(np.array([4.0, 0.25]))), valley.minima[0].curvature
        (0.0, array([2., 0.]))
    """
    k = features
    flattest = np.zeros(2 * k)
    flattest[[0, k]] = np.sqrt(abs(target)) * np.array([1.0, np.sign(target)])

    def residual(w: Any) -> Any:
        return anp.sum(w[..., :k] * w[..., k:], axis=-1) - target

    return Landscape(
        loss=lambda w: 0.5 * residual(w) ** 2,
        slope=lambda w: residual(w)[..., None] * np.roll(w, k, axis=-1),
        minima=(Minimum(flattest, np.append(2.0 * abs(target), np.zeros(2 * k - 1))),),
    )


def rayleigh_quotient(spectrum: Sequence[float]) -> Landscape:
    """Return L(w) = ½ Σ λᵢwᵢ²/‖w‖², which is the same at w and at cw for every c ≠ 0.

    Minima: the axes of the smallest λ, of value ½ min λ, with curvatures (λᵢ − min λ)/‖w‖².
    `Landscape.minima` has the one of length 1 on the first such axis.

    Args:
        spectrum: λ, of any sign, of shape (n,).

    Example:
        >>> L = rayleigh_quotient([3.0, 1.0])
        >>> float(L.loss(np.array([1.0, 1.0]))), float(L.loss(np.array([7.0, 7.0])))
        (1.0, 1.0)
    """
    curvature = np.asarray(spectrum, dtype=float)
    lowest = int(np.argmin(curvature))
    gaps = np.sort(curvature - curvature[lowest])[::-1]

    def loss(w: np.ndarray) -> np.ndarray:
        return 0.5 * anp.sum(curvature * w**2, axis=-1) / anp.sum(w**2, axis=-1)

    def slope(w: Any) -> Any:
        square = np.sum(w**2, axis=-1, keepdims=True)
        quotient = np.sum(curvature * w**2, axis=-1, keepdims=True) / square
        return (curvature - quotient) * w / square

    return Landscape(
        loss=loss,
        slope=slope,
        minima=(Minimum(np.eye(len(curvature))[lowest], gaps, 0.5 * float(curvature[lowest])),),
    )


def relu_network(inputs: np.ndarray, targets: np.ndarray, hidden: int) -> Landscape:
    """Return L(W, v) = ½ Σₖ (vᵀ relu(W xₖ) − yₖ)², the smallest network that can be rescaled.

    `rescale_nodes` multiplies the weights into a hidden node by c > 0 and those out of it by 1/c,
    and leaves L unchanged.

    Args:
        inputs: X of shape (examples, features).
        targets: y of shape (examples,).
        hidden: number h of hidden nodes; a point is (W, v) with W of shape (h, features), flattened
            to h · features + h numbers.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> L = relu_network(rng.normal(size=(5, 2)), rng.normal(size=5), hidden=3)
        >>> w = rng.normal(size=9)
        >>> same = rescale_nodes(w, np.array([2.0, 0.5, 8.0]))
        >>> bool(np.isclose(L.loss(w), L.loss(same))), bool(np.allclose(w, same))
        (True, False)
    """
    X, y = np.asarray(inputs, dtype=float), np.asarray(targets, dtype=float)
    features = X.shape[1]

    def layers(w: np.ndarray) -> tuple:
        W = anp.reshape(w[..., : hidden * features], (*w.shape[:-1], hidden, features))
        return W, w[..., hidden * features :]

    def loss(w: np.ndarray) -> np.ndarray:
        W, v = layers(w)
        before = anp.einsum("...hf,kf->...kh", W, X)
        output = anp.einsum("...kh,...h->...k", before * (before > 0), v)
        return 0.5 * anp.sum((output - y) ** 2, axis=-1)

    def slope(w: np.ndarray) -> np.ndarray:
        W, v = layers(w)
        before = np.einsum("...hf,kf->...kh", W, X)
        active = before * (before > 0)
        residual = np.einsum("...kh,...h->...k", active, v) - y
        to_v = np.einsum("...k,...kh->...h", residual, active)
        to_W = np.einsum("...k,...kh,...h,kf->...hf", residual, 1.0 * (before > 0), v, X)
        return np.concatenate([to_W.reshape(*w.shape[:-1], -1), to_v], axis=-1)

    return Landscape(loss=loss, slope=slope)


def rescale_nodes(w: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiply the weights into each hidden node of `relu_network` by c, those out of it by 1/c.

    Args:
        w: the point (W, v), of shape (h · features + h,).
        factors: c > 0, of shape (h,).

    Example:
        >>> rescale_nodes(np.array([1.0, 2.0, 3.0]), np.array([4.0]))
        array([4.  , 8.  , 0.75])
    """
    hidden = len(factors)
    W, v = w[:-hidden], w[-hidden:]
    return np.concatenate([W * np.repeat(factors, len(W) // hidden), v / factors])
