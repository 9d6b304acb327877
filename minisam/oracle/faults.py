"""Report what stops an implementation, and what its author should do about it.

An implementation that raises, hangs or returns something else than weights is neither right nor
wrong: its verdict is an adapter error, with the cause in a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from minisam.oracle.entries import Entry
from minisam.oracle.guarding import Raised
from minisam.oracle.probes import Probe
from minisam.oracle.report import UNSHOWN, Report, Verdict

ADVICE = {
    "hangs": "Look for a loop that does not end, or raise the limit with timeout=.",
    UNSHOWN: "Take rho and lr as arguments, and refuse only what the implementation does not have.",
    "nothing ran": "Every probe was refused. Support at least one method, dtype and setting.",
    "wrong dtype": "Keep the dtype of the weights: NumPy scalars and default arrays are float64.",
    "wrong shapes": "Return one array per tensor, in the order and shapes of the weights.",
    "wrong type": "Return a list of arrays, like the weights that came in, and nothing beside it; "
    "also where the weights are changed in place.",
    "signature": "The weights and the gradient function come first, then hyper-parameters by name.",
    "asks too often": "A step of SAM needs two gradients.",
    "not deterministic": "The same step twice gave different results. Seed or remove randomness.",
}
KEPT = (
    "A velocity, or whatever else a step remembers, belongs into `state`, a dict that is empty at "
    "the first step of every run: a global holds what another run left, of tensors of other shapes."
)
LIST = "`w` is a list of arrays, and so is `grad_fn(w)`: loop over it."
# What Python and NumPy say where a list is taken for an array.
TAKEN_FOR_AN_ARRAY = re.compile(
    r"can't multiply sequence|operand type.*'list'|can only concatenate list"
    r"|'list' object has no attribute|inhomogeneous shape"
)


def broken(report: Report, cause: str, headline: str, advice: Sequence[str] = ()) -> Report:
    """Report an adapter error."""
    return report._replace(
        outcome=Verdict.ADAPTER_ERROR,
        cause=cause,
        headline=f"adapter error ({cause}): {headline}",
        advice=[*advice, *([ADVICE[cause]] if cause in ADVICE else [])],
    )


def faulty(report: Report, errors: list[Entry], ran: list[Entry]) -> Report:
    """Report the adapter error that stopped most probes."""
    result, trace, _ = errors[0]
    assert trace.fault is not None
    place = f"{len(errors)} of {len(ran)} probes, first {result.probe} in {result.dtype}"
    advice = []
    if isinstance(trace.fault, Raised):
        probes = [entry.trace.probe for entry in ran]
        advice += [KEPT] if names_shape_of_another(trace.fault.words, trace.probe, probes) else []
        advice += [LIST] if TAKEN_FOR_AN_ARRAY.search(trace.fault.words) else []
    return broken(report, trace.fault.cause, f"{trace.fault} ({place}).", advice)


def names_shape_of_another(words: str, probe: Probe, probes: list[Probe]) -> bool:
    """Return whether arrays do not broadcast because one is shaped as another probe's tensor."""
    told = re.findall(r"\((\d[\d, ]*)\)", words)
    shapes = {tuple(map(int, re.findall(r"\d+", shape))) for shape in told}
    left = shapes - {*probe.shapes.values()}
    others = {shape for other in probes for shape in other.shapes.values()}
    return "broadcast" in words and bool(left & others)


def crashes(errors: list[Entry], ran: list[Entry]) -> list[str]:
    """Tell of the probes that an implementation does not come through."""
    if not errors:
        return []
    (result, trace, _), more = errors[0], len(errors) - 1
    others = f", and in {more} more of {len(ran)} results" if more else ""
    return [f"It stops in {result.probe}, {result.dtype}{others}: {trace.fault}."]
