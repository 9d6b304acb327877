"""Write what only the staff get: the solution, and what other systems are fed with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minisam.course.doors import NOT_ENDED, gradescope
from minisam.course.release import check_empty, differing, to_install, write_all
from minisam.course.rubric import Assignment
from minisam.course.texts import cells_of, notebook, reference, source_of

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


def as_options(assignment: Assignment, variant: Mapping[str, Any]) -> str:
    """Return a variant as options of the command."""
    differs = differing(assignment, variant)
    return "".join(f" --variant {key}={value}" for key, value in differs.items())
