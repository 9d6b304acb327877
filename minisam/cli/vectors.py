"""``minisam vectors --out DIR``: take the exact vectors along, to check any language's SAM."""

from __future__ import annotations

import argparse
from operator import methodcaller
from pathlib import Path

from minisam.adapters.wire import SCHEMA
from minisam.files import expanded, given_path, write_atomically
from minisam.vectors import DIRECTORY, manifest


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--out",
        type=given_path,
        required=True,
        metavar="DIR",
        help="directory to write to; made if new",
    )
    parser.add_argument(
        "--force", action="store_true", help="write into a directory that holds something already"
    )


def readme() -> str:
    """Return the README of an export."""
    listing = manifest()
    files = "\n".join(f"| `{one['file']}` | {one['count']} |" for one in listing["files"])
    text = (DIRECTORY / "README.md").read_text(encoding="utf-8")
    values = {"version": listing["version"], "count": str(listing["count"]), "files": files}
    for key, value in values.items():
        text = text.replace("{" + key + "}", value)
    return text


def export(directory: Path) -> list[Path]:
    """Write all vectors, their manifest, schemas and README into a directory.

    Args:
        directory: is made, with its parents, if it does not exist.

    Returns:
        The files written. Each appears whole or not at all.
    """
    names = ["manifest.json", "schema.json", *(one["file"] for one in manifest()["files"])]
    contents = {name: (DIRECTORY / name).read_bytes() for name in names}
    contents[SCHEMA.name] = SCHEMA.read_bytes()
    for path in sorted((DIRECTORY / "models").glob("*.*")):
        contents[f"models/{path.name}"] = path.read_bytes()
    contents["README.md"] = readme().encode()
    for name, content in contents.items():
        write_atomically(directory / name, methodcaller("write", content))
    return [directory / name for name in contents]


def run(arguments: argparse.Namespace) -> int:
    """Export, and say what was written."""
    directory = expanded(arguments.out)
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"--out must be a directory, {directory} is a file")
    if directory.is_dir() and any(directory.iterdir()) and not arguments.force:
        raise ValueError(f"{directory} is not empty; choose another --out or add --force")
    files = export(directory)
    print(f"{len(files)} files in {directory}; start with {directory / 'README.md'}")
    return 0
