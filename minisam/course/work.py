"""One student's work: what file it is, and what is in it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from minisam.course.desk import Submission
from minisam.course.texts import code_cells

SUFFIXES = (".py", ".ipynb")
MOST_BYTES = 4 << 20  # of code
MOST_OF_NOTEBOOK = 16 << 20  # of a notebook with its pictures


class Work(NamedTuple):
    """One student's work.

    Attributes:
        id: who.
        path: the file; None if there is none.
        trouble: why a person has to look first; "" if none has to.
    """

    id: str
    path: Path | None
    trouble: str = ""

    def digest(self) -> str:
        """Return what changes when the file does."""
        content = b"" if self.path is None else self.path.read_bytes()
        name = "" if self.path is None else self.path.suffix
        return hashlib.sha256(repr((self.trouble, name)).encode() + content).hexdigest()


def is_code(path: Path) -> bool:
    """Return whether a file may be a submission, by its name."""
    return path.suffix.lower() in SUFFIXES


def read_submission(found: Work, stem: str) -> Submission:
    """Read a student's file, as what it is and not as what it is called.

    Raises:
        ValueError: if it is none that could be graded.
    """
    assert found.path is not None
    if found.path.stat().st_size > MOST_OF_NOTEBOOK:
        raise ValueError(f"it is larger than {MOST_OF_NOTEBOOK >> 20} MiB")
    text = found.path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n")
    if "\0" in text:
        raise ValueError("it is not UTF-8: save it as UTF-8")
    cells = text.lstrip().startswith("{")  # as a notebook does, and no script
    parts = tuple(code_cells(text)) if cells else (text,)
    if sum(map(len, parts)) > MOST_BYTES:
        raise ValueError(f"its code is larger than {MOST_BYTES >> 20} MiB")
    return Submission(stem + (".ipynb" if cells else ".py"), parts, whole=not cells)
