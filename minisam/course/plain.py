"""Make text of others harmless: what a submission says, what a student or a file is called."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from urllib.parse import quote

LONGEST_TEXT = 500  # characters of what is shown
LONGEST_NAME = 120  # bytes of a file's name, which may be 255


def legible(text: object, most: int = LONGEST_TEXT) -> str:
    r"""Return a text in one line that every file can hold, and that steers no terminal.

    Example:
        >>> legible("a\x1b[2J\ud800\nb"), legible("abcd", 3)
        ('a\\x1b[2J? b', 'abc…')
    """
    said = str(text)
    cut = said[:most].encode("utf-8", "replace").decode()
    kept = (c if c.isprintable() else " " if c.isspace() else f"\\x{ord(c):02x}" for c in cut)
    return "".join(kept) + ("…" if len(said) > most else "")


def readable(name: str) -> str:
    r"""Return a file's name as text; a byte of it that is none is written as an escape.

    Example:
        >>> readable("Müller"), readable("M\udcfcller")
        ('Müller', 'M\\xfcller')
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def file_name(name: str) -> str:
    """Return a student's name as a file's, on every system; letters of every script stay.

    Example:
        >>> file_name("Jürgen Lee_12"), file_name("a/../b"), file_name("=cmd()")
        ('Jürgen Lee_12', 'a%2F%2E%2E%2Fb', '%3Dcmd%28%29')
    """
    if not name.strip("."):
        return "%2E"
    whole = name.encode("utf-8", "backslashreplace")
    kept = (c if unicodedata.category(c)[0] in "LMN" else quote(c, safe=" _-.@,")
            for c in whole.decode())  # fmt: skip
    coded = "".join(kept).replace("..", "%2E%2E")
    short = coded.encode()[:LONGEST_NAME].decode("utf-8", "ignore")
    return coded if short == coded else f"{short}-{hashlib.sha256(whole).hexdigest()[:8]}"
