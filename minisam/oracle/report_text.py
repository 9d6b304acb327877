"""Write a report for a terminal: one screen for an author, all of it for a maintainer."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a report loads this module to be printed
    from minisam.oracle.report import Report

COLUMNS = 88
SCREEN = 24  # lines
MORE = "--verbose, or report.text(verbose=True), says more."
FIRST_WRONG = "First wrong:"  # begins the advice that the script shows in shorter numbers
BY_CONVENTION = "What it does by convention:"  # begins the advice that says what to declare
# What probes ask for, in a reader's words.
WORDS = {
    "asam": "ASAM",
    "sam": "SAM",
    "sgd": "SGD",
    "decay": "another weight decay",
    "frozen": "frozen tensors",
    "groups": "parameter groups",
    "missing-gradient": "tensors without a gradient",
    "nesterov": "Nesterov momentum",
    "p": "other norms (p)",
    "rho": "ρ",
    "saved": "a state that is saved and loaded",
    "scheduler": "a scheduler",
    "shards": "split batches",
    "weight_decay": "weight decay",
}


def at_length(report: Report) -> str:
    """Return everything: verdict, reason, advice, what fails, the script, what did not run."""
    lines = [f"{report.name}: {report.verdict}", "", *wrapped(report.headline)]
    for advice in report.advice:
        lines += wrapped(advice, "  → ", "    ")
    if report.failures():
        lines += ["", *wrapped(report.failures())]
    lines += script_lines(report)
    for remark in report.remarks():
        lines += ["", *wrapped(remark)]
    return "\n".join(lines)


def on_one_screen(report: Report) -> str:
    """Return what a reader needs first, in at most 24 lines of at most 88 columns.

    The verdict and its reason, as much of the advice as there is room for, the script, and what was
    not tried. What is left out, the last line says where to find.
    """
    head = [*cut(wrapped(f"{report.name}: {report.verdict}", "", "  "), 2), ""]
    head += cut(wrapped(report.headline), 4)
    told = [one for one in report.advice if not on_the_script(report, one)]
    # What to declare comes second: until it is declared, most probes go on failing.
    declare = [one for one in told if one.startswith(BY_CONVENTION)]
    told = [*told[:1], *declare, *told[1:]]
    advice = [wrapped(one, "  → ", "    ") for one in dict.fromkeys(told)]
    shown, foot = script_lines(report), ending(report, 4)
    least = len(cut(advice[0], 4)) if advice else 0
    if len(head) + least + len(shown) + len(foot) + 1 > SCREEN:
        shown = ["", *wrapped("The smallest failing input takes more than is shown here.")]
    for most in (4, 2, 1):
        foot = ending(report, most)
        room = SCREEN - len(head) - len(shown) - len(foot) - 1  # the last line is for MORE
        body = beginning(advice, room)
        if not declare or BY_CONVENTION in "\n".join(body):
            break
    lines = [*head, *body, *shown, *foot]
    if report.results:
        lines.append(f"  {MORE}")
    return "\n".join(lines)


def beginning(advice: list[list[str]], room: int) -> list[str]:
    """Return as many pieces of advice as there is room for; of the first at most 4 lines."""
    body: list[str] = []
    for number, one in enumerate(advice):
        part = cut(one, 4) if number == 0 else one
        if len(body) + len(part) > room:
            break
        body += part
    return body


def ending(report: Report, most: int) -> list[str]:
    """Return what is known to fail and what was not tried, in so many lines at most for each."""
    known = [line for line in report.remarks() if line.startswith("known:")]
    rest = [part for line in (*known, tried(report)) if line for part in cut(wrapped(line), most)]
    return ["", *rest] if rest else []


def on_the_script(report: Report, advice: str) -> bool:
    """Return whether a line of advice tells what the script shows, in longer numbers."""
    return bool(report.reproduction) and advice.startswith(FIRST_WRONG)


def script_lines(report: Report) -> list[str]:
    """Return the lines that show the script and what it is; it is not indented, to be copied."""
    if not report.reproduction:
        return []
    return ["", f"  {report.beside}", "", *report.reproduction.splitlines()]


def tried(report: Report) -> str:
    """Say in a reader's words how much was tried, how much of it fails, and what was not.

    Example:
        >>> from minisam.oracle import check
        >>> def sgd(w, grad_fn, *, rho, lr):
        ...     return [x - lr * g for x, g in zip(w, grad_fn(w))]
        >>> report = check(sgd, dtype="float64", probes=["sam-one-tensor", "sam-momentum"])
        >>> tried(report)
        '1 of 1 checks fails. Not tried: momentum, float32, bfloat16.'
    """
    counts = report.counts()
    ran = report.ran - counts.get("out of range", 0)
    failing = counts.get("fail", 0) + counts.get("error", 0)
    text = f"{failing} of {ran} checks {'fails' if failing == 1 else 'fail'}. " if failing else ""
    elsewhere = {result.probe for result in report.results if result.status != "not run"}
    named, others = [], []
    for result in report.results:
        what = result.why.what
        missing = result.probe not in elsewhere or what == result.dtype
        if result.status == "not run" and missing:
            named += [WORDS.get(what, what.replace("_", " "))] if what else []
            others += [] if what else [str(result.why)]
    seen = {result.dtype for result in report.results if result.status != "not run"}
    named = [name for name in dict.fromkeys(named) if name not in seen]
    if named:
        text += f"Not tried: {', '.join(named)}. "
    for why in dict.fromkeys(others):
        text += f"{others.count(why)} not made: {why}. "
    return text.rstrip()


def cut(lines: list[str], most: int) -> list[str]:
    """Return at most so many lines, the last of which says so if some are left out."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"{lines[most - 1][: COLUMNS - 2].rstrip()} …"]


def wrapped(text: str, first: str = "  ", rest: str = "  ") -> list[str]:
    """Fold a paragraph."""
    return textwrap.wrap(text, COLUMNS, initial_indent=first, subsequent_indent=rest) or [""]
