"""Find the line of a user's code that an exception came from."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

LIBRARIES = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"))
INSTALLED = {"site-packages", "dist-packages"}
LONGEST = 60  # characters that are shown of a source line


def line_of(error: BaseException) -> str:
    """Return " (FILE, line N: SOURCE)", the last line that belongs to no library; "" if none does.

    The folder is not named, since a report is read on other machines too.
    """
    try:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.line and not of_a_library(frame.filename)]
    except Exception:  # a module of untrusted code may have a loader of its own
        return ""
    if not own:
        return ""
    file, line = Path(own[-1].filename), str(own[-1].line)
    name = "cell" if file.parent.name.startswith("ipykernel_") else file.name
    shown = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    return f' ({name}, line {own[-1].lineno}: "{shown}")'


def of_a_library(file: str) -> bool:
    """Return whether a file belongs to minisam, to Python, or to an installed package."""
    path = Path(file)
    return bool(INSTALLED & {*path.parts}) or any(map(path.is_relative_to, LIBRARIES))
