"""Write what students get: a stub, a notebook, public tests, and how to hand in."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from operator import methodcaller
from pathlib import Path
from typing import Any

from minisam.course.doors import NOT_ENDED, gradescope
from minisam.course.rubric import POINTS, Assignment
from minisam.course.texts import (
    cells_of,
    notebook,
    reference,
    rubric,
    solution_lines,
    source_of,
    stripped_cells,
    stub,
)
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
OTTER = '''\
"""{what}"""

from minisam.course.formative import credits_of
from otter.test_files import test_case

OK_FORMAT = False
name = "{criterion}"
points = {points}


@test_case(points=points)
def test_{criterion}(env):
    credit = credits_of(env, "{name}", {variant})["{criterion}"]
    assert credit.status == "right", f"{{credit.said}} {{credit.question}}"
'''
GRADESCOPE = {
    "setup.sh": """\
#!/usr/bin/env bash
apt-get update
apt-get install -y python3-pip bubblewrap
cd /autograder/source
PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install {install}
""",
    "run_autograder": """\
#!/usr/bin/env bash
# The file `secret` beside this one holds the seed: any text that students do not know.
cd /autograder/source
cp {not_graded} /autograder/results/results.json  # what a student reads, whatever happens here
[ -s secret ] || {{ echo "there must be a file secret beside run_autograder"; exit 0; }}
chmod 600 secret
# Gradescope gives ten minutes, and shows nothing of what takes longer
timeout 540 minisam course grade /autograder/submission --assignment {name}{variant} \\
  --out /tmp/marks --seed-file secret --gradescope /autograder/results/results.json
exit 0  # what went wrong stands in results.json
""",
}
NOT_GRADED = "not_graded.json"  # Gradescope's results of what does not come to its end
CLASSROOM50 = '''\
"""Grade a submission in Classroom 50, for practice: what is bundled here, anybody can read."""

import subprocess
import sys
from pathlib import Path

python = [sys.executable, "-m"]
install = [*python, "pip", "install", "--quiet", "--user", {word!r}]
subprocess.run(install, check=True, cwd=Path(__file__).parent)
words = "course grade . --assignment {name}{variant} --out /tmp/marks --classroom50 result.json"
sys.exit(subprocess.run([*python, "minisam", *words.split()]).returncode)
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


def release_to_staff(
    assignment: Assignment, variant: Mapping[str, Any], out: Path, install: str | None = None
) -> list[Path]:
    """Write what only the staff get: the solution, and what other systems are fed with.

    That is nbgrader's source notebook, otter's tests, Gradescope's scripts and Classroom 50's.

    Args:
        assignment: the assignment.
        variant: what this cohort's differs in.
        out: the folder, which must be empty or not be there yet.
        install: as for `release`; a wheel is put beside each script that installs it.

    Raises:
        ValueError: if the folder holds something, or pip could not install that.
    """
    check_empty(out)
    word, wheels = to_install(install)
    cells = cells_of(source_of(assignment, variant))
    texts: dict[str, str | bytes] = {
        f"{assignment.file}.py": reference(assignment, variant),
        f"{assignment.file}.ipynb": notebook(cells),
    }
    words = {"name": assignment.name, "variant": as_options(assignment, variant), "word": word,
             "install": shlex.quote(word), "not_graded": NOT_GRADED}  # fmt: skip
    texts |= {f"gradescope/{name}": text.format(**words) for name, text in GRADESCOPE.items()}
    texts[f"gradescope/{NOT_GRADED}"] = gradescope(assignment, NOT_ENDED)
    texts["classroom50/autograder.py"] = CLASSROOM50.format(**words)
    texts |= {f"{place}/{name}": content for place in ("gradescope", "classroom50")
              for name, content in wheels.items()}  # fmt: skip
    for one in assignment.criteria:
        if not one.by_staff:
            texts[f"tests/{one.name}.py"] = OTTER.format(
                what=one.what.replace("`", ""), criterion=one.name, points=one.points,
                name=assignment.name, variant=differing(assignment, variant),
            )  # fmt: skip
    return write_all(out, texts)


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


def as_options(assignment: Assignment, variant: Mapping[str, Any]) -> str:
    """Return a variant as options of the command."""
    differs = differing(assignment, variant)
    return "".join(f" --variant {key}={value}" for key, value in differs.items())


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
