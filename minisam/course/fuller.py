"""Of two files of one student choose the one that was worked in, or ask a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from minisam.course.assignments import assignment
from minisam.course.plain import readable
from minisam.course.texts import stub
from minisam.course.work import SUFFIXES, Work, read_submission

NO_WORK = re.compile(r"check\(|from minisam\.course import check$|None$")  # a magic, as it is read


def of_several(name: str, works: Sequence[Work], stem: str) -> Work:
    """Return which of the works under one name is meant: of a script and a notebook the fuller."""
    there = [one.path for one in works if one.path is not None]
    if not there:
        return next((one for one in works if one.trouble), works[0])
    paths = {path.suffix.lower(): path for path in there}
    if len(there) == 1:  # beside a text that Moodle has in a folder of its own
        return Work(name, there[0])
    if len(paths) < len(there) or len(paths) != len(SUFFIXES):
        return Work(name, None, "several files are there under this name")
    script, notebook = (paths[suffix] for suffix in SUFFIXES)
    return fuller(name, script, notebook, stem)


def fuller(name: str, script: Path, notebook: Path, stem: str) -> Work:
    """Return the script or the notebook: which holds all that the other adds to what was released.

    Both are released, and who works in the one hands the other in as it was.
    """
    in_script, in_notebook = own_lines(script, stem), own_lines(notebook, stem)
    if in_notebook <= in_script:
        return Work(name, script)
    if in_script <= in_notebook:
        return Work(name, notebook)
    return Work(name, None, f"{readable(script.name)} and {readable(notebook.name)} differ, and "
                "both hold work")  # fmt: skip


def own_lines(path: Path, stem: str) -> set[str]:
    """Return the lines of code in a file that were not released, and do something of their own."""
    found = assignment(f"a{stem.removeprefix('hw')}")
    given = code_lines(stub(found, {}))
    try:
        written = code_lines("\n".join(read_submission(Work("", path), stem).parts))
    except (OSError, ValueError):  # a person may read what is in it
        return {readable(str(path))}
    return {line for line in written - given if not NO_WORK.match(line)}


def code_lines(text: str) -> set[str]:
    """Return the lines of a text, without comments."""
    lines = {line.strip() for line in text.splitlines()}
    return {line for line in lines if line and not line.startswith("#")}
