"""Read code out of a folder of clones, FOLDER/OWNER/NAME, and run the part of it that is meant.

What is read is the file at a commit, whatever is checked out, and only the named class or function
is run, with what it needs handed in: no other import of its file has to work.
"""

from __future__ import annotations
import __future__

import ast
import subprocess
from pathlib import Path
from typing import Any


def text_of(clones: str, repository: str, commit: str, file: str) -> str:
    """Return the text of a file of a clone, "" if it is not there."""
    clone = Path(clones) / repository
    if not clone.is_dir():
        return ""
    show = ["git", "-C", str(clone), "show", f"{commit}:{file}"]
    told = subprocess.run(show, capture_output=True, text=True, encoding="utf-8", check=False)
    return told.stdout if told.returncode == 0 else ""


def defined(text: str, *names: str, **given: Any) -> Any:
    """Run the definitions of these names alone, with what they need given; return them."""
    chosen = [one for one in ast.parse(text).body if getattr(one, "name", None) in names]
    found = {"__name__": "copied", **given}
    flags = __future__.annotations.compiler_flag  # no annotation is evaluated
    exec(compile(ast.Module(chosen, []), "copied", "exec", flags), found)
    several = tuple(found[name] for name in names)
    return several if len(several) > 1 else several[0]
