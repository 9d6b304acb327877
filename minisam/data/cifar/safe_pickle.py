"""Read CIFAR's pickles without letting them do anything.

A pickle is a program for a small stack machine: it may import any function of any module and call
it. A CIFAR batch needs two functions only, those that rebuild a NumPy array. Here a pickle is given
*stand-ins* for these (and for the few that newer writers use instead, or that rebuild what lies
beside the labels of some files), which check what they are given; every other name is refused. No
function of NumPy and no attribute of any module is within a pickle's reach.

A file whose hash is known goes through `loads`, Python's own unpickler with the allow-list. Any
other goes through `minisam.data.cifar.machine`, which has the same allow-list and bounds memory and
time as well.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from typing import Any

import numpy as np

PLAIN_TYPES = ("b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")


class UnsafePickle(ValueError):
    """A pickle asked for something that no CIFAR file needs."""


class ElementType:
    """Stands in for ``numpy.dtype``: numbers or text by name, or ``O`` for one Python object."""

    def __init__(self, name: Any, *ignored: Any) -> None:
        self.name = text(name)
        plain = self.name.lstrip("<>|=")
        if plain not in (*PLAIN_TYPES, "O", "O8") and not re.fullmatch(r"[SU]\d{1,4}", plain):
            raise UnsafePickle(f"it holds an array of type {self.name!r:.80}")
        self.order = "="

    def __setstate__(self, state: Any) -> None:
        self.order = text(state[1]) if isinstance(state, tuple) and len(state) > 1 else ""
        if self.order not in ("<", ">", "|", "="):
            raise UnsafePickle(f"it holds an array of byte order {self.order!r:.80}")


class PickledArray:
    """Stands in for ``numpy.ndarray``: empty when made, filled by ``__setstate__``."""

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


class StandIn:
    """A function that a pickle may name and call, and do nothing else to."""

    __slots__ = ("function",)

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        return self.function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise UnsafePickle("it tries to change what it may only call")


def text(value: Any) -> str:
    """Return a string that Python 2 may have written as bytes."""
    value = value.decode("latin1") if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise UnsafePickle(f"it has a {type(value).__name__} where a string belongs")
    return value


def rebuild(data: Any, kind: Any, shape: Any, order: Any) -> PickledArray:
    """View bytes as an array, after checking that they are as many as its shape says."""
    if not (isinstance(kind, ElementType) and isinstance(data, bytes | bytearray)):
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
    """Stands in for NumPy's ``_reconstruct``, which makes an array that is filled afterwards."""
    if cls is not NDARRAY:
        raise UnsafePickle("it holds an array of an unknown class")
    return PickledArray()


def scalar(kind: Any, data: Any) -> PickledArray:
    """Stands in for NumPy's ``scalar``: one number or text, as an array without axes."""
    return rebuild(data, kind, (), "C")


def encode(string: Any, encoding: Any) -> bytes:
    """Stands in for ``_codecs.encode``, with which Python 3 writes bytes in protocol 2."""
    if not (isinstance(string, str) and text(encoding) == "latin1"):
        raise UnsafePickle("it encodes text in another way than latin1")
    return string.encode("latin1")


def no_bytes(*arguments: Any) -> bytes:
    """Stands in for ``bytes``, which Python 3 calls in protocol 2 to write that there are none."""
    if arguments:
        raise UnsafePickle("it calls bytes with arguments")
    return b""


def not_called(*arguments: Any) -> Any:
    """Stands in for ``numpy.ndarray``, which is named but not called."""
    raise UnsafePickle("it calls numpy.ndarray")


NDARRAY = StandIn(not_called)
ALLOWED = {
    ("numpy", "ndarray"): NDARRAY,
    ("numpy", "dtype"): StandIn(ElementType),
    ("_codecs", "encode"): StandIn(encode),
    ("__builtin__", "bytes"): StandIn(no_bytes),
    ("numpy.core.multiarray", "_reconstruct"): StandIn(reconstruct),
    ("numpy._core.multiarray", "_reconstruct"): StandIn(reconstruct),
    ("numpy.core.multiarray", "scalar"): StandIn(scalar),
    ("numpy._core.multiarray", "scalar"): StandIn(scalar),
    ("numpy.core.numeric", "_frombuffer"): StandIn(rebuild),
    ("numpy._core.numeric", "_frombuffer"): StandIn(rebuild),
}


def allowed(module: str, name: str) -> StandIn:
    """Return the stand-in for a name, or refuse it."""
    try:
        return ALLOWED[module, name]
    except KeyError:
        raise UnsafePickle(f"it asks for {module:.80}.{name:.80}") from None


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Give the pickle a stand-in for what it names."""
        return allowed(module, name)


class _Memory:
    """A file in memory whose reads are views: unpickling copies nothing but the arrays."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.view, self.position = memoryview(data), 0

    def peek(self, n: int) -> memoryview:
        return self.view[self.position :]

    def read(self, n: int) -> memoryview:
        piece = self.view[self.position : self.position + n]
        self.position += len(piece)
        return piece

    def readline(self) -> bytes:
        line = io.BytesIO(self.view[self.position : self.position + 4096]).readline()
        self.position += len(line)
        return line


def loads(data: bytes | memoryview) -> dict[str, Any]:
    """Read a pickled dictionary of arrays, numbers, strings and lists of these.

    Args:
        data: the whole of a file whose hash is known; `minisam.data.cifar.machine` is for others.

    Returns:
        The dictionary, its keys as str; strings that Python 2 wrote are bytes.

    Raises:
        UnsafePickle: if it asks for anything but plain arrays.
        ValueError: if it is no pickle, or a damaged one, or holds no dictionary.

    Example:
        >>> loads(pickle.dumps({"labels": [3, 1]}))
        {'labels': [3, 1]}
    """
    file: Any = _Memory(data)
    try:
        content = _Unpickler(file, encoding="bytes").load()
    except UnsafePickle:
        raise
    except Exception as error:  # whatever a damaged pickle makes of the unpickler
        raise ValueError(f"it is no pickle, or a damaged one ({type(error).__name__})") from error
    return dictionary(content)


def dictionary(content: Any) -> dict[str, Any]:
    """Return what a pickle held, if it is a dictionary, with str keys and real arrays."""
    if isinstance(content, PickledArray):
        content = content.content
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, not a dictionary")
    return {
        text(key): value.content if isinstance(value, PickledArray) else value
        for key, value in content.items()
    }
