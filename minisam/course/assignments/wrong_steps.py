"""Wrong steps of SAM in numbers, for students who are to name the mistake."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import Arrays, Observation, observe
from minisam.variants.mutants import MUTANTS

CODES = {  # what students write, the mutant, and what it does
    "not-restored": ("M01-not-restored", "steps from B"),
    "downhill": ("M07-downhill", "climbs against d1"),
    "per-tensor-norm": ("M02-per-tensor-norm", "takes the norm of every tensor by itself"),
    "not-normalized": ("M03-not-normalized", "does not divide by the norm"),
    "squared-norm": ("M04-divided-twice", "divides by the norm twice"),
    "first-gradient": ("M10-first-gradient", "steps along d1"),
    "second-at-A": ("R04-second-pass-at-A", "asks for both gradients at A"),
    "both-gradients": ("M08-gradients-added", "steps along d1 + d2"),
    "radius-times-lr": ("M32-radius-times-lr", "climbs ρη instead of ρ"),
}
PAPERS = (
    ("per-tensor-norm", "not-restored", "squared-norm"),
    ("second-at-A", "downhill", "radius-times-lr"),
    ("both-gradients", "not-normalized", "first-gradient"),
)
RHO, LR = 1.3, 0.5
WEIGHTS = ((1.0, 2.0), (4.0,))
GRADIENTS = (((3.0, 4.0), (12.0,)), ((2.0, -2.0), (6.0,)))  # of norm 13, and another one


def arrays(tensors: Sequence[Sequence[float]]) -> Arrays:
    """Return tensors as arrays."""
    return [np.array(one) for one in tensors]


def seen_of(code: str) -> Observation:
    """Return what a wrong step does at `WEIGHTS`."""
    hp = HyperParameters.of({"rho": RHO, "lr": LR, "names": ["weight", "bias"]})
    known: dict[bytes, Arrays] = {}

    def grad_fn(point: Arrays) -> Arrays:
        key = b"".join(x.tobytes() for x in point)
        return known.setdefault(key, arrays(GRADIENTS[min(len(known), 1)]))

    run = MUTANTS[CODES[code][0]].adapter(arrays(WEIGHTS), dict(hp))
    return observe(run, arrays(WEIGHTS), grad_fn)


def in_numbers(code: str) -> str:
    """Return a row of a table: the points at which a step asks, and where it ends.

    Example:
        >>> in_numbers("downhill")
        '(1, 2), (4) | (0.7, 1.6), (2.8) | (0, 3), (1)'
    """
    seen = seen_of(code)
    return " | ".join(shown(one) for one in (*seen.queries[:2], seen.end))


def shown(tensors: Arrays) -> str:
    """Write tensors down."""
    return ", ".join(f"({', '.join(f'{x + 0:.4g}' for x in one)})" for one in tensors)


def paper(number: int) -> list[str]:
    """Return the lines of a text with three wrong steps of one of the `PAPERS`."""
    rows = [f"| {n} | {in_numbers(code)} |" for n, code in enumerate(PAPERS[number], 1)]
    return [
        f"With η = {LR:g} and ρ = {RHO:g}, here the 2-norm of a right climb whatever P is, three",
        f"steps begin at A = {shown(arrays(WEIGHTS))}. The",
        f"gradient at A is {shown(arrays(GRADIENTS[0]))}; at any other point it is "
        f"{shown(arrays(GRADIENTS[1]))}.",
        "",
        "| step | asks first at | and then at | new weights |",
        "|---|---|---|---|",
        *rows,
    ]
