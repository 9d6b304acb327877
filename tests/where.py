"""The list of every module in a line, for `tutorials/guides/where.md`, made from their docstrings.

``python tests/where.py`` writes it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "tutorials" / "guides" / "where.md"
BEGIN, END = "<!-- modules:begin -->\n", "<!-- modules:end -->"


def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring, on one line."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.sub(r"\s+", " ", docstring.split("\n\n")[0]).strip()


def modules() -> str:
    """Every room of the package with its modules, as Markdown."""
    lines: list[str] = []
    rooms: dict[Path, list[Path]] = {}
    for path in sorted((ROOT / "minisam").rglob("*.py")):
        rooms.setdefault(path.parent, []).append(path)
    for room, paths in sorted(rooms.items()):
        about = [path for path in paths if path.name == "__init__.py"]
        lines.append(f"\n### `{room.relative_to(ROOT).as_posix()}/`\n")
        lines += [f"{first_sentence(path)}\n" for path in about if first_sentence(path)]
        for path in paths:
            if path not in about and path.name != "__main__.py":
                link = f"[`{path.name}`](../../{path.relative_to(ROOT).as_posix()})"
                lines.append(f"- {link} {first_sentence(path)}")
    return "\n".join(lines).lstrip("\n") + "\n"


def spliced(text: str, between: str) -> str:
    """Put the list between its markers."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + between + END + rest.split(END)[1]


if __name__ == "__main__":
    GUIDE.write_text(spliced(GUIDE.read_text(encoding="utf-8"), modules()), encoding="utf-8")
