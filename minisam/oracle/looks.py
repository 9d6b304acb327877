"""Say what a wrong quantity looks like: a multiple of the right one, a sum of what was at hand.

It is a guess by least squares on the one step that is shown. The `minisam.anatomy` of many steps
finds the formula; this is what is left to say where it finds none.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from minisam.oracle.comparing import Judgement
from minisam.oracle.explanation import number_wanted
from minisam.oracle.notation import list_of
from minisam.oracle.watch import Trace


def flat(arrays: Any) -> np.ndarray:
    """Put all entries into one float64 vector."""
    return np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])


def combination(target: np.ndarray, basis: dict[str, np.ndarray], accuracy: float) -> str:
    """Find the shortest combination of at most two of the basis that is the target, or "".

    Example:
        >>> d1, d2 = np.array([1.0, 2.0, 4.0, 5.0]), np.array([3.0, 1.0, 2.0, 0.0])
        >>> combination(d1 + d2, {"d1": d1, "d2": d2}, 1e-6)
        'd1 + d2'
        >>> combination(-0.5 * d1, {"d1": d1, "d2": d2}, 1e-6)
        '−0.5 × d1'
    """
    size = np.linalg.norm(target)
    if not np.isfinite(size) or size == 0:
        return ""
    usable = {k: v for k, v in basis.items() if np.all(np.isfinite(v)) and np.linalg.norm(v) > 0}
    for count in (1, 2):
        if target.size <= count:
            continue
        for names in combinations(usable, count):
            matrix = np.stack([usable[name] for name in names], axis=1)
            scales = np.linalg.norm(matrix, axis=0)
            solution, *_ = np.linalg.lstsq(matrix / scales, target, rcond=None)
            error = np.linalg.norm(matrix / scales @ solution - target)
            share = np.min(np.abs(solution)) / size
            if error <= accuracy * size and share > 1e-3:
                return " + ".join(
                    term(c, name) for c, name in zip(solution / scales, names, strict=True)
                ).replace("+ −", "− ")
    return ""


def term(coefficient: float, name: str) -> str:
    """Write one term of a combination."""
    shown = f"{abs(coefficient):.4g}"
    sign = "−" if coefficient < 0 else ""
    return f"{sign}{name}" if shown == "1" else f"{sign}{shown} × {name}"


def looks_like(trace: Trace, judgement: Judgement) -> str:
    """Say what the first wrong quantity looks like, "ε = 0.5 × expected ε", or ""."""
    seen = trace.steps[judgement.step]
    if judgement.quantity == "fewer gradients":
        if len(seen.queries) > 1 == len({list_of(point) for point in seen.queries}):
            return "all gradients of a step are asked for at the same point"
        if trace.hp.shards > 1:
            told = f"{len(seen.queries)} gradients of parts are asked for in a step"
            return f"{told}, not {number_wanted(judgement)}"
        return (
            f"{len(seen.queries)} gradient(s) asked for in a step, "
            "where one at A and one at B are expected"
        )
    if judgement.quantity == "more gradients":
        extra = list((judgement.observed or {}).values())
        at_end = extra and all(map(np.array_equal, extra, seen.end))
        where = "at the new weights" if at_end else "at a point"
        return f"a gradient is asked for {where}, where none is expected"
    observed, expected = judgement.observed, judgement.expected
    if observed is None or expected is None:
        return ""
    target = flat(observed.values())
    if not np.all(np.isfinite(target)):
        return "it is not finite (NaN or infinity)"
    names = list(observed)
    position = [trace.hp.names.index(name) for name in names]
    start = flat(seen.start[k] for k in position)
    wanted = flat(expected[name].value for name in names)
    gradients = {
        f"d{k + 1}": flat(answer[i] for i in position) for k, answer in enumerate(seen.answers)
    }
    accuracy = 1e-9 if trace.dtype == "float64" else 1e-4
    if judgement.quantity == "end":
        lr = trace.hp.at(judgement.step).lr
        for name, gradient in gradients.items():
            if np.array_equal(target, gradient):
                return f"the step returns the gradient {name} instead of new weights"
        if np.array_equal(target, start):
            return "the weights do not change"
        basis = {"(expected update)": start - wanted}
        basis.update({f"lr·{name}": lr * gradient for name, gradient in gradients.items()})
        points = enumerate(seen.queries)
        basis.update({f"ε{k}": flat(q[i] for i in position) - start for k, q in points if k})
        found = combination(start - target, {**basis, "w": start}, accuracy)
        return f"w − new w = {found}" if found not in ("", "(expected update)") else ""
    basis = {"expected ε": wanted - start, **gradients}
    if "d1" in gradients:
        basis["sign(d1)"] = np.sign(gradients["d1"])
    found = combination(target - start, {**basis, "w": start}, accuracy)
    if found == "expected ε":  # but for digits that are not shown: that says nothing
        return ""
    if found:
        return f"ε = {found}"
    rho = trace.hp.at(judgement.step).rho
    return per_tensor(observed, expected, trace, seen, accuracy) or cut_off(
        target - start, wanted - start, rho, accuracy
    )


def per_tensor(observed: Any, expected: Any, trace: Trace, seen: Any, accuracy: float) -> str:
    """Say by which factor each tensor's ε differs from the expected one, or ""."""
    factors = []
    for name in observed:
        start = np.asarray(seen.start[trace.hp.names.index(name)], np.float64)
        one, right = (observed[name] - start).ravel(), (expected[name].value - start).ravel()
        if not np.linalg.norm(right):
            return ""
        factor = float(one @ right / (right @ right))
        if np.linalg.norm(one - factor * right) > accuracy * np.linalg.norm(right):
            return ""
        factors.append(f"{name}: {factor:.4g}")
    return "ε of every tensor is the expected one times " + ", ".join(factors)


def cut_off(eps: np.ndarray, expected: np.ndarray, rho: float, accuracy: float) -> str:
    """Say where the entries of ε are cut off, if some are, and the others are as expected; or "".

    Example:
        >>> cut_off(np.array([0.2, -0.1, 0.2]), np.array([0.3, -0.1, 0.4]), 0.4, 1e-9)
        'ε is the expected one with every entry cut off at ±0.5 ρ'
    """
    most = float(np.max(np.abs(eps)))
    cut = np.abs(expected) > most * (1 + accuracy)
    as_cut = np.linalg.norm(eps - np.clip(expected, -most, most)) <= accuracy * most
    if not (as_cut and rho and np.any(cut) and np.any(expected[~cut])):
        return ""
    return f"ε is the expected one with every entry cut off at ±{most / rho:.4g} ρ"
