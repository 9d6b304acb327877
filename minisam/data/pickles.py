"""Read CIFAR's pickles without letting them do anything.

A pickle is a program: it may name any function of any module and call it. An official CIFAR batch
needs two functions only, those that rebuild a NumPy array. `loads` gives a pickle stand-ins for these
(and for the few that newer writers use instead), which check what they are given, and refuses every
other name. No function of NumPy, and no attribute of any module, is within a pickle's reach.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np

PLAIN_TYPES = ("b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")


class UnsafePickle(ValueError):
    """A pickle asked for something that no CIFAR file needs."""


class _Type:
    """Stands in for ``numpy.dtype``: a number type by name, and nothing else."""

    def __init__(self, name: Any, *ignored: Any) -> None:
        name = name.decode("latin1") if isinstance(name, bytes) else name
        if not (isinstance(name, str) and name.lstrip("<>|=") in PLAIN_TYPES):
            raise UnsafePickle(f"array of type {name!r}: only plain numbers are allowed")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        order = order.decode("latin1") if isinstance(order, bytes) else order
        if order not in ("<", ">", "|", "="):
            raise UnsafePickle(f"array of byte order {order!r}")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands in for the empty array that ``__setstate__`` then fills."""

    array: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise UnsafePickle("array with an unknown kind of state")
        _, shape, kind, fortran_order, data = state
        self.array = _array(data, kind, shape, "F" if fortran_order else "C")


def _array(data: Any, kind: Any, shape: Any, order: Any) -> np.ndarray:
    """View bytes as an array, after checking that they are as many as its shape says."""
    if not (isinstance(kind, _Type) and isinstance(data, bytes | bytearray)):
        raise UnsafePickle("array that is not made of bytes and a plain type")
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
        raise UnsafePickle(f"array of shape {shape!r:.80}")
    if order not in ("C", "F") or len(shape) > 8:
        raise UnsafePickle(f"array in order {order!r:.80} with {len(shape)} axes")
    if math.prod(shape) * kind.dtype.itemsize != len(data):
        raise UnsafePickle(f"array of shape {shape!r:.80} from {len(data)} bytes")
    return np.frombuffer(data, kind.dtype).reshape(shape, order=order)


def _reconstruct(cls: Any, shape: Any, kind: Any) -> _Array:
    if cls is not _NDARRAY:
        raise UnsafePickle("array of an unknown class")
    return _Array()


def _encode(text: Any, encoding: Any) -> bytes:
    """Stands in for ``_codecs.encode``, with which Python 3 writes bytes in protocol 2."""
    if not (isinstance(text, str) and encoding in ("latin1", b"latin1")):
        raise UnsafePickle("encoding other than latin1")
    return text.encode("latin1")


_NDARRAY = object()  # stands in for ``numpy.ndarray``, which is only named, never called

STAND_INS = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
}
for _core in ("numpy.core", "numpy._core"):
    STAND_INS[_core + ".multiarray", "_reconstruct"] = _reconstruct
    STAND_INS[_core + ".numeric", "_frombuffer"] = _array


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return STAND_INS[module, name]
        except KeyError:
            raise UnsafePickle(f"it asks for {module}.{name}") from None

    def persistent_load(self, identifier: Any) -> Any:
        raise UnsafePickle("it refers to objects outside itself")


class _Memory:
    """A file in memory whose reads are views, so that unpickling copies nothing but the arrays."""

    def __init__(self, data: bytes) -> None:
        self.view, self.position = memoryview(data), 0

    def peek(self, n: int) -> memoryview:
        return self.view[self.position :]

    def read(self, n: int) -> memoryview:
        piece = self.view[self.position : self.position + n]
        self.position += len(piece)
        return piece

    def readline(self) -> bytes:
        rest = io.BytesIO(self.view[self.position : self.position + 4096])
        line = rest.readline()
        self.position += len(line)
        return line


def loads(data: bytes) -> dict[str, Any]:
    """Read a pickled dictionary whose values are arrays, numbers, text or lists of these.

    Args:
        data: the whole file. Unless its hash is known it should have passed `check_harmless` first.

    Returns:
        The dictionary, its keys as str; text that Python 2 wrote comes as bytes.

    Raises:
        UnsafePickle: if it asks for anything but plain arrays.
        ValueError: if it is no pickle, or a damaged one, or holds no dictionary.

    Example:
        >>> loads(pickle.dumps({"labels": [3, 1]}))
        {'labels': [3, 1]}
    """
    try:
        content = _Unpickler(_Memory(data), encoding="bytes").load()
    except UnsafePickle:
        raise
    except Exception as error:  # whatever a damaged pickle makes of the stand-ins
        raise ValueError(f"not a pickle, or a damaged one ({type(error).__name__})") from error
    if not isinstance(content, dict):
        raise ValueError(f"the pickle holds a {type(content).__name__}, not a dict")
    result = {}
    for key, value in content.items():
        key = key.decode("latin1") if isinstance(key, bytes) else key
        result[str(key)] = value.array if isinstance(value, _Array) else value
    return result
