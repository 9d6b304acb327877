"""Kinds of fault that bug reports of other projects suggest, and where each is tested.

A test that holds one of them names it: ``@pytest.mark.fault("kind", "place", …)``, where a place is
a command, a function or a file format. ``python tests/kinds.py`` writes the table, `kinds.md`.
"""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent

KINDS = {
    "ends-the-process": "code under test exits, at import or in a step",
    "module-of-another": "one submission sees the modules or the path of another",
    "time-limit-swallowed": "code under test catches what should stop it",
    "time-limit-value": "a limit of 0, a negative, infinite or huge number, NaN",
    "alarm-of-the-caller": "the caller's timers and signal handlers are left as they were",
    "missing-from-the-platform": "no timers, no threads, no home folder, no permission",
    "output-mixed": "what is printed on the way gets into the output that a program reads",
    "console-encoding": "a terminal or a pipe that is not UTF-8",
    "returned-value": "code under test returns something other than a list of arrays",
    "signature": "code under test takes its arguments in another way",
    "option-alone": "options that only make sense together, or without another",
    "declared-together": "two settings that are right each by itself, together",
    "option-value": "an option's value is out of range, or not a number at all",
    "shape": "arrays of 0, 1, column and row shapes, or of another number of entries",
    "dtype": "integers, booleans, big-endian and object arrays, Python numbers",
    "special-value": "infinities, NaN, negative zero, subnormal numbers",
    "memory-layout": "Fortran order, negative strides, read-only, unaligned arrays",
    "said-of-the-data": "a sentence that counts something counts what there is",
    "said-of-the-code": "an error in code under test is told with its line and its way out",
    "stated-accuracy": "an error that is printed bounds the error that is made",
    "file-read": "an empty, cut, foreign, locked or oddly encoded file is read",
    "file-written": "a full disk, a link, a missing folder, the source as the target",
    "input-bomb": "a small input that would take any amount of memory or time",
    "home-folder": "a path with ~, wherever a path is taken",
    "resumed-as-another": "a run is gone on with by other settings, or past its end",
    "round-trip": "settings and results come back from a file as they went in",
    "cached-by-name": "two functions of one name share what is kept by name",
    "machine-size": "the cores and the memory that the process may use",
    "cannot-fail": "a test that passes whatever happens, a bound that allows anything",
    "test-data": "what is chosen is chosen on examples and labels that no reported number uses",
    "same-elsewhere": "the same input gives the same result on another machine",
}


def marked(tests: Path = HERE) -> dict[str, dict[str, set[str]]]:
    """The places and the test files by kind, read from the marks without importing a test."""
    found: dict[str, dict[str, set[str]]] = {}
    for path in sorted(tests.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
                kind, *places = (ast.literal_eval(argument) for argument in node.args)
                by_place = found.setdefault(kind, {})
                for place in places:
                    by_place.setdefault(place, set()).add(path.relative_to(tests).as_posix())
    return found


def table(found: dict[str, dict[str, set[str]]]) -> str:
    """The kinds and their places as a markdown table."""
    lines = ["# Kinds of fault, and where each is tested", "", "| kind | what | place | test |"]
    lines += ["|---|---|---|---|"]
    for kind, what in KINDS.items():
        for place, files in sorted(found.get(kind, {}).items()):
            lines.append(f"| {kind} | {what} | {place} | {', '.join(sorted(files))} |")
            kind, what = "", ""
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "kinds.md").write_text(table(marked()), encoding="utf-8")
