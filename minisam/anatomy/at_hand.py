"""Lay out what was at hand in a step: vectors and numbers that its formula may be made of."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from minisam.anatomy.entries import (
    centred,
    clipped,
    entries_of,
    in_reverse,
    of_each_row,
    with_spectral_norms,
)
from minisam.anatomy.facts import Facts, same_point
from minisam.anatomy.formula import Sample
from minisam.anatomy.operators import operators
from minisam.optim.perturbation import scaling
from minisam.trees import (
    Params,
    add_scaled,
    inner,
    map_leaves,
    multiply,
    norm,
    subtract,
    zeros_like,
)

IN_REVERSE = "({} of the tensors in reverse order)"


def climbed(facts: Facts) -> Params:
    """Return B − A."""
    return subtract(facts.start if facts.second is None else facts.second, facts.start)


def climb_at_hand(
    now: Facts, before: Facts | None, keys: Collection[str], wanted: bool = False
) -> Sample:
    """Return what can explain the climb, or the one that is wanted.

    Args:
        now: the step.
        before: the one before it.
        keys: the tensors that are to be explained.
        wanted: whether the right climb is, instead of the one that was seen.
    """
    hp, d1, A = now.hp, now.d1, now.start
    point = now.origin if now.second is None else now.second
    nothing = zeros_like(A)
    lengths = {key: float(norm({"": x})) for key, x in d1.items()}
    weights = {key: x for key, x in d1.items() if key.endswith("weight")}
    not_biases = {key: x for key, x in d1.items() if not key.endswith("bias")}
    matrices = {key: x for key, x in d1.items() if x.ndim > 1}
    decayed = add_scaled(d1, hp.weight_decay, A)
    given = now.asked[0][1] if now.asked else nothing  # with what is frozen, without the decay
    basis = {
        "d1": d1,
        "A": A,
        "v": now.velocity,
        "d2": now.d2,
        "sign(d1)": map_leaves(np.sign, d1),
        "|d1|": map_leaves(np.abs, d1),
        "(dᵢ − its mean)": map_leaves(centred, d1),
        "clipped d1": map_leaves(clipped, d1),
        "dᵢ/‖dᵢ‖ of each tensor": {key: x / (lengths[key] or 1.0) for key, x in d1.items()},
        "dᵢ/‖row‖ of each row": map_leaves(of_each_row, d1),
        "d1′": before.d1 if before else nothing,
        "d2′": before.d2 if before else nothing,
        "ε′": climbed(before) if before else nothing,
        "g": nothing if same_point(given, d1) else given,
        IN_REVERSE.format("d1"): in_reverse(d1),
    }
    below = {
        "": 1.0,
        "‖d1‖": norm(d1),
        "‖d1‖²": norm(d1) ** 2,
        "√‖d1‖": norm(d1) ** 0.5,
        "Σ|d1|": norm(d1, 1),
        "max|d1|": norm(d1, np.inf),
        "Σ‖dᵢ‖ over tensors": sum(lengths.values()),
        "max‖dᵢ‖ over tensors": max(lengths.values()),
        "√Σ‖dᵢ‖ over tensors": sum(lengths.values()) ** 0.5,
        "‖d1 of the last tensor‖": [*lengths.values()][-1],
        "‖d1 of the first tensor‖": next(iter(lengths.values())),
        "‖d1 of the weights‖": norm(weights) if weights else 0.0,
        "‖A‖": norm(A),
        "‖d2‖": norm(now.d2),
        "‖v‖": norm(now.velocity),
        "‖d1′‖": norm(before.d1) if before else 0.0,
        "‖d2′‖": norm(before.d2) if before else 0.0,
        "‖d1 + λ A‖": norm(decayed),
        "‖g‖": norm(given),
        "‖dᵢ − its mean‖": norm(map_leaves(centred, d1)),
        "‖clipped d1‖": norm(map_leaves(clipped, d1)),
        "‖d1 without biases‖": norm(not_biases) if not_biases else 0.0,
        "‖d1 of the matrices‖": norm(matrices) if matrices else 0.0,
        "‖d1 with spectral norms of matrices‖": with_spectral_norms(d1),
    }
    alone: set[str] = set()
    if hp.method == "asam":
        T = scaling(A, hp.eta, hp.scope)
        last = scaling((before or now).start, hp.eta, hp.scope)
        once, stale = multiply(T, d1), multiply(last, d1)
        basis |= {
            "T²d1": multiply(T, once),
            "T d1": once,
            "T′²d1": multiply(last, stale),
            "T²dᵢ/‖T dᵢ‖ of each tensor": {
                key: T[key] * x / (float(norm({"": x})) or 1.0) for key, x in once.items()
            },
        }
        below |= {
            "‖T d1‖": norm(once),
            "‖T²d1‖": norm(multiply(T, once)),
            "max|T d1|": norm(once, np.inf),
            "Σ|T d1|": norm(once, 1),
            "‖T′d1‖": norm(stale),
        }
        for name, other in operators(A, hp).items():
            alone.add(f"{name}² d1")
            basis[f"{name}² d1"] = multiply(other, multiply(other, d1))
            below[f"‖{name} d1‖"] = norm(multiply(other, d1))
    entries, first = sum(x.size for x in A.values()), now.trace.hp.at(0)
    above = {
        "ρ": hp.rho,
        "": 1.0,
        "ρ₁": first.rho,
        "ρ′": before.hp.rho if before else first.rho,
        "ρ lr": hp.rho * hp.lr,
        "ρ²": hp.rho**2,
        "√ρ": hp.rho**0.5,
        "ρ √n": hp.rho * entries**0.5,
        "ρ n": hp.rho * entries,
        "ρ √k": hp.rho * len(A) ** 0.5,
        "ρ k": hp.rho * len(A),
        "ρ λ": hp.rho * hp.weight_decay,
        "ρ ‖A‖": hp.rho * norm(A),
        "lr": hp.lr,
        "‖d1‖": norm(d1),
        "ρ/lr": hp.rho / hp.lr if hp.lr else 0.0,
        "ρ/t": hp.rho / (now.step + 1),
        "ρ/√t": hp.rho / (now.step + 1) ** 0.5,
    }
    target = now.wanted if wanted else subtract(point, now.origin)
    shares = {"": 1.0, "μ": hp.momentum, "λ": hp.weight_decay, "lr": hp.lr}
    return laid_out(target, basis, above, below, keys)._replace(
        shares={(name, ""): (x, 1.0 if name else 0.0) for name, x in shares.items()},
        alone=frozenset(alone),
    )


def first_at_hand(
    now: Facts, before: Facts | None, keys: Collection[str], wanted: bool = False
) -> Sample:
    """Return what can explain the first point minus A, as for a climb; A is the right one."""
    first = now.asked[0][0] if now.asked and not wanted else now.start
    found = climb_at_hand(now, before, keys)
    return found._replace(target=entries_of(subtract(first, now.start), keys))


def descent_at_hand(
    now: Facts, before: Facts | None, keys: Collection[str], wanted: bool = False
) -> Sample:
    """Return what can explain the new weights minus A, or those that are wanted; as for a climb."""
    hp, A = now.hp, now.start
    nothing = zeros_like(A)
    basis = {
        "d2": now.d2,
        "d1": now.d1,
        "v": now.velocity,
        "A": A,
        "ε": climbed(now),
        "d1′": before.d1 if before else nothing,
        "d2′": before.d2 if before else nothing,
        "ε′": climbed(before) if before else nothing,
        "(A′ − A)": subtract(before.start, A) if before else nothing,
        "d1·d2": multiply(now.d1, now.d2),
        "sign(d2)": map_leaves(np.sign, now.d2),
        "clipped d2": map_leaves(clipped, now.d2),
        IN_REVERSE.format("d2"): in_reverse(now.d2),
    }
    if hp.method == "asam":
        T = scaling(A, hp.eta, hp.scope)
        basis |= {"T²d2": multiply(T, multiply(T, now.d2)), "T d2": multiply(T, now.d2)}
    for number, (point, gradient) in enumerate(now.asked[2:], 3):
        basis[f"d{number}"] = gradient
        basis[f"(point {number} − A)"] = subtract(point, A)
    first, lr, mu, decay = now.trace.hp.at(0), hp.lr, hp.momentum, hp.weight_decay
    above = {
        "lr": lr,
        "": 1.0,
        "lr₁": first.lr,
        "lr′": before.hp.lr if before else first.lr,
        "lr μ": lr * mu,
        "lr λ": lr * decay,
        "lr (1 + μ)": lr * (1 + mu),
        "lr μ²": lr * mu**2,
        "lr (1 − μ)": lr * (1 - mu),
        "(1 − lr λ)": 1 - lr * decay,
        "lr (1 − lr λ)": lr * (1 - lr * decay),
        "lr (1 + μ) λ": lr * (1 + mu) * decay,
        "lr μ λ": lr * mu * decay,
        "lr (1 + μ) μ²": lr * (1 + mu) * mu**2,
        "μ": mu,
        "λ": decay,
        "ρ": hp.rho,
        "lr ρ": lr * hp.rho,
        "lr ‖d1‖": lr * norm(now.d1),
        "lr ‖d2‖": lr * norm(now.d2),
        "(lr ‖d2‖ + ρ)": lr * norm(now.d2) + hp.rho,
        "lr ⟨d1, d2⟩": lr * inner(now.d1, now.d2),
        "lr²": lr**2,
    }
    below = {"": 1.0, "‖d1‖": norm(now.d1), "‖d2‖": norm(now.d2), "ρ": hp.rho}
    below |= {"(1 + μ)": 1 + mu, "(1 + ρ)": 1 + hp.rho, "k": len(A), "‖d1‖²": norm(now.d1) ** 2}
    target = subtract(now.expected if wanted else now.end, A)
    return laid_out(target, basis, above, below, keys)


def laid_out(
    target: Params,
    basis: dict[str, Params],
    above: dict[str, float],
    below: dict[str, float],
    keys: Collection[str],
) -> Sample:
    """Put the material of a step together: some tensors, and the quotients of numbers."""
    scalars = {
        (over, under): (float(x) / float(y), (i + j) / 8)
        for i, (over, x) in enumerate(above.items())
        for j, (under, y) in enumerate(below.items())
        if y and np.isfinite(y)
    }
    vectors = {name: entries_of(x, keys) for name, x in basis.items()}
    return Sample(entries_of(target, keys), vectors, scalars)
