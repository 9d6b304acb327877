"""The second public table: what the oracle says of code that people copy from repositories.

    git clone https://github.com/davda54/sam CLONES/davda54/sam     and so on, for every row
    MINISAM_CLONES=CLONES python tests/backends/repository_table.py            prints it
    MINISAM_CLONES=CLONES python tests/backends/repository_table.py --write    writes it
    … --write davda54/sam     checks only the rows with this word

About ten minutes. Needs the `backends` extra, and tensorflow for two rows. A row whose clone is not
there, or has not the commit, stays as it is, and is said to.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TABLE = HERE / "repositories.md"
BEGIN, END = "<!-- repositories:begin -->", "<!-- repositories:end -->"
HEAD = (
    "| implementation | repository | commit | file | checked as | verdict | declare | its code |",
    "|---|---|---|---|---|---|---|---|",
)


def key(one: Any) -> str:
    """Return the first four cells of a row, which say whose it is."""
    return f"| {one.name} | {one.repository} | {one.commit} | {one.file} |"


def row(one: Any, text: str, probes: tuple[str, ...] = ()) -> str:
    """Check one implementation, of which this is the file, and return its row."""
    from minisam.oracle import check

    report = check(
        one.adapter(text),
        method=one.methods,
        dtype=("float64", "float32"),
        declare=one.declare,
        known=one.known,
        probes=probes or None,
        timeout=120,
        name=one.name,
    )
    given = {"declare": one.declare, "known": one.known}
    declare = ", ".join(f"`{name}={value!r}`" for name, value in given.items() if value)
    declare = declare.replace("|", r"\|")  # else it ends the cell
    return f"{key(one)} {', '.join(one.methods)} | {report.verdict} | {declare} | {one.note} |"


def main(arguments: list[str]) -> int:
    """Print or write the table; rows of what is not there stay as they are."""
    sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]
    from backends.public_table import GUIDE, spliced
    from backends.repositories import COPIED

    words = [argument for argument in arguments if argument != "--write"]
    stored = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    rows = list(HEAD)
    for one in COPIED:
        if words and not any(word in key(one) for word in words):
            said = "not asked for"
        else:
            started, said = time.perf_counter(), one.missing()
        if said:
            rows += [line for line in stored if line.startswith(key(one))][:1]
        else:
            rows.append(row(one, one.text()))
            said = f"{time.perf_counter() - started:.1f} s"
        print(f"{key(one)}\n    {said}", file=sys.stderr, flush=True)
    table = "\n".join(rows) + "\n"
    if "--write" not in arguments:
        print(table, end="")
        return 0
    TABLE.write_text(table, encoding="utf-8")
    text = spliced(GUIDE.read_text(encoding="utf-8"), table, BEGIN, END)
    GUIDE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
