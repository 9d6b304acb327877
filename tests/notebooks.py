"""Make the notebooks again from their scripts: run them, and keep what a reader sees.

``python tests/notebooks.py [08 …]`` writes ``tutorials/NN_*.ipynb``, all of them by default; it
needs the ``notebooks`` extra. Only what helps a reader or a reviewer is kept: tags, not times.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TUTORIALS = Path(__file__).parent.parent / "tutorials"
KEPT = ("tags", "lines_to_next_cell")  # of a cell's metadata
HEAD = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def in_lines(value: Any) -> Any:
    """A text as the list of its lines, as notebooks have it; anything else as it is."""
    return value.splitlines(keepends=True) if isinstance(value, str) else value


def output(made: dict[str, Any]) -> dict[str, Any]:
    """What a cell printed or drew, in a form that differs only where it shows something else."""
    kept = {key: value for key, value in made.items() if key != "transient"}
    if "text" in kept:
        kept["text"] = in_lines(kept["text"])
    if "data" in kept:
        kept["data"] = {
            kind: value if kind == "image/png" else in_lines(value)
            for kind, value in kept["data"].items()
        }
    return kept


def cell(number: int, ran: Any) -> dict[str, Any]:
    """One cell as it is kept."""
    metadata = {key: ran.metadata[key] for key in KEPT if key in ran.metadata}
    kept = {
        "cell_type": ran.cell_type,
        "id": f"cell-{number:02d}",
        "metadata": metadata,
        "source": in_lines(ran.source),
    }
    if ran.cell_type == "code":
        outputs = [output(json.loads(json.dumps(one))) for one in ran.outputs]
        kept |= {"execution_count": ran.execution_count, "outputs": outputs}
    return kept


def notebook(script: Path) -> str:
    """Run a script cell by cell, and return the text of its notebook."""
    import jupytext
    from nbclient import NotebookClient

    ran = jupytext.read(script)
    where = {"metadata": {"path": str(script.parent)}}
    at_once = {"coalesce_streams": True}  # what is printed comes in pieces, as the clock has it
    NotebookClient(ran, timeout=300, kernel_name="python3", resources=where, **at_once).execute()
    old = script.with_suffix(".ipynb")
    head = json.loads(old.read_text(encoding="utf-8"))["metadata"] if old.exists() else HEAD
    cells = [cell(number, one) for number, one in enumerate(ran.cells)]
    kept = {"cells": cells, "metadata": head, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    for chosen in sys.argv[1:] or [""]:
        for path in sorted(TUTORIALS.glob(f"{chosen}*_*.py")):
            path.with_suffix(".ipynb").write_text(notebook(path), encoding="utf-8")
            print(path.with_suffix(".ipynb").name)
