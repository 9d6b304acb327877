"""The largest loss near a point: what SAM minimizes, without SAM's one-step approximation.

    sharpness(w) = max_{‖T⁻¹ε‖₂ ≤ ρ} L(w + ε) − L(w),      T = I, or ASAM's operator T_w.

SAM takes one gradient step to the boundary of the ball. Here the maximum is sought by projected
ascent in the coordinates u = T⁻¹ε, in which the ball is round:

    u ← Π_ρ(u + a ρ T g / ‖T g‖),     g = ∇L(w + T u),     Π_ρ(u) = u · min(1, ρ/‖u‖).

The first step from u = 0 with a = 1 *is* SAM's perturbation (ASAM's with T_w). A step that does not
raise the loss is taken back and a is halved, so the result is never below SAM's own sharpness. It
is a lower bound of the true maximum, which for a network nobody can compute: restarts from random
points of the ball make it tighter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minisam import trees
from minisam.checks import check_number, check_whole
from minisam.nn.gradients import value_and_grad
from minisam.sharpness.hessian import Loss
from minisam.trees import Params


class WorstCase(NamedTuple):
    """The worst point that was found in the ball.

    Attributes:
        rise: L(w + ε) − L(w), the sharpness; never negative.
        loss: L(w).
        perturbation: ε, a dict of arrays.
        losses: best loss after each evaluation of the best start, which never falls.
        evaluations: number of loss-and-gradient evaluations spent in all.
    """

    rise: float
    loss: float
    perturbation: Params
    losses: np.ndarray
    evaluations: int


def worst_case(
    loss: Loss,
    params: Params,
    rho: float,
    steps: int = 20,
    restarts: int = 0,
    rng: np.random.Generator | None = None,
    scaling: Params | None = None,
) -> WorstCase:
    """Maximize the loss in a ρ-ball around the parameters by projected ascent.

    Args:
        loss: params -> scalar, differentiable by autograd.
        params: dict of arrays, the centre w.
        rho: radius ρ of the ball, in units of the parameters (of T⁻¹ε with ``scaling``).
        steps: evaluations per start.
        restarts: random starts besides the centre. At a minimum, where the gradient at the centre
            vanishes, at least one is needed.
        rng: generator of the random starts.
        scaling: the diagonal of T, a dict of arrays ≥ 0; ones by default.

    Returns:
        A `WorstCase`.

    Raises:
        ValueError: for a negative or infinite rho or scaling, restarts without a generator, or
            parameters that are not floating-point.

    Example:
        >>> quadratic = lambda p: 0.5 * (np.array([1.0, 9.0]) * p["w"] ** 2).sum()
        >>> found = worst_case(quadratic, {"w": np.array([0.1, 0.0])}, rho=1.0, restarts=2,
        ...                    rng=np.random.default_rng(0), steps=50)
        >>> round(found.rise, 3)
        4.501

    Source:
        Foret et al. 2020, eq. (1); with ``scaling`` the adaptive sharpness of Kwon et al. 2021.
    """
    trees.check_floating(params, "params")
    check_number("rho", rho, open_high=True)
    check_whole("steps", steps)
    check_whole("restarts", restarts)
    if restarts and rng is None:
        raise ValueError("rng must be given when restarts is not 0")
    if scaling is not None:
        trees.check_same_structure(params, scaling, "scaling")
        trees.check_floating(scaling, "scaling", integers=True)
        for key, leaf in scaling.items():
            if not np.all((np.asarray(leaf) >= 0) & np.isfinite(leaf)):
                raise ValueError(f"scaling[{key!r}] must be finite and not negative")
    value_and_gradient = _in_ball_coordinates(loss, params, scaling)

    start = trees.zeros_like(params)
    centre, _ = value_and_gradient(start)
    best_u, history, evaluations = start, np.array([centre]), 1
    for i in range(restarts + 1):
        if i:
            assert rng is not None  # restarts were asked for
            start = _random_point(params, rho, rng)
        u, losses = _ascend(value_and_gradient, start, rho, steps)
        evaluations += len(losses)
        if losses[-1] > history[-1]:
            best_u, history = u, losses
    perturbation = best_u if scaling is None else trees.multiply(scaling, best_u)
    return WorstCase(float(history[-1] - centre), centre, perturbation, history, evaluations)


def _in_ball_coordinates(
    loss: Loss, params: Params, scaling: Params | None
) -> Callable[[Params], tuple[float, Params]]:
    evaluate = value_and_grad(loss)

    def value_and_gradient(u: Params) -> tuple[float, Params]:
        epsilon = u if scaling is None else trees.multiply(scaling, u)  # ε = T u
        value, g = evaluate(trees.add(params, epsilon))
        return value, g if scaling is None else trees.multiply(scaling, g)  # ∂L/∂u = T g

    return value_and_gradient


def _ascend(
    value_and_gradient: Callable, u: Params, rho: float, steps: int
) -> tuple[Params, np.ndarray]:
    value, gradient = value_and_gradient(u)
    losses, a = [value], 1.0
    for _ in range(steps):
        direction, _, square = trees.well_scaled(gradient)
        length = float(np.sqrt(square))
        if not (np.isfinite(length) and length > 0) or a < 1e-6:
            break
        trial = _project(trees.add_scaled(u, a * rho / length, direction), rho)
        trial_value, trial_gradient = value_and_gradient(trial)
        if trial_value > value:
            u, value, gradient, a = trial, trial_value, trial_gradient, 2 * a
        else:
            a = a / 4  # after the doubling above: half of the last step that was tried
        losses.append(value)
    return u, np.array(losses)


def _project(u: Params, rho: float) -> Params:
    """Return Π_ρ(u), the point of the ball nearest to u."""
    length = float(trees.norm(u))
    return u if length <= rho else trees.scale(rho / length, u)


def _random_point(like: Params, rho: float, rng: np.random.Generator) -> Params:
    """Return a point of uniformly random direction halfway between centre and boundary."""
    u = {
        key: rng.standard_normal(np.shape(leaf)).astype(np.asarray(leaf).dtype)
        for key, leaf in like.items()
    }
    length = float(trees.norm(u))
    return trees.scale(0.5 * rho / length, u) if length else u  # no entries, and so no length
