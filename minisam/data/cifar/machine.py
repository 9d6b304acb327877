"""A pickle machine that reads untrusted files in bounded memory and time.

Python's own unpickler, even with an allow-list, can be made to use any amount of memory (a memo
slot numbered 4,000,000,000) or time (hashing nested tuples). This one knows only the instructions
that a pickled batch consists of, and only so many of them; it keeps its memo in a dictionary, takes
nothing but strings as keys, and puts no list into a list. It is some ten times slower than
Python's.
"""

from __future__ import annotations

import pickletools
import warnings
from typing import Any

from minisam.data.cifar.safe_pickle import (
    ElementType,
    PickledArray,
    StandIn,
    UnsafePickle,
    allowed,
    dictionary,
    text,
)

MOST_INSTRUCTIONS = 1_000_000  # some five times what the largest batch, CIFAR-100's, has
MARK = object()
IGNORED = {"PROTO", "FRAME"}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
NUMBERS = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
STRINGS = {"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
BYTES = {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
PYTHON_2_STRINGS = {"BINSTRING", "SHORT_BINSTRING"}
SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def loads(data: bytes | memoryview) -> dict[str, Any]:
    """Read a pickled dictionary of arrays, numbers, strings and lists of these, from anybody.

    Args:
        data: the whole file.

    Returns:
        The dictionary, its keys as str; strings that Python 2 wrote are bytes.

    Raises:
        UnsafePickle: if it asks for anything but plain arrays.
        ValueError: if it is no pickle, or a damaged one, or holds no dictionary.

    Example:
        >>> import pickle, subprocess
        >>> loads(pickle.dumps({"labels": [3, 1]}, protocol=2))
        {'labels': [3, 1]}
        >>> loads(pickle.dumps({"labels": subprocess.Popen}))
        Traceback (most recent call last):
        ...
        minisam.data.cifar.safe_pickle.UnsafePickle: it asks for subprocess.Popen
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "invalid .*escape")  # pickletools only warns of it
            return dictionary(run(data))
    except UnsafePickle:
        raise
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, Warning) as error:
        raise ValueError(f"it is no pickle, or a damaged one ({type(error).__name__})") from error


def run(data: bytes | memoryview) -> Any:
    """Carry out a pickle's instructions and return what is left on its stack."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    argument: Any
    for count, (opcode, argument, _) in enumerate(pickletools.genops(bytes(data))):
        name = opcode.name
        if count == MOST_INSTRUCTIONS:
            raise UnsafePickle(f"it has more than {MOST_INSTRUCTIONS:,} instructions")
        if name in NUMBERS or name in STRINGS or name in BYTES:
            stack.append(argument)
        elif name in PYTHON_2_STRINGS:
            stack.append(argument.encode("latin1"))
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name == "MARK":
            stack.append(MARK)
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else since_mark(stack)
            extend(stack[-1], items)
        elif name in ("SETITEM", "SETITEMS"):
            items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else since_mark(stack)
            update(stack[-1], items)
        elif name == "TUPLE":
            stack.append(tuple(since_mark(stack)))
        elif name in SHORT_TUPLES:
            items = [stack.pop() for _ in range(SHORT_TUPLES[name])]
            stack.append(tuple(reversed(items)))
        elif name == "GLOBAL":
            stack.append(allowed(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            attribute, module = text(stack.pop()), text(stack.pop())
            stack.append(allowed(module, attribute))
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            if not (isinstance(function, StandIn) and isinstance(arguments, tuple)):
                raise UnsafePickle("it calls something that is no function")
            stack.append(function(*arguments))
        elif name == "BUILD":
            state = stack.pop()
            if not isinstance(stack[-1], ElementType | PickledArray):
                raise UnsafePickle("it fills something that is no array")
            stack[-1].__setstate__(state)
        elif name == "STOP":
            return stack.pop()
        elif name not in IGNORED:
            raise UnsafePickle(f"it uses the instruction {name}")
    raise ValueError("it has no end")


def since_mark(stack: list[Any]) -> list[Any]:
    """Take everything above the last mark, and the mark, off the stack."""
    items: list[Any] = []
    while (item := stack.pop()) is not MARK:
        items.append(item)
    items.reverse()
    return items


def extend(target: Any, items: list[Any]) -> None:
    """Append numbers or strings to a list, or one dictionary, as `numpy.save` does."""
    if not isinstance(target, list):
        raise UnsafePickle("it appends to something that is no list")
    if not (
        all(isinstance(item, int | float | str | bytes) for item in items)
        or (len(items) == 1 and not target and isinstance(items[0], dict))
    ):
        raise UnsafePickle("it has a list of something else than numbers or strings")
    target.extend(items)


def update(target: Any, items: list[Any]) -> None:
    """Set a dictionary's items, given as key, value, key, value and so on."""
    if not isinstance(target, dict):
        raise UnsafePickle("it sets items of something that is no dictionary")
    for key, value in zip(items[::2], items[1::2], strict=True):
        target[text(key)] = value
