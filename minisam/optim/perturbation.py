"""The climb from A to B: ε(w, g) for SAM and for ASAM.

SAM asks for the worst loss within a ball of radius ρ around w and answers to first order: of all ε
with ‖ε‖_p ≤ ρ, the one that maximizes ⟨g, ε⟩. For p = 2 it points along the gradient,

    ε = ρ g / ‖g‖₂,

and for any p it is the vector for which Hölder's inequality ⟨g, ε⟩ ≤ ‖g‖_q ‖ε‖_p is an equality.

A ball is not a fair shape for weights of different sizes. A ReLU network computes the same function
when one layer is doubled and the next one halved, but the ball then reaches further relative to
the halved layer, so that SAM's idea of sharpness changes though the function does not. ASAM
stretches the ball with the weights, ‖T⁻¹ε‖_p ≤ ρ with T = |w| + η. In the coordinates T⁻¹w it is
SAM again, with gradient T g: find δ there, and go back with ε = T δ. For p = 2 this is

    ε = ρ T² g / ‖T g‖₂.

Both papers' authors add 1e-12 or 1e-16 to the norm, against division by zero. Here the norm is
computed so that it neither over- nor underflows, and a zero gradient gives a zero climb.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from minisam.checks import check_choice, check_number
from minisam.trees import (
    Params,
    check_floating,
    check_same_structure,
    largest,
    map_leaves,
    multiply,
    power_of_two_scale,
    scale,
    well_scaled,
    zeros_like,
)

Perturbation = Callable[[Params, Params, float], Params]
Scope = Literal["weights", "all"]
Granularity = Literal["element", "filter", "layer"]


def sam_perturbation(params: Params, grads: Params, rho: float, p: float = 2) -> Params:
    """Return the maximizer of ⟨g, ε⟩ over ‖ε‖_p ≤ ρ, with one norm over all tensors.

    ε = ρ sign(g) |g|^(q−1) / ‖g‖_q^(q/p),  1/p + 1/q = 1;  for p = 2,  ε = ρ g / ‖g‖₂.

    At p = 1 the whole radius goes to the largest |gᵢ|, shared equally where several tie; at p = ∞
    every entry moves by ρ sign(gᵢ), and not at all where gᵢ = 0.

    Args:
        params: w; SAM's climb does not depend on it.
        grads: g = ∇L(w), dict of arrays of any shapes.
        rho: radius ρ ≥ 0, in units of the weights.
        p: order of the norm that bounds ε, from 1 to infinity.

    Returns:
        ε, of the structure and dtype of ``grads``; zeros where g is zero throughout.

    Example:
        >>> g = {"a": np.array([3.0, 4.0]), "b": np.array([12.0])}
        >>> sam_perturbation(g, g, rho=13.0)
        {'a': array([3., 4.]), 'b': array([12.])}
        >>> sam_perturbation(g, g, rho=0.5, p=np.inf)
        {'a': array([0.5, 0.5]), 'b': array([0.5])}

    Source:
        Foret et al. 2020, arXiv 2010.01412, eq. (2).
    """
    rho = check_number("rho", rho, open_high=True)
    p = check_number("p", p, low=1.0)
    check_same_structure(params, grads, "grads")
    check_floating(grads, "grads")
    g, _, square = well_scaled(grads)  # g times a power of two, which leaves ε, and its ‖·‖₂²
    if p == 2:
        length = np.sqrt(square)  # ‖g‖₂
        return scale(rho / length, g) if length != 0 else zeros_like(g)
    top = largest(g)
    if top == 0:
        return zeros_like(g)
    a = map_leaves(lambda leaf: np.abs(leaf) / top, g)  # |g| / max|g|, so that no power overflows
    if p == 1:
        ties = int(sum(np.sum(leaf == 1) for leaf in a.values()))
        each = rho / ties if ties else np.nan  # no entry equals the largest where that is NaN
        return map_leaves(lambda leaf, size: each * np.sign(leaf) * (size == 1), g, a)
    if p == np.inf:
        return map_leaves(lambda leaf: rho * np.sign(leaf), g)
    q = p / (p - 1)
    length = sum(np.sum(leaf**q) for leaf in a.values()) ** (1 / p)  # ‖g‖_q^(q/p)
    return map_leaves(lambda leaf, size: (rho / length) * np.sign(leaf) * size ** (q - 1), g, a)


def scaling(
    params: Params,
    eta: float = 0.01,
    scope: Scope = "weights",
    granularity: Granularity = "element",
) -> Params:
    """Return ASAM's normalization operator T_w, a diagonal matrix stored as a tree.

    Element-wise T = |w| + η. Filter-wise the entries of one convolution filter share ‖filter‖₂ + η
    (other tensors stay element-wise); layer-wise those of one tensor share ‖tensor‖₂ + η. Tensors
    out of scope have T = 1.

    Args:
        params: w, dict of arrays; a filter is a slice along the last axis of a 4-D array.
        eta: η ≥ 0, keeps weights near zero able to move; not a step size.
        scope: ``"weights"`` rescales the tensors whose name ends in ``weight``, as the authors'
            code does; ``"all"`` rescales every tensor.
        granularity: ``"element"``, ``"filter"`` or ``"layer"``.

    Returns:
        T, of the structure of ``params``.

    Example:
        >>> scaling({"fc.weight": np.array([-2.0, 0.0]), "fc.bias": np.array([5.0])}, eta=0.5)
        {'fc.weight': array([2.5, 0.5]), 'fc.bias': array([1.])}

    Source:
        Kwon et al. 2021, arXiv 2102.11600, section 3 and eq. (8) for the filter-wise operator.
    """
    eta = check_number("eta", eta, open_high=True)
    check_choice("scope", scope, ("weights", "all"))
    check_choice("granularity", granularity, ("element", "filter", "layer"))
    check_floating(params, "params")

    def length(w: np.ndarray, axis: tuple[int, ...] | None) -> np.ndarray:
        s = power_of_two_scale({"w": w})
        return np.sqrt(np.sum((s * w) ** 2, axis=axis, keepdims=True)) / s

    def operator(w: np.ndarray) -> np.ndarray:
        if granularity == "layer":
            return np.broadcast_to(length(w, None) + eta, w.shape)
        if granularity == "filter" and w.ndim == 4:
            return np.broadcast_to(length(w, (0, 1, 2)) + eta, w.shape)
        return np.abs(w) + eta

    return {
        key: operator(w) if scope == "all" or key.endswith("weight") else np.ones_like(w)
        for key, w in params.items()
    }


def asam_perturbation(
    params: Params,
    grads: Params,
    rho: float,
    p: float = 2,
    eta: float = 0.01,
    scope: Scope = "weights",
    granularity: Granularity = "element",
) -> Params:
    """Return the maximizer of ⟨g, ε⟩ over ‖T⁻¹ε‖_p ≤ ρ: SAM's, in coordinates that T makes round.

    ε = T δ with δ = SAM's ε for the gradient T g;  for p = 2,  ε = ρ T² g / ‖T g‖₂.

    Args:
        params: w, dict of arrays.
        grads: g = ∇L(w), of the structure of ``params``.
        rho: radius ρ ≥ 0, relative to the size of the weights.
        p: order of the norm, from 1 to infinity.
        eta: η of `scaling`. The other widespread convention has eta=0 and scope="all"; a ρ found
            with one does not carry over to the other.
        scope: which tensors are rescaled, see `scaling`.
        granularity: which entries share one scale, see `scaling`.

    Returns:
        ε, of the structure of ``params``.

    Example:
        >>> w = {"fc.weight": np.array([2.0, 0.5])}
        >>> g = {"fc.weight": np.array([3.0, 16.0])}
        >>> asam_perturbation(w, g, rho=1.0, eta=0.0)
        {'fc.weight': array([1.2, 0.4])}

    Source:
        Kwon et al. 2021, arXiv 2102.11600, eq. (6) and Algorithm 1.
    """
    check_same_structure(params, grads, "grads")
    check_floating(grads, "grads")
    T = scaling(params, eta, scope, granularity)
    scaled_gradient = multiply(T, well_scaled(grads)[0])  # T g
    return multiply(T, sam_perturbation(params, scaled_gradient, rho, p))  # T δ


def unnormalized_perturbation(params: Params, grads: Params, rho: float) -> Params:
    """Return the climb without a norm, ε = ρ g, which the theory of SAM often studies instead.

    Example:
        >>> unnormalized_perturbation({"w": np.zeros(1)}, {"w": np.array([4.0])}, rho=0.5)
        {'w': array([2.])}

    Source:
        Andriushchenko and Flammarion 2022, arXiv 2206.06232, section 3.
    """
    rho = check_number("rho", rho, open_high=True)
    check_same_structure(params, grads, "grads")
    check_floating(grads, "grads")
    return scale(rho, grads)


def check_perturbation(perturb: Any) -> None:
    """Raise ValueError unless ``perturb`` can be called."""
    if not callable(perturb):
        raise ValueError(f"perturb must be a function (params, grads, rho) -> ε, got {perturb!r}")
