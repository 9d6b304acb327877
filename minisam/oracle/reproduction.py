"""Write a failure down as a few lines of Python that need no minisam."""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.adapters.protocol import Observation
from minisam.oracle.explanation import number_wanted, quantity_in_words
from minisam.oracle.judge import Judgement
from minisam.oracle.watch import Trace


def reproduction(
    trace: Trace, judgement: Judgement, call: str, accepts: frozenset[str] | None
) -> str:
    """Write at most ten lines of Python, without minisam, that show the failure.

    Args:
        trace: what was seen.
        judgement: what is wrong there.
        call: the name of the step function.
        accepts: the keywords that it takes; None if it is no step function, as what makes a
            framework's optimizer: then a comment says what is to be done.
    """
    hp, names, steps = trace.hp, trace.hp.names, trace.steps[: judgement.step + 1]
    dtype = "float32" if trace.dtype != "float64" else "float64"
    right = ""
    if judgement.expected is not None and judgement.observed is not None:
        values = [judgement.expected[n].value for n in names if n in judgement.expected]
        right = listing(values, dtype)
    start = f"[np.array(x, np.{dtype}) for x in {listing(steps[0].start, dtype)}]"
    gradients = [told(seen, hp.shards, hp.missing, dtype) for seen in steps]
    if accepts is None:
        return in_a_comment(trace, judgement, start, gradients, right)
    given = {**hp, "adaptive": hp.method == "asam"}
    shown = {key: value for key, value in given.items() if key in accepts}
    schedules = {
        key: [hp.at(step)[key] for step in range(len(steps))]
        for key in shown
        if key in hp.scheduled
    }
    arguments = [f"{k}={k if k in schedules else repr(v)}" for k, v in shown.items()]
    loop = f"[{', '.join(gradients)}]"
    if schedules:
        loop = f"zip({loop}, {', '.join(map(repr, schedules.values()))})"
    first = f"w = {start}"
    if "state" in accepts:
        first, arguments = f"w, state = {start}, {{}}", [*arguments, "state=state"]
    if right:
        what = "w" if judgement.point is None else f"asked[{judgement.point}]"
        last = f'print("{quantity_in_words(judgement)}:", {what}, "should be", {right})'
    else:
        number = "len(known)" if hp.shards == 1 else "sum(map(len, known))"
        wanted = number_wanted(judgement)
        last = f'print("gradients asked for in a step:", {number}, "should be {wanted}")'
    inside = scripted(hp.shards, f"np.array(g, np.{dtype})", hp.missing)
    inside[-1] += f"w = {call}({', '.join(['w', 'grad_fn', *arguments])})"
    lines = [
        "import numpy as np",
        first,
        f"for {', '.join(['gradients', *schedules])} in {loop}:  # one list a step",
        *("    " + line for line in inside),
        last,
    ]
    return "\n".join(lines)


def shortest(array: Any, dtype: str) -> Any:
    """Return nested lists of the shortest numbers that are these ones in a dtype."""
    text = [float(str(x)) for x in np.asarray(array).astype(dtype).ravel()]
    return np.reshape(text, np.shape(array)).tolist()


def listing(arrays: Any, dtype: str) -> str:
    """Write arrays as nested lists of their shortest numbers."""
    return repr([shortest(array, dtype) for array in arrays])


def told(seen: Observation, shards: int, missing: bool, dtype: str) -> str:
    """Write the gradients of a step, in the order of the points; a list for each of the shards."""
    answers: list[dict[str, str]] = [{} for _ in range(shards)]
    of = seen.shards or (0,) * len(seen.queries)
    for query, given, shard in zip(seen.queries, seen.answers, of, strict=True):
        there = [None if missing and not np.any(g) else shortest(g, dtype) for g in given]
        answers[shard or 0].setdefault(listing(query, dtype), repr(there))
    lists = ["[" + ", ".join(one.values()) + "]" for one in answers]
    return lists[0] if shards == 1 else "[" + ", ".join(lists) + "]"


def in_a_comment(
    trace: Trace, judgement: Judgement, start: str, gradients: list[str], right: str
) -> str:
    """Write the data of a failure, and what is to be done with them as a comment."""
    hp = trace.hp
    asked = {"method", "rho", "lr", *trace.probe.settings} - {"missing", "shards"}  # it is seen
    arguments = ", ".join(f"{key}={value!r}" for key, value in hp.items() if key in asked)
    steps = "one step" if len(gradients) == 1 else f"{len(gradients)} steps"
    form = ", a list for every shard" if hp.shards > 1 else ""
    form += "; None where there is none" if hp.missing else ""
    what = f"{quantity_in_words(judgement)} should be"
    lines = [
        "import numpy as np",
        f"w = {start}  # {', '.join(hp.names)}",
        f"gradients = [{', '.join(gradients)}]  # of each step, as asked for{form}",
        f"# Take {steps} from w with these gradients, with {arguments}.",
    ]
    if not right:
        return "\n".join([*lines, f"# {what} {number_wanted(judgement)}."])
    return "\n".join([*lines, f"# After that {what}:", f"right = {right}"])


def scripted(shards: int, array: str, missing: bool) -> list[str]:
    """Write the lines that define ``grad_fn``, which answers ``gradients`` and fills ``asked``.

    The last line is to be ended by the call.
    """
    value = f"g if g is None else {array}" if missing else array
    remember = "    key = str([x.tolist() for x in point]); asked.append([x.copy() for x in point])"
    if shards == 1:
        return [
            "asked, known = [], {}",
            "def grad_fn(point):",
            remember,
            f"    return [{value} for g in "
            "gradients[known.setdefault(key, len(known)) % len(gradients)]]",
            "",
        ]
    mean = f"sum(parts) / {shards} for parts in zip(*(one(point) for one in grad_fn.shards))"
    return [
        f"asked, known = [], [{{}} for _ in range({shards})]",
        "def grad_fn(point, s=None):  # of shard s, or averaged over the batch",
        f"    if s is None: return [{mean}]",
        remember,
        f"    return [{value} for g in "
        "gradients[s][known[s].setdefault(key, len(known[s])) % len(gradients[s])]]",
        f"grad_fn.shards = [lambda point, s=s: grad_fn(point, s) for s in range({shards})]; ",
    ]
