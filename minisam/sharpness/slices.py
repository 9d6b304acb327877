"""The loss along a line and over a plane through the weights, in filter-normalized directions.

    f(a) = L(w + a d),        f(a, b) = L(w + a d + b e).

A random direction says little as it is: a network whose weights are small looks sharp along it, one
whose weights are large looks flat, though batch norm or a rescaling may make both the same
function. Li et al. therefore give each filter of the direction the norm of the filter it moves,

    d_{ij} ← d_{ij} / ‖d_{ij}‖ · ‖w_{ij}‖        (filter j of layer i),

and leave biases and batch-norm parameters where they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minisam.nn.gradients import real_scalar
from minisam.sharpness.hessian import Loss
from minisam.trees import (
    Params,
    add_scaled,
    check_floating,
    check_same_structure,
    inner,
    norm,
    scale,
    subtract,
    well_scaled,
)


class LossSlice(NamedTuple):
    """The loss along a line: ``losses[i]`` = L(w + x[i] d)."""

    x: np.ndarray
    losses: np.ndarray


class LossPlane(NamedTuple):
    """The loss over a plane, for contour plots: ``losses[j, i]`` = L(w + x[i] d + y[j] e)."""

    x: np.ndarray
    y: np.ndarray
    losses: np.ndarray


def filter_normalized_direction(params: Params, rng: np.random.Generator) -> Params:
    """Draw a Gaussian direction whose every filter has the norm of the weights' filter.

    A filter is everything that feeds one output: a slice along the last axis of a tensor with two
    or more axes. Tensors with one axis (biases, batch norm) do not move.

    Args:
        params: dict of arrays, the weights w.
        rng: generator of the direction.

    Returns:
        d, of the structure of ``params``.

    Example:
        >>> w = {"fc.weight": np.array([[3.0, 0.0], [4.0, 1.0]]), "fc.bias": np.ones(2)}
        >>> d = filter_normalized_direction(w, np.random.default_rng(0))
        >>> np.linalg.norm(d["fc.weight"], axis=0).round(6), d["fc.bias"]
        (array([5., 1.]), array([0., 0.]))

    Source:
        Li et al. 2018, "Visualizing the loss landscape of neural nets", arXiv 1712.09913,
        section 4.
    """
    check_floating(params, "params")

    def normalized(w: np.ndarray) -> np.ndarray:
        d = rng.standard_normal(np.shape(w))  # drawn for every tensor: the stream stays in step
        if np.ndim(w) < 2:
            return np.zeros_like(w)
        axes = tuple(range(np.ndim(w) - 1))
        largest = np.max(np.abs(w), axis=axes, initial=0).astype(np.float64)
        size = np.where(largest > 0, largest, 1.0)  # so that no square over- or underflows
        target = size * np.sqrt(np.sum(np.square(w / size), axis=axes))
        return (d / np.sqrt(np.sum(d**2, axis=axes)) * target).astype(np.asarray(w).dtype)

    return {key: normalized(leaf) for key, leaf in params.items()}


def plane_through(origin: Params, first: Params, second: Params) -> tuple[Params, Params, float]:
    """Return orthonormal directions of the plane through three points.

    Args:
        origin: the point at (0, 0), dict of arrays.
        first: a second point, which lands on the x axis.
        second: a third point, not on the line through the other two.

    Returns:
        d, e and ‖first − origin‖: first lies at (that length, 0).

    Raises:
        ValueError: when the three points lie on a line, or are not floating-point.

    Example:
        >>> at = lambda *w: {"w": np.array(w)}
        >>> d, e, length = plane_through(at(0.0, 0.0), at(2.0, 0.0), at(1.0, 3.0))
        >>> d["w"], e["w"], float(length)
        (array([1., 0.]), array([0., 1.]), 2.0)
    """
    for point, name in ((origin, "origin"), (first, "first"), (second, "second")):
        check_floating(point, name)
        check_same_structure(origin, point, name)
    u, v = subtract(first, origin), subtract(second, origin)
    d, length = _unit(u)
    if not np.isfinite(length):
        raise ValueError("origin and first must be finite to span a plane")
    if not length > 0:
        raise ValueError("first must differ from origin to span a plane")
    e, height = _unit(add_scaled(v, -inner(d, v), d))
    if not height > 1e-6 * float(norm(v)):
        raise ValueError("the three points lie on a line and span no plane")
    return d, e, length


def _unit(u: Params) -> tuple[Params, float]:
    """Return u / ‖u‖, or u itself where it is 0, and ‖u‖."""
    scaled, s, square = well_scaled(u)
    length = np.sqrt(square)
    return scale(1 / length, scaled) if length > 0 else u, float(length / s)


def _coordinates(name: str, x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 1 or x.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be numbers of shape (points,), got {x.dtype} of {x.shape}")
    return x.astype(np.float64)


def _direction(name: str, direction: Params, params: Params) -> Params:
    check_same_structure(params, direction, name)
    check_floating(direction, name, integers=True)
    return direction


def _along(loss: Loss, start: Params, direction: Params, x: np.ndarray) -> np.ndarray:
    """Return L(start + xᵢ d) for each xᵢ, a Python float, which lifts no float32 to float64."""
    return np.array(
        [float(real_scalar(loss(add_scaled(start, a, direction)))) for a in x.tolist()], np.float64
    )


def loss_slice(loss: Loss, params: Params, direction: Params, x: np.ndarray) -> LossSlice:
    """Evaluate the loss along a line.

    Args:
        loss: params -> scalar.
        params: dict of arrays, w, at x = 0.
        direction: d, dict of arrays.
        x: coordinates, shape (points,), in units of ‖d‖ (of the filters' own norms for a
            filter-normalized direction: x = 1 moves each filter by its length).

    Example:
        >>> loss_slice(lambda p: (p["w"] ** 2).sum(), {"w": np.ones(1)}, {"w": np.ones(1)},
        ...            np.array([-1.0, 0.0, 1.0])).losses
        array([0., 1., 4.])
    """
    check_floating(params, "params")
    x, direction = _coordinates("x", x), _direction("direction", direction, params)
    return LossSlice(x, _along(loss, params, direction, x))


def loss_plane(
    loss: Loss, params: Params, directions: tuple[Params, Params], x: np.ndarray, y: np.ndarray
) -> LossPlane:
    """Evaluate the loss over a plane.

    Args:
        loss: params -> scalar.
        params: dict of arrays, w, at (0, 0).
        directions: (d, e), two dicts of arrays.
        x: coordinates along d, shape (columns,).
        y: coordinates along e, shape (rows,).

    Example:
        >>> w, d, e = ({"w": np.array(v)} for v in ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0]))
        >>> loss_plane(lambda p: p["w"][0] + 10 * p["w"][1], w, (d, e), [0, 1], [0, 2]).losses
        array([[ 0.,  1.],
               [20., 21.]])
    """
    check_floating(params, "params")
    if len(directions) != 2:
        raise ValueError(f"directions must be two, d and e, got {len(directions)}")
    d, e = (_direction("directions", direction, params) for direction in directions)
    x, y = _coordinates("x", x), _coordinates("y", y)
    rows = [_along(loss, add_scaled(params, b, e), d, x) for b in y.tolist()]
    return LossPlane(x, y, np.array(rows).reshape(y.size, x.size))
