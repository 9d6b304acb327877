"""Each tutorial is a percent-format script and its executed notebook; the two must agree."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# Of any other warning a script dies. Before 3.10.7 matplotlib calls pyparsing by old names.
ERRORS = ["-W", "error"] + [
    word
    for module in ("_fontconfig_pattern", "_mathtext")
    for word in ("-W", f"ignore::DeprecationWarning:matplotlib.{module}")
]
FOLDER = Path(__file__).parent.parent / "tutorials"
SCRIPTS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def cells_of_script(text):
    """Split a percent-format script into (kind, source) cells."""
    cells = []
    for part in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        kind = "markdown" if "[markdown]" in heading else "code"
        lines = body.strip("\n").splitlines()
        if kind == "markdown":
            lines = [re.sub(r"^# ?", "", line) for line in lines]
        cells.append((kind, "\n".join(lines).strip()))
    return cells


def cells_of_notebook(text):
    return [
        (cell["cell_type"], "".join(cell["source"]).strip()) for cell in json.loads(text)["cells"]
    ]


def test_there_are_tutorials():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_and_notebook_have_the_same_cells(script):
    notebook = script.with_suffix(".ipynb")
    assert cells_of_script(script.read_text()) == cells_of_notebook(notebook.read_text())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_notebook_was_executed_from_start_to_end(script):
    cells = json.loads(script.with_suffix(".ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert outputs
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_runs_in_silence(script, tmp_path):
    threads = {name: value for name, value in os.environ.items() if name.endswith("_NUM_THREADS")}
    result = subprocess.run(
        [sys.executable, *ERRORS, str(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"MPLBACKEND": "agg", "PATH": "", **threads},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_a_changed_cell_would_be_seen():
    script = "# %% [markdown]\n# # Title\n\n# %%\nx = 1\n"
    cells = [("markdown", "# Title"), ("code", "x = 1")]
    assert cells_of_script(script) == cells
    notebook = {"cells": [{"cell_type": kind, "source": [text]} for kind, text in cells]}
    assert cells_of_notebook(json.dumps(notebook)) == cells
    notebook["cells"][1]["source"] = ["x = 2"]
    assert cells_of_notebook(json.dumps(notebook)) != cells
