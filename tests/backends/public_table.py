"""The public table: what the oracle says of implementations that people use.

    python tests/backends/public_table.py            prints it
    python tests/backends/public_table.py --write    writes it to table.md and into its guide
    python tests/backends/public_table.py --write SAM_SPS     checks only the rows with this word

About two minutes. Needs the `backends` extra; for the row of pytorch-optimizer 2.1.0 also

    pip install --no-deps --target DIRECTORY pytorch-optimizer==2.1.0
    export MINISAM_PYTORCH_OPTIMIZER_2_1_0=DIRECTORY
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TABLE = HERE / "table.md"
GUIDE = ROOT / "tutorials" / "guides" / "implementations.md"
BEGIN, END = "<!-- backends:begin -->", "<!-- backends:end -->"
HEAD = (
    "| implementation | package | checked as | verdict | declare | exact vectors |",
    "|---|---|---|---|---|---|",
)


def key(one: Any) -> str:
    """Return the first two cells of a row, which say whose it is."""
    return f"| {one.name} | {one.package} {one.installed() or one.version} |"


# The flags of vectors that a declared convention fails by its nature. Nobody has to pass those of
# which the squares over- or underflow.
ASIDE = {
    "norm_epsilon": "NormEpsilon",
    "norm_floor": "NormEpsilon",
    "zero_gradient": "ZeroGradient",
    "restore": "Restore",
    "momentum_form": "LrOutsideVelocity",
}


class Row(NamedTuple):
    """A row of the table, and what in it is the device's.

    Attributes:
        text: the row.
        extremes: how many of the vectors that agree have squares which over- or underflow. Some
            devices keep subnormal numbers, others make zeros of them.
        most: how many such vectors were tried.
    """

    text: str
    extremes: int
    most: int

    def agrees_with(self, stored: str) -> bool:
        """Whether a stored row is this one, but for the vectors that depend on the device."""
        (here, ran), (there, _) = (
            map(int, re.search(r": (\d+) of (\d+)", text).groups()) for text in (self.text, stored)
        )
        more = there - here
        moved = self.text.replace(f": {here} of {ran}", f": {there} of {ran + more}")
        return moved == stored and 0 <= self.extremes + more <= self.most


def vector_cell(one: Any, adapter: Any) -> Row:
    """Return how many exact vectors agree, of those that apply, in every format together."""
    from minisam.variants.conventions import declared_settings
    from minisam.vectors import load_vectors, replay

    fixed = {"declared": tuple(declared_settings(one.declare))}  # had, whether it is read or not
    aside = {"ScaleSafe", *(ASIDE.get(name, "") for name in one.declare)}
    agree = ran = extremes = most = 0
    wrong = {}
    for vector in load_vectors(one.vectors or one.methods):
        scope = vector["hyperparameters"].get("scope")
        if scope != one.declare.get("scope", scope):
            continue
        vector = {**vector, "hyperparameters": {**vector["hyperparameters"], **fixed}}
        for dtype in vector["dtypes"]:
            try:
                outcome = replay(adapter, vector, dtype)
                passed, quantity = outcome.passed, outcome.quantity
            except Exception as error:
                passed, quantity = False, type(error).__name__
            extreme = "ScaleSafe" in vector["flags"]
            most += extreme
            extremes += bool(extreme and passed)
            if passed is None or (not passed and aside & set(vector["flags"])):
                continue
            agree += passed
            ran += 1
            if not passed:
                wrong[vector["slug"]] = quantity
    text = f"{', '.join(one.vectors or one.methods)}: {agree} of {ran}"
    told = ", ".join(f"{slug} ({quantity})" for slug, quantity in wrong.items())
    return Row(text + (f"; not {told}" if 0 < len(wrong) <= 4 else ""), extremes, most)


def row(one: Any) -> Row:
    """Check one implementation and return its row."""
    from minisam.oracle import check

    adapter = one.adapter()
    report = check(
        adapter,
        method=one.methods,
        declare=one.declare,
        known=one.known,
        probes=one.probes or None,
        timeout=120,
        name=one.name,
    )
    given = {"declare": one.declare, "known": one.known}
    declare = ", ".join(f"`{name}={value!r}`" for name, value in given.items() if value)
    vectors = vector_cell(one, adapter)
    cells = (", ".join(one.methods), report.verdict, declare, vectors.text)
    if hasattr(adapter, "close"):
        adapter.close()
    return vectors._replace(text=" ".join((key(one), *(f"{cell} |" for cell in cells))))


def spliced(text: str, table: str) -> str:
    """Return a text with the table between its markers.

    Raises:
        ValueError: if the markers are not there.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"the text has no {BEGIN} and {END}")
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{table}{END}{rest.split(END, 1)[1]}"


def main(arguments: list[str]) -> int:
    """Print or write the table; rows of what is not installed stay as they are."""
    sys.path[:0] = [str(HERE.parent), str(ROOT)]
    from backends.implementations import IMPLEMENTATIONS

    words = [argument for argument in arguments if argument != "--write"]
    stored = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    rows = list(HEAD)
    for one in IMPLEMENTATIONS:
        started = time.perf_counter()
        if one.installed() and (not words or any(word in one.name for word in words)):
            rows.append(row(one).text)
        else:
            start = f"| {one.name} | {one.package} {one.version}"
            rows += [line for line in stored if line.startswith(start)][:1]
        print(rows[-1], file=sys.stderr)
        print(f"    {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
    table = "\n".join(rows) + "\n"
    if "--write" not in arguments:
        print(table, end="")
        return 0
    TABLE.write_text(table, encoding="utf-8")
    GUIDE.write_text(spliced(GUIDE.read_text(encoding="utf-8"), table), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
