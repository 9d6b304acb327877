"""Write what students get: a stub, a notebook, public tests, and how to hand in."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from operator import methodcaller
from pathlib import Path
from typing import Any

from minisam.course.rubric import POINTS, Assignment
from minisam.course.texts import notebook, rubric, solution_lines, source_of, stripped_cells, stub
from minisam.course.wheel import wheel
from minisam.files import write_atomically

TESTS = '''\
"""The public checks of homework {number}: practice, which counts for nothing.

The marked run uses other numbers.
"""

from pathlib import Path

import pytest

from minisam.course.formative import credits_in

HERE = Path(__file__).parent
NAMES = {names}


@pytest.fixture(scope="module")
def credits():
    return credits_in(HERE, "{name}", {variant})


@pytest.mark.parametrize("name", NAMES)
def test_skill(name, credits):
    credit = credits[name]
    assert credit.status == "right", f"{{credit.said}} {{credit.question}}"
'''
WORKFLOW = """\
name: check
on: push
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: |
          python -m pip install {install} pytest
      - run: python -m pytest -q test_{file}.py
"""
FIRST = " Begin with the predictions:\na wrong guess costs nothing."
READ = " What you only write down, such as a guess,\nis read and not run: write the value itself."
README = """\
# Homework {number}: {title}

Write in `{file}.py` or in `{file}.ipynb`, and hand in one of the two.{first}

{rubric}

{points} points. Once, in this folder:

```sh
python -m pip install {install} pytest
```

Then `python -m pytest test_{file}.py`, or the last cell of the notebook, checks your work with
public numbers. That is practice and counts for nothing; the marked run uses other numbers, and runs
your file by itself, with NumPy and nothing else.{read}

Say in a line at the top of your file which tools wrote code or text for you, and which parts.
"""


def release(
    assignment: Assignment, variant: Mapping[str, Any], out: Path, install: str | None = None
) -> list[Path]:
    """Write an assignment's folder for students.

    Args:
        assignment: the assignment.
        variant: what this cohort's differs in.
        out: the folder, which must be empty or not be there yet.
        install: what pip is to install, such as an address; by default a wheel of this minisam,
            which is put into the folder.

    Returns:
        The files.

    Raises:
        ValueError: if the folder holds something, pip could not install that, or a line of the
            solution would get out; nothing is written then.
    """
    check_empty(out)
    word, wheels = to_install(install)
    texts = released(assignment, variant, shlex.quote(word))
    secret = solution_lines(source_of(assignment, variant))
    for name, text in texts.items():
        left = [line for line in secret if line in text]
        if left:
            raise ValueError(f"{name} would hold a line of the solution: {left[0]!r}")
    return write_all(out, {**texts, **wheels})


def to_install(install: str | None) -> tuple[str, dict[str, bytes]]:
    """Return what pip is to install, and the files that it finds in its own folder.

    Raises:
        ValueError: if pip, elsewhere, can install no such thing.

    Example:
        >>> to_install("minisam @ git+https://example.org/minisam")
        ('minisam @ git+https://example.org/minisam', {})
    """
    if install is None:
        name, content = wheel()
        return f"./{name}", {name: content}
    given = install.strip()
    if not given or given.startswith("-") or not given.isprintable():
        raise ValueError(f"--install must be what pip can install, in one line, got {install!r}")
    if Path(given).is_file():
        raise ValueError(f"--install must be an address that others reach, got {install!r}, a file "
                         "of this machine")  # fmt: skip
    return given, {}


def differing(assignment: Assignment, variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a variant is not the default."""
    return {key: value for key, value in variant.items() if value != assignment.defaults[key]}


def check_empty(out: Path) -> None:
    """Raise ValueError if a folder holds something."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"--out must be an empty folder, or none yet, got {str(out)!r}")


def write_all(out: Path, texts: Mapping[str, str | bytes]) -> list[Path]:
    """Write texts and wheels into a folder; scripts can be run."""
    files = []
    for name, text in texts.items():
        content = text if isinstance(text, bytes) else text.encode()
        path = write_atomically(out / name, methodcaller("write", content))
        if content.startswith(b"#!"):
            path.chmod(0o755)
        files.append(path)
    return files


def released(assignment: Assignment, variant: Mapping[str, Any], install: str) -> dict[str, str]:
    """Return the files that students get, by name; a shell reads ``install``."""
    cells = stripped_cells(source_of(assignment, variant))
    file, number = assignment.file, assignment.number
    names = [one.name for one in assignment.criteria if not one.by_staff]
    return {
        f"{file}.py": stub(assignment, variant),
        f"{file}.ipynb": notebook(cells),
        f"test_{file}.py": TESTS.format(
            number=number, names=names, name=assignment.name, variant=differing(assignment, variant)
        ),
        "README.md": README.format(
            number=number, title=assignment.title, file=file, points=POINTS,
            rubric="\n".join(rubric(assignment)), install=install,
            read=READ if any(not one.function and not one.by_staff for one in assignment.criteria)
            else "",
            first=FIRST if any("PREDICTION" in cell.text for cell in cells) else "",
        ),
        ".github/workflows/check.yml": WORKFLOW.format(file=file, install=install),
    }  # fmt: skip
