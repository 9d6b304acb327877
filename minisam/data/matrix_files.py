"""Read transition matrices from files, as NumPy, spreadsheets and editors write them.

In text, a line is a row, and its numbers are separated by commas, spaces, tabs or semicolons. With
semicolons a comma is a decimal point, as in the spreadsheets of half the world. Empty lines are
skipped, as is what follows a ``#``.
"""

from __future__ import annotations

import codecs
import io
import os
import warnings

import numpy as np

from minisam.data.cifar.find import BadFile, read_small
from minisam.data.noise import check_matrix
from minisam.files import expanded

SUFFIXES = (".npy", ".csv", ".tsv", ".txt")


def read_matrix(path: str | os.PathLike[str], n_classes: int) -> np.ndarray:
    """Read a transition matrix.

    Args:
        path: a ``.npy`` file, or text (``.csv``, ``.tsv``, ``.txt``) in UTF-8, or in UTF-16 with
            its mark.
        n_classes: number of classes, K.

    Returns:
        float64 array of shape (K, K).

    Raises:
        ValueError: if the file is none of these, or holds no transition matrix of K classes. The
            error names the file and, in text, the line.
        OSError: if it is not there, or may not be read.
    """
    path = expanded(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"a matrix must be a file ending in {', '.join(SUFFIXES)}, got {path}")
    content = read_small(path)
    try:
        matrix = parse_array(content) if suffix == ".npy" else parse_text(decode(content))
        return check_matrix(matrix, n_classes)
    except ValueError as error:
        raise BadFile(f"{path} is no transition matrix of {n_classes} classes: {error}") from error


def parse_array(content: bytes) -> np.ndarray:
    """Read a .npy file of numbers; no pickle is opened."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about Python 2's files, which are read all the same
            return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # NumPy raises many kinds on a damaged file
        raise ValueError(f"it is no .npy file of numbers, or a damaged one ({error})") from error


def decode(content: bytes) -> str:
    """Return a text file's text, without the byte order mark that spreadsheets put first.

    Example:
        >>> decode("0,5".encode("utf-8-sig")), decode("0,5".encode("utf-16"))
        ('0,5', '0,5')
    """
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no text in UTF-8 ({error.reason})") from None


def parse_text(text: str) -> np.ndarray:
    r"""Read the numbers of a text, line by line.

    Example:
        >>> parse_text("# T\n0.9, 0.1\n\n0.2\t0.8\n").tolist()
        [[0.9, 0.1], [0.2, 0.8]]
        >>> parse_text("0,9;0,1\r\n0,2;0,8").tolist()
        [[0.9, 0.1], [0.2, 0.8]]
    """
    decimal, separator = (",", ";") if ";" in text else (".", ",")
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.partition("#")[0].replace(separator, " ").replace(decimal, ".").split()
        try:
            row = [float(cell) for cell in cells]
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if rows and row and len(row) != len(rows[0]):
            raise ValueError(
                f"line {number} has {len(row)} numbers, those before have {len(rows[0])}"
            )
        rows += [row] if row else []
    return np.array(rows, np.float64)
