"""Write the script that shows a failure of a step function, or of any adapter."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.arguments import known_arguments
from minisam.adapters.protocol import Adapter, Observation
from minisam.oracle.comparing import Judgement
from minisam.oracle.explanation import number_wanted
from minisam.oracle.notation import WIDTH, brackets, in_whole_numbers, list_of, literal, numbers_in
from minisam.oracle.watch import Trace

# Digits that are shown of what should be there, if those tell it from what is.
DIGITS = {"float64": 7, "float32": 6, "bfloat16": 3}
SCRIPTED = 2  # gradients that a step of a right implementation asks for
OWN_POINT = "lambda point: point"  # the gradients of another run, of ½‖w‖²
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
        beside: the call of another run, which takes a step before each; "" if there is none.
    """

    lines: list[str]
    step: str
    scheduled: dict[str, list[float]]
    beside: str = ""


def of_a_step(trace: Trace, accepts: frozenset[str], call: str) -> Opening:
    """Return how the script of a step function begins; it needs no minisam."""
    hp = trace.hp
    given = known_arguments(hp, accepts)
    scheduled = {
        key: [float(hp.at(number)[key]) for number in range(len(trace.steps))]
        for key in sorted(hp.scheduled & given.keys())
    }
    if len(trace.steps) == 1:
        given |= {key: value for key, (value,) in scheduled.items()}
        scheduled = {}
    named = [f"{k}={k if k in scheduled else literal(v)}" for k, v in given.items()]
    variables = {"w": weights(trace)}
    other = [*named, *(["state=others"] if "state" in accepts else [])]
    if trace.probe.beside:
        variables["other"] = weights(trace)
    if "state" in accepts:
        variables["state"], named = "{}", [*named, "state=state"]
        variables |= {"others": "{}"} if trace.probe.beside else {}
    first = f"{', '.join(variables)} = {', '.join(variables.values())}"
    step = f"w = {call}({', '.join(['w', 'grad_fn', *named])})"
    beside = f"other = {call}({', '.join(['other', OWN_POINT, *other])})"
    beside = beside if trace.probe.beside else ""
    return Opening(["import numpy as np", first], step, scheduled, beside)


def of_an_adapter(trace: Trace, adapter: Adapter, call: str) -> Opening:
    """Return how the script of what is no step begins: it goes through the adapter."""
    rest, hp = "from minisam import oracle", keywords(trace)
    if not getattr(adapter, "kind", ""):  # written by hand, it may read any of them
        rest = "from minisam.adapters.protocol import HYPERPARAMETERS as hp"
        hp = f"hp, {keywords(trace, {'names'} & trace.read)}"
    lines = [f"import numpy as np; {rest}"]
    run = f"{made(adapter, call)}({weights(trace)}, dict({hp}))"
    if trace.probe.beside:
        lines.append(f"run, other = [{run} for _ in range(2)]")
        return Opening(lines, "w = run(grad_fn)", {}, f"other({OWN_POINT})")
    return Opening([*lines, f"run = {run}"], "w = run(grad_fn)", {})


def keywords(trace: Trace, more: Set[str] = frozenset()) -> str:
    """Write the hyper-parameters that a probe sets, and what they need to make sense."""
    hp = trace.hp
    wanted = {*trace.probe.settings, "rho", "lr", *hp.declared, *more} - {"method"}
    wanted |= {"method", "names"} if hp.method != "sam" or hp.frozen or hp.groups else set()
    wanted |= {"dtype"} if trace.dtype != "float64" else set()
    return ", ".join(f"{key}={literal(hp[key])}" for key in hp if key in wanted)


def made(adapter: Adapter, call: str) -> str:
    """Write the expression that makes an adapter of what was checked."""
    kind, more = getattr(adapter, "kind", ""), getattr(adapter, "arguments", {})
    if kind == "process":
        return f"oracle.process({adapter.harness.command!r})"  # type: ignore[attr-defined]
    own = [f"{key}={function_or_value(key, value)}" for key, value in more.items()]
    return f"oracle.{kind}({', '.join([call, *own])})" if kind else call


def function_or_value(key: str, value: Any) -> str:
    """Write an argument: a function by its own name, or by the argument's if it has none."""
    name = getattr(value, "__name__", "") if callable(value) else repr(value)
    return key if callable(value) and not name.isidentifier() else name


def array(trace: Trace, text: str) -> str:
    """Write an array of these numbers."""
    return f"np.array({text}, np.float32)" if trace.dtype != "float64" else f"np.array({text})"


def weights(trace: Trace) -> str:
    """Write the weights at the start as a list of arrays."""
    return brackets(array(trace, numbers_in(x)) for x in trace.steps[0].start)


def told(trace: Trace, seen: Observation) -> list[str]:
    """Write the gradients of a step, in the order in which they were asked for."""
    answers = list(seen.answers) or [[np.ones_like(x) for x in seen.start]]
    while len(answers) < SCRIPTED * trace.hp.shards:  # for one put right
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
        parts = ", ".join(["one(point)"] * shards)
        lines += [
            f"def grad_fn(point): return [sum(g) / {shards} for g in zip({parts})]",
            f"grad_fn.shards = {brackets(['one'] * shards)}",
        ]
    return lines


def in_step(trace: Trace) -> bool:
    """Return whether a step that is put right asks for as many gradients as these steps did."""
    return all(len(seen.answers) == SCRIPTED * trace.hp.shards for seen in trace.steps[:-1])


def steps_of(trace: Trace, opening: Opening) -> list[str]:
    """Write the lines that take the steps."""
    rows = [told(trace, seen) for seen in trace.steps]
    names = list(opening.scheduled)
    values = [list(map(literal, now)) for now in zip(*opening.scheduled.values(), strict=True)]
    calls = [opening.beside, opening.step] if opening.beside else [opening.step]
    body = [f"    {one}" for one in calls]
    if not in_step(trace):
        each = [[*(values[k] if names else ()), brackets(row)] for k, row in enumerate(rows)]
        return [loop([*names, "gradients"], each), "    asked = []", *body]
    line = f"gradients, asked = {brackets(text for row in rows for text in row)}, []"
    if len(rows) == 1:
        return [with_comment(trace, line, "d1, d2"), *calls]
    line = with_comment(trace, line, "d1, d2 of each step")
    head = loop(names, values) if names else f"for _ in range({len(rows)}):"
    short = f"{head} {'; '.join(calls)}"
    return [line, short] if len(short) <= WIDTH else [line, head, *body]


def loop(names: list[str], values: list[list[str]]) -> str:
    """Write the head of a loop over the steps.

    Example:
        >>> loop(["lr"], [["0.25"], ["0.125"]]), loop(["lr", "rho"], [["1", "2"], ["3", "4"]])
        ('for lr in [0.25, 0.125]:', 'for lr, rho in [(1, 2), (3, 4)]:')
    """
    each = [now[0] if len(now) == 1 else f"({', '.join(now)})" for now in values]
    return f"for {', '.join(names)} in {brackets(each)}:"


def with_comment(trace: Trace, line: str, comment: str) -> str:
    """Say which gradients these are, where there is room."""
    if trace.hp.shards > 1:
        return line
    long = f"{line}  # {comment}"
    return long if len(long) <= WIDTH else line


class Places(NamedTuple):
    """Where a script has what it prints.

    Attributes:
        point: of the point number so and so.
        end: of the new weights.
        arrays: whether these are lists of arrays, which are printed to few digits.
        flat: whether a tensor is a flat list there.
    """

    point: str = "asked[{}]"
    end: str = "w"
    arrays: bool = True
    flat: bool = False


PLACES = Places()


def printing(trace: Trace, judgement: Judgement, places: Places = PLACES) -> str:
    """Write the line that prints what is there and what should be."""
    seen, before = trace.steps[-1], sum(len(one.answers) for one in trace.steps[:-1])
    before = before if in_step(trace) else 0
    if judgement.expected is None or judgement.observed is None:
        asked, number = places.point.removesuffix("[{}]"), number_wanted(judgement)
        again = len({list_of(point) for point in seen.queries}) < len(seen.queries)
        asked += f"[{before}:]" if before and not places.flat else ""
        count = f"len({asked})"
        if trace.hp.shards == 1 and (again or judgement.quantity == "more gradients"):
            count = f"len({{str(x) for x in {asked}}})"  # asking again tells nothing new
        return f'print("gradients asked for:", {count}, "should be {number}")'
    there = [np.asarray(x) for x in judgement.observed.values()]
    right = [np.asarray(judgement.expected[name].value) for name in judgement.observed]
    what, labels = places.end, LABELS.get(judgement.quantity, ())
    if judgement.point is not None:
        place = [list_of(point) for point in seen.queries].index(list_of(there))
        what = places.point.format(place if places.flat else place + before)
        labels = labels if trace.hp.shards == 1 else ()
    digits = DIGITS[trace.dtype]
    if list_of(there, digits - 2) == list_of(right, digits - 2):
        digits = 17
        what = f"[x.tolist() for x in {what}]" if places.arrays else what
    right = [x.ravel() for x in right] if places.flat else right
    rest = f'", {what}, "should be", {list_of(right, digits)})'
    lines = [f'print("{label}:{rest}' for label in (*labels, f"point {(judgement.point or 0) + 1}")]
    return next((line for line in lines if len(line) <= WIDTH), lines[0])
