"""Read the secret seed of a class, or make it once, and never another for the same results."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from minisam.files import check_writable


def new_seed(path: Path) -> int:
    """Return the secret seed of a file that is made now, and that nobody else may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(16) + "\n", encoding="ascii")
    return seed_in(path)


def known_seed(path: Path) -> int | None:
    """Return the secret seed of a file; None if it is not there, and can be made.

    Raises:
        ValueError: if it is empty, or can be neither read nor made.
    """
    if path.exists() and not path.is_dir():
        return seed_in(path)
    check_writable(path, "--seed-file")
    return None


def seed_in(path: Path) -> int:
    """Return the secret seed of a file; it may be a pipe, which can be read only once."""
    text = path.read_bytes().strip()
    if not text:
        raise ValueError(f"the seed file {str(path)!r} is empty")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def refuse_new_seed(out: Path, secret: Path) -> None:
    """Refuse to make a seed where results are kept, which all had another: it would change them.

    Raises:
        ValueError: if there are results, and the file of the seed is not there.
    """
    if not secret.exists() and any((out / "results").glob("*.json")):
        raise ValueError(f"--seed-file must be the one that the results in {str(out)!r} were "
                         f"graded with, got {str(secret)!r}, which is not there: give that file, "
                         "or another folder")  # fmt: skip
