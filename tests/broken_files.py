"""Files as they break in people's hands, for whatever reads files."""

from __future__ import annotations

import builtins
import errno
import io
import os
from pathlib import Path

import pytest

PAGE = b"<!DOCTYPE html><html><body>404</body></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 31035704\n"
# What lies in the place of a file of any kind, and what is then said.
IN_ITS_PLACE = {
    "of no bytes": (b"", "is empty"),
    "web page": (PAGE, "is a web page"),
    "pointer of Git LFS": (POINTER, "is a pointer of Git LFS"),
}


def lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody open a file, not even one who may read everything, as tests in containers may."""
    opened, locked = io.open, os.fspath(path)

    def refuse(file, *arguments, **options):
        if not isinstance(file, int) and os.path.abspath(file) == locked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return opened(file, *arguments, **options)

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(io, "open", refuse)
