"""Find what students handed in: a folder for each, or what a learning platform exports."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from minisam.course.fuller import of_several
from minisam.course.plain import readable
from minisam.course.work import SUFFIXES, Work, is_code

# "doejane_123_4567_hw2.py", perhaps with "_LATE"; "hw2_jdoe_attempt_2026-11-27-…_hw2.py"
CANVAS = re.compile(r"(?P<id>[^_]+(?:_LATE)?_\d+)_\d+_.*")
BLACKBOARD = re.compile(r".+?_(?P<id>[^_]+)_attempt_[\d-]+.*")
FOLDER = re.compile(r"hw[1-9]", re.IGNORECASE)  # as nbgrader has one for each assignment
MOODLE = re.compile(r"(?P<id>.+?)_assignsubmission_(?:file|onlinetext)_?")


def found_in(folder: Path, stem: str, alone: bool = False) -> list[Work]:
    """Return the submissions in a folder, by student.

    Args:
        folder: holds a folder for each student, or the exported files.
        stem: the file's name without its ending, such as ``hw2``.
        alone: whether the folder is one student's.

    Raises:
        ValueError: if there is nothing.
    """
    if folder.is_file():
        raise ValueError(f"{str(folder)!r} must be a folder: unpack the file first")
    if not folder.is_dir():
        raise ValueError(f"there is no folder {str(folder)!r}")
    if alone:
        return [of_folder("submission", folder, stem)]
    found: list[Work] = []
    others: list[tuple[str, str]] = []
    left = passed_over(folder)
    for path in visible_in(folder):
        if path.is_dir():
            match = MOODLE.fullmatch(readable(path.name))
            found.append(of_folder(match["id"] if match else readable(path.name), path, stem))
        elif is_code(path):
            found.append(Work(student(readable(path.stem)), path))
        elif readable(path.name) not in left:
            others.append((student(readable(path.stem)), readable(path.name)))
    known = {one.id for one in found}
    for name in sorted({who for who, _ in others} - known):
        names = ", ".join(file for who, file in others if who == name)
        found.append(Work(name, None, f"there is no .py or .ipynb, only {names}"))
    if not found:
        only = f", only {', '.join(left[:4])}: unpack it first if it holds them" if left else ""
        raise ValueError(f"there is no submission in {str(folder)!r}{only}")
    twice = {name for name, count in Counter(one.id for one in found).items() if count > 1}
    kept = [one for one in found if one.id not in twice]
    several = [of_several(name, [one for one in found if one.id == name], stem) for name in twice]
    return sorted(kept + several)


def passed_over(folder: Path) -> list[str]:
    """Return the names of loose files that nobody is known by: neither code, nor a platform's."""
    loose = [path for path in visible_in(folder) if not path.is_dir() and not is_code(path)]
    return [readable(path.name) for path in loose
            if student(readable(path.stem)) == readable(path.stem)]  # fmt: skip


def visible_in(folder: Path) -> list[Path]:
    """Return what is in a folder and not hidden, in order."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "_"))]


def student(name: str) -> str:
    """Return who an exported file is from.

    Example:
        >>> student("doejane_LATE_123_4567_hw2-1"), student("hw2_jdoe_attempt_2026-11-27-10_hw2")
        ('doejane_LATE_123', 'jdoe')
        >>> student("ann")
        'ann'
    """
    match = CANVAS.fullmatch(name) or BLACKBOARD.fullmatch(name)
    return match["id"] if match else name


def of_folder(name: str, folder: Path, stem: str) -> Work:
    """Return a student's file: the nearest one of the right name, or else the only one."""
    try:
        every = sorted(one for one in folder.rglob("*") if one.is_file())
    except OSError as error:
        return Work(name, None, f"the folder cannot be read: {error}")
    every = [one for one in every if not set_aside(one.relative_to(folder), stem)]
    home = folder.resolve()  # what a link names elsewhere would be read with our rights, and quoted
    away = [one for one in every if home not in one.resolve().parents]
    every = [one for one in every if one not in away]
    if away and not every:
        return Work(name, None, f"{readable(away[0].name)} is a link to what was not handed in")
    there = [one for one in every if is_code(one)]
    if every and not there:
        names = ", ".join(readable(one.name) for one in every[:4])
        return Work(name, None, f"there is no .py or .ipynb, only {names}")
    named = [one for one in there if one.name.lower() in [stem + suffix for suffix in SUFFIXES]]
    if named:
        top = min(len(one.parts) for one in named)
        nearest = [Work(name, one) for one in named if len(one.parts) == top]
        return nearest[0] if len(nearest) == 1 else of_several(name, nearest, stem)
    if len(there) > 1:
        names = ", ".join(readable(one.name) for one in there[:4])
        return Work(name, None, f"none of the files is {stem}.py: {names}")
    return Work(name, there[0] if there else None)


def set_aside(path: Path, stem: str) -> bool:
    """Return whether a file is hidden, or of another assignment's folder and not of this name.

    Example:
        >>> [set_aside(Path(name), "hw2") for name in (".git/a.py", "hw1/hw1.py", "hw1/hw2.py")]
        [True, True, False]
    """
    hidden = any(part.startswith((".", "_")) for part in path.parts)
    others = any(FOLDER.fullmatch(part) and part.lower() != stem for part in path.parts[:-1])
    return hidden or (others and path.stem != stem)
