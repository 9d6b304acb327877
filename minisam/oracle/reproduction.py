"""Write a failure down as a few lines of Python: what an implementation does, and what it should.

The script stands beside what was checked, and calls it: a step function as it is, without minisam;
what makes a framework's optimizer through its adapter. Its gradients are told in the order in which
they were asked for, so that the same implementation sees the same ones. An implementation that is
put right asks for as many as it should, so there are always as many as it should ask for.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.protocol import Adapter, Observation
from minisam.oracle.explanation import number_wanted
from minisam.oracle.judge import Judgement
from minisam.oracle.watch import Trace

DIGITS = 7  # that are shown of what should be there, if that tells it from what is
SCRIPTED = 2  # gradients that a step of a right implementation asks for
WIDTH = 88
NAMES = {"plain": "step", "": "adapter"}  # of what was checked, where its own is no word of Python
LABELS = {
    "point 0": ("A, where d1 is asked for", "A"),
    "point 1": ("B, where d2 is asked for", "B"),
    "end": ("new weights", "w"),
}  # the second where there is little room


class Opening(NamedTuple):
    """How a script begins, and how a step is called in it.

    Attributes:
        lines: what comes before the first step.
        step: the call.
        scheduled: what is handed to the step by a name, as it changes from step to step.
    """

    lines: list[str]
    step: str
    scheduled: dict[str, list[float]]


def reproduction(trace: Trace, judgement: Judgement, adapter: Adapter, call: str) -> str:
    """Write Python that shows a failure: at most ten lines if its numbers are short.

    With a split batch there are up to fourteen: a gradient is asked for of a shard, or of all, and
    the script has to answer both.

    Args:
        trace: what was seen.
        judgement: what is wrong there.
        adapter: the implementation's. One with ``kind`` "plain" is a step function.
        call: the name of what was checked.
    """
    call = call if call.isidentifier() else NAMES.get(getattr(adapter, "kind", ""), "make")
    shown = trace._replace(steps=trace.steps[: judgement.step + 1])
    opening = opening_of(shown, adapter, call)
    lines = [
        *opening.lines,
        *answering(shown),
        *steps_of(shown, opening),
        printing(shown, judgement),
    ]
    return "\n".join(part for line in lines for part in folded(line))


def opening_of(trace: Trace, adapter: Adapter, call: str) -> Opening:
    """Return how the script of an implementation begins."""
    if getattr(adapter, "kind", "") == "plain":
        return of_a_step(trace, vars(adapter)["accepts"], call)
    return of_an_adapter(trace, adapter, call)


def of_a_step(trace: Trace, accepts: frozenset[str], call: str) -> Opening:
    """Return how the script of a step function begins; it needs no minisam."""
    hp = trace.hp
    given = {**hp, "adaptive": hp.method == "asam"}
    given = {key: value for key, value in given.items() if key in accepts}
    scheduled = {
        key: [float(hp.at(number)[key]) for number in range(len(trace.steps))]
        for key in sorted(hp.scheduled & given.keys())
    }
    if len(trace.steps) == 1:
        given |= {key: value for key, (value,) in scheduled.items()}
        scheduled = {}
    keywords = [f"{k}={k if k in scheduled else literal(v)}" for k, v in given.items()]
    first = f"w = {weights(trace)}"
    if "state" in accepts:
        first, keywords = f"w, state = {weights(trace)}, {{}}", [*keywords, "state=state"]
    step = f"w = {call}({', '.join(['w', 'grad_fn', *keywords])})"
    return Opening(["import numpy as np", first], step, scheduled)


def of_an_adapter(trace: Trace, adapter: Adapter, call: str) -> Opening:
    """Return how the script of what is no step begins: it goes through the adapter."""
    hp, kind = trace.hp, getattr(adapter, "kind", "")
    wanted = {*trace.probe.settings, "rho", "lr", *hp.declared} - {"method"}
    wanted |= {"method", "names"} if hp.method != "sam" or hp.frozen or hp.groups else set()
    wanted |= {"dtype"} if trace.dtype != "float64" else set()
    rest, name = "from minisam import oracle", ""
    if not kind:  # written by hand, it may read what has its default as well
        rest, name = "from minisam.adapters.protocol import HYPERPARAMETERS as hp", "hp, "
        wanted |= {"names"} & trace.read
    given = ", ".join(f"{key}={literal(hp[key])}" for key in hp if key in wanted)
    run = f"run = {made(adapter, call)}({weights(trace)}, dict({name}{given}))"
    return Opening(["import numpy as np", rest, run], "w = run(grad_fn)", {})


def made(adapter: Adapter, call: str) -> str:
    """Write the expression that makes an adapter of what was checked."""
    kind, more = getattr(adapter, "kind", ""), getattr(adapter, "arguments", {})
    if kind == "process":
        return f"oracle.process({adapter.harness.command!r})"  # type: ignore[attr-defined]
    keywords = [f"{key}={getattr(value, '__name__', repr(value))}" for key, value in more.items()]
    return f"oracle.{kind}({', '.join([call, *keywords])})" if kind else call


def literal(value: Any) -> str:
    """Write a value as Python that needs no names but those of the builtins.

    Example:
        >>> literal(np.inf), literal(("bias",)), literal(np.float64(0.5))
        ("float('inf')", "('bias',)", '0.5')
    """
    if isinstance(value, float):
        return repr(float(value)) if np.isfinite(value) else f"float({str(float(value))!r})"
    return repr(value)


def array(trace: Trace, text: str) -> str:
    """Write an array of these numbers."""
    return f"np.array({text}, np.float32)" if trace.dtype != "float64" else f"np.array({text})"


def weights(trace: Trace) -> str:
    """Write the weights at the start as a list of arrays."""
    return brackets(array(trace, numbers_in(x)) for x in trace.steps[0].start)


def numbers_in(numbers: Any, digits: int = 0) -> str:
    """Write an array as nested lists of its shortest numbers, rounded to digits if there are any.

    Example:
        >>> numbers_in(np.array([[1.0, 0.1]])), numbers_in(np.array([2.4000000000000004]), 7)
        ('[[1.0, 0.1]]', '[2.4]')
    """
    if np.ndim(numbers):
        return brackets(numbers_in(one, digits) for one in numbers)
    value = float(f"{float(numbers):.{digits}g}") if digits else float(str(numbers))
    return re.sub("inf|nan", r"np.\g<0>", repr(value))


def in_whole_numbers(text: str) -> str:
    """Write whole numbers without a point.

    Example:
        >>> in_whole_numbers("[3.0, 10.05]")
        '[3, 10.05]'
    """
    return re.sub(r"(\d)\.0(?!\d)", r"\1", text)


def list_of(arrays: Iterable[Any], digits: int = 0, missing: bool = False) -> str:
    """Write arrays as a list; None for those that are zero and so are not there, if ``missing``."""
    return brackets("None" if missing and not np.any(x) else numbers_in(x, digits) for x in arrays)


def told(trace: Trace, seen: Observation) -> list[str]:
    """Write the gradients of a step, in the order in which they were asked for."""
    answers = list(seen.answers)
    while answers and trace.hp.shards == 1 and len(answers) < SCRIPTED:  # for one put right
        answers.append([2 * g for g in answers[-1]])
    return [in_whole_numbers(list_of(one, missing=trace.hp.missing)) for one in answers]


def answering(trace: Trace) -> list[str]:
    """Write the lines that define ``grad_fn``, which tells ``gradients`` and fills ``asked``."""
    kind = "float" if trace.dtype == "float64" else "np.float32"
    value = f"np.array(g, {kind})"
    if trace.hp.missing:
        value = f"g if g is None else {value}"
    shards = trace.hp.shards
    lines = [
        f"def {'grad_fn' if shards == 1 else 'one'}(point):",
        "    asked.append([x.copy() for x in point])",
        f"    return [{value} for g in gradients[len(asked) - 1]]",
    ]
    if shards > 1:
        lines += [
            "def grad_fn(point, shard=None):  # of a shard, or averaged over the batch",
            f"    parts = [one(point) for _ in range({shards} if shard is None else 1)]",
            "    return [sum(g) / len(parts) for g in zip(*parts)]",
            f"grad_fn.shards = {shards} * [one]",
        ]
    return lines


def in_step(trace: Trace) -> bool:
    """Return whether a step that is put right asks for as many gradients as these steps did."""
    wanted = SCRIPTED if trace.hp.shards == 1 else len(trace.steps[-1].answers)
    return all(len(seen.answers) == wanted for seen in trace.steps[:-1])


def steps_of(trace: Trace, opening: Opening) -> list[str]:
    """Write the lines that take the steps."""
    rows = [told(trace, seen) for seen in trace.steps]
    names = list(opening.scheduled)
    values = [list(map(literal, now)) for now in zip(*opening.scheduled.values(), strict=True)]
    if not in_step(trace):
        each = [[*(values[k] if names else ()), brackets(row)] for k, row in enumerate(rows)]
        return [loop([*names, "gradients"], each), "    asked = []", f"    {opening.step}"]
    line = f"gradients, asked = {brackets(text for row in rows for text in row)}, []"
    if len(rows) == 1:
        return [commented(trace, line, "d1, d2"), opening.step]
    line = commented(trace, line, "d1, d2 of each step")
    head = loop(names, values) if names else f"for _ in range({len(rows)}):"
    if len(f"{head} {opening.step}") <= WIDTH:
        return [line, f"{head} {opening.step}"]
    return [line, head, f"    {opening.step}"]


def loop(names: list[str], values: list[list[str]]) -> str:
    """Write the head of a loop over the steps.

    Example:
        >>> loop(["lr"], [["0.25"], ["0.125"]]), loop(["lr", "rho"], [["1", "2"], ["3", "4"]])
        ('for lr in [0.25, 0.125]:', 'for lr, rho in [(1, 2), (3, 4)]:')
    """
    each = [now[0] if len(now) == 1 else f"({', '.join(now)})" for now in values]
    return f"for {', '.join(names)} in {brackets(each)}:"


def brackets(texts: Iterable[str]) -> str:
    """Write a list of what is written."""
    return f"[{', '.join(texts)}]"


def commented(trace: Trace, line: str, comment: str) -> str:
    """Say which gradients these are, where there is room."""
    if trace.hp.shards > 1:
        return line
    long = f"{line}  # {comment}"
    return long if len(long) <= WIDTH else line


def printing(trace: Trace, judgement: Judgement) -> str:
    """Write the line that prints what is there and what should be."""
    seen, before = trace.steps[-1], sum(len(one.answers) for one in trace.steps[:-1])
    if judgement.expected is None or judgement.observed is None:
        again = len({list_of(point) for point in seen.queries}) < len(seen.queries)
        count = "len({str(x) for x in asked})" if again and trace.hp.shards == 1 else "len(asked)"
        if before and in_step(trace):
            count = f"{count} - {before}"
        return f'print("gradients asked for:", {count}, "should be {number_wanted(judgement)}")'
    there = list(judgement.observed.values())
    right = [np.asarray(judgement.expected[name].value) for name in judgement.observed]
    what = "w"
    if judgement.point is not None:
        place = [list_of(point) for point in seen.queries].index(list_of(there))
        what = f"asked[{place + before if in_step(trace) else place}]"
    digits = DIGITS
    if list_of(there, DIGITS - 2) == list_of(right, DIGITS - 2):
        digits, what = 17, f"[x.tolist() for x in {what}]"
    rest = f'", {what}, "should be", {list_of(right, digits)})'
    point = f"point {(judgement.point or 0) + 1}"
    labels = LABELS.get(judgement.quantity, ()) if trace.hp.shards == 1 or what == "w" else ()
    lines = [f'print("{label}:{rest}' for label in (*labels, point)]
    return next((line for line in lines if len(line) <= WIDTH), lines[0])


def folded(line: str) -> list[str]:
    """Fold a line that is too long at the commas between numbers, where Python goes on reading."""
    if len(line) <= WIDTH:
        return [line]
    begin = len(line) - len(line.lstrip())
    return textwrap.wrap(
        line, WIDTH, initial_indent="", subsequent_indent=" " * (begin + 4),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
