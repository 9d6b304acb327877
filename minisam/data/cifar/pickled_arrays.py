"""Rebuild arrays from a pickle's words for them, with stand-ins for the functions that it names.

A pickle rebuilds an array by naming functions of NumPy and calling them. Here these names, and the
few others that some writers use, lead to the functions of this module, which check what they are
given; every other name is refused. No function of NumPy and no attribute of any module is within a
pickle's reach.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

PLAIN_TYPES = ("b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")
LONGEST_NAME = 1000  # characters; the longest of CIFAR's class names has 14


class UnsafePickle(ValueError):
    """A pickle asked for something that no CIFAR file needs."""


class ElementType:
    """Stand in for ``numpy.dtype``: numbers or text by name, or ``O`` for one Python object."""

    def __init__(self, name: Any, *ignored: Any) -> None:
        self.name = short_text(name)
        plain = self.name.lstrip("<>|=")
        if plain not in (*PLAIN_TYPES, "O", "O8") and not re.fullmatch(r"[SU]\d{1,4}", plain):
            raise UnsafePickle(f"it holds an array of type {self.name!r:.80}")
        self.order = "="

    def __setstate__(self, state: Any) -> None:
        self.order = short_text(state[1]) if isinstance(state, tuple) and len(state) > 1 else ""
        if self.order not in ("<", ">", "|", "="):
            raise UnsafePickle(f"it holds an array of byte order {self.order!r:.80}")


class PickledArray:
    """Stand in for ``numpy.ndarray``: empty when made, filled by ``__setstate__``."""

    content: Any = None

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise UnsafePickle("it holds an array of an unknown kind")
        _, shape, kind, fortran_order, data = state
        if isinstance(kind, ElementType) and kind.name.startswith("O"):
            # `numpy.save` wraps a dictionary in an array without axes; nothing else may hide there.
            if shape != () or not (isinstance(data, list) and len(data) == 1):
                raise UnsafePickle("it holds an array of Python objects")
            self.content = data[0]
        else:
            self.content = rebuild(data, kind, shape, "F" if fortran_order else "C").content


def short_text(value: Any) -> str:
    """Return a name that Python 2 may have written as bytes."""
    if not isinstance(value, str | bytes):
        raise UnsafePickle(f"it has a {type(value).__name__} where a string belongs")
    if len(value) > LONGEST_NAME:  # a copy of it, made again and again, would fill the memory
        raise UnsafePickle(f"it has a name of {len(value):,} characters")
    return value.decode("latin1") if isinstance(value, bytes) else value


def rebuild(data: Any, kind: Any, shape: Any, order: Any) -> PickledArray:
    """View bytes as an array, after checking that they are as many as its shape says."""
    if not (isinstance(kind, ElementType) and isinstance(data, bytes | bytearray | memoryview)):
        raise UnsafePickle("it holds an array that is not made of bytes")
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
        raise UnsafePickle("it holds an array whose shape is no tuple of whole numbers")
    if kind.name.startswith("O") or order not in ("C", "F") or len(shape) > 8:
        raise UnsafePickle(f"it holds an array of type {kind.name} with {len(shape)} axes")
    order_of_bytes: Any = kind.order
    dtype = np.dtype(kind.name).newbyteorder(order_of_bytes)
    if math.prod(shape) * dtype.itemsize != len(data):
        raise UnsafePickle(f"it holds an array whose shape does not match its {len(data)} bytes")
    array = PickledArray()
    array.content = np.frombuffer(data, dtype).reshape(shape, order=order)
    return array


def reconstruct(cls: Any, shape: Any, kind: Any) -> PickledArray:
    """Stand in for NumPy's ``_reconstruct``, which makes an array that is filled afterwards."""
    if cls is not ndarray:
        raise UnsafePickle("it holds an array of an unknown class")
    return PickledArray()


def scalar(kind: Any, data: Any) -> PickledArray:
    """Stand in for NumPy's ``scalar``: one number or text, as an array without axes."""
    return rebuild(data, kind, (), "C")


def encode_latin1(string: Any, encoding: Any) -> bytes:
    """Stand in for ``_codecs.encode``, with which Python 3 writes bytes in protocol 2."""
    if not (isinstance(string, str) and short_text(encoding) == "latin1"):
        raise UnsafePickle("it encodes text in another way than latin1")
    return string.encode("latin1")


def no_bytes(*arguments: Any) -> bytes:
    """Stand in for ``bytes``, which Python 3 calls in protocol 2 to write that there are none."""
    if arguments:
        raise UnsafePickle("it calls bytes with arguments")
    return b""


def ndarray(*arguments: Any) -> Any:
    """Stand in for ``numpy.ndarray``, which is named but not called."""
    raise UnsafePickle("it calls numpy.ndarray")


ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): ndarray,
    ("numpy", "dtype"): ElementType,
    ("_codecs", "encode"): encode_latin1,
    ("__builtin__", "bytes"): no_bytes,
    ("numpy.core.multiarray", "_reconstruct"): reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): reconstruct,
    ("numpy.core.multiarray", "scalar"): scalar,
    ("numpy._core.multiarray", "scalar"): scalar,
    ("numpy.core.numeric", "_frombuffer"): rebuild,
    ("numpy._core.numeric", "_frombuffer"): rebuild,
}


def stand_in(module: str, name: str) -> Callable[..., Any]:
    """Return the stand-in for a name, or refuse it."""
    try:
        return ALLOWED[module, name]
    except KeyError:
        raise UnsafePickle(f"it asks for {module:.80}.{name:.80}") from None
