"""Read CIFAR's pickles without letting them do anything, in bounded memory and time.

A pickle is a program for a small stack machine: it may import any function of any module and call
it. Python's own machine, even with a list of what may be imported, can be made to use any amount of
memory (a memo slot numbered 4,000,000,000) or time (hashing nested tuples). The machine here knows
only the instructions that a pickled batch consists of, and only so many of them. It calls nothing
but the functions of `pickled_arrays`, keeps its memo in a dictionary, takes nothing but short
strings as keys, and puts no list into a list. Nothing that it makes is larger than the file.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from minisam.data.cifar.pickled_arrays import (
    LONGEST_NAME,
    ElementType,
    PickledArray,
    UnsafePickle,
    short_text,
    stand_in,
)

MOST_INSTRUCTIONS = 1_000_000  # some five times what the largest batch, CIFAR-100's, has
MOST_ARGUMENTS = 4  # of a call: as many as the stand-ins take
MOST_COPIED = 1 << 16  # bytes of a string; a longer one, which is an array's, is a view of the file
MARK = object()
BYTE, SHORT, WHOLE, SIGNED, LONG, REAL = map(struct.Struct, ("B", "<H", "<I", "<i", "<Q", ">d"))
WITH_NUMBER = {  # the instructions that a number follows: what it is
    "BININT": ("value", SIGNED),
    "BININT1": ("value", BYTE),
    "BININT2": ("value", SHORT),
    "BINFLOAT": ("value", REAL),
    "SHORT_BINSTRING": ("bytes", BYTE),  # as many as the number says
    "BINSTRING": ("bytes", WHOLE),
    "SHORT_BINBYTES": ("bytes", BYTE),
    "BINBYTES": ("bytes", WHOLE),
    "BYTEARRAY8": ("bytes", LONG),
    "SHORT_BINUNICODE": ("text", BYTE),
    "BINUNICODE": ("text", WHOLE),
    "LONG1": ("integer", BYTE),
    "BINPUT": ("put", BYTE),
    "LONG_BINPUT": ("put", WHOLE),
    "BINGET": ("get", BYTE),
    "LONG_BINGET": ("get", WHOLE),
    "PROTO": ("nothing", BYTE),
    "FRAME": ("nothing", LONG),
}
INSTRUCTIONS = {  # by their byte, also those that are refused
    code[0]: WITH_NUMBER.get(name, (name, None))
    for name, code in vars(pickle).items()
    if name.isupper() and isinstance(code, bytes) and len(code) == 1
}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": MARK}
NEW = {"EMPTY_DICT": dict, "EMPTY_LIST": list}
SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def loads(data: bytes | memoryview) -> dict[str, Any]:
    """Read a pickled dictionary of arrays, numbers, strings and lists of these, from anybody.

    Args:
        data: the whole file.

    Returns:
        The dictionary, its keys as str. Strings that Python 2 wrote are bytes, long ones and large
        arrays views of a copy of ``data``.

    Raises:
        UnsafePickle: if it asks for anything but plain arrays.
        ValueError: if it is no pickle, or a damaged one, or holds no dictionary.

    Example:
        >>> import subprocess
        >>> loads(pickle.dumps({"labels": [3, 1]}, protocol=2))
        {'labels': [3, 1]}
        >>> loads(pickle.dumps({"labels": subprocess.Popen}))
        Traceback (most recent call last):
        ...
        minisam.data.cifar.pickled_arrays.UnsafePickle: it asks for subprocess.Popen
    """
    try:
        content = opened(execute(bytes(data)))
    except UnsafePickle:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, struct.error) as error:
        raise ValueError(f"it is no pickle, or a damaged one ({type(error).__name__})") from error
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, not a dictionary")
    return {key: opened(value) for key, value in content.items()}


def instructions(data: bytes) -> Iterator[tuple[str, Any]]:
    """Yield what each instruction does, and with what: ``"push"`` with a value, and so on."""
    view, place = memoryview(data), 0
    argument: Any = None
    while True:
        action, number = INSTRUCTIONS[data[place]]
        place += 1
        if number is BYTE:  # as nearly always: this is faster
            argument = data[place]
            place += 1
        elif number is not None:
            (argument,) = number.unpack_from(data, place)
            place += number.size
        if action == "value":
            yield "push", argument
        elif action in ("bytes", "text", "integer"):
            length = argument
            argument = (data if length <= MOST_COPIED else view)[place : place + length]
            place += length
            if len(argument) < length:
                raise ValueError("it is cut short")
            if action == "text":
                argument = str(argument, "utf-8", "surrogatepass")
            elif action == "integer":
                argument = int.from_bytes(argument, "little", signed=True)
            yield "push", argument
        elif action == "GLOBAL":
            module, name, _ = data[place : place + 2 * LONGEST_NAME].split(b"\n", 2)
            place += len(module) + len(name) + 2
            yield "push", stand_in(short_text(module), short_text(name))
        else:
            yield action, argument


def execute(data: bytes) -> Any:
    """Carry out a pickle's instructions and return what is left on its stack."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    encoded = 0
    for action, argument in islice(instructions(data), MOST_INSTRUCTIONS):
        if action == "push":
            stack.append(argument)
        elif action == "put":
            memo[argument] = stack[-1]
        elif action == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif action == "get":
            stack.append(memo[argument])
        elif action in CONSTANTS:
            stack.append(CONSTANTS[action])
        elif action in NEW:
            stack.append(NEW[action]())
        elif action in ("APPEND", "APPENDS"):
            items = last(stack, 1) if action == "APPEND" else since_mark(stack)
            extend(stack[-1], items)
        elif action in ("SETITEM", "SETITEMS"):
            items = last(stack, 2) if action == "SETITEM" else since_mark(stack)
            update(stack[-1], items)
        elif action == "TUPLE":
            stack.append(tuple(since_mark(stack)))
        elif action in SHORT_TUPLES:
            stack.append(tuple(last(stack, SHORT_TUPLES[action])))
        elif action == "STACK_GLOBAL":
            stack.append(stand_in(*map(short_text, last(stack, 2))))
        elif action == "REDUCE":
            stack.append(call(*last(stack, 2)))
            # Each text is encoded once: again and again, a long one would fill the memory.
            encoded += len(stack[-1]) if isinstance(stack[-1], bytes) else 0
            if encoded > len(data):
                raise UnsafePickle("it encodes more text than it has")
        elif action == "BUILD":
            (state,) = last(stack, 1)
            if not isinstance(stack[-1], ElementType | PickledArray):
                raise UnsafePickle("it fills something that is no array")
            stack[-1].__setstate__(state)
        elif action == "STOP":
            return stack.pop()
        elif action != "nothing":
            raise UnsafePickle(f"it uses the instruction {action}")
    raise UnsafePickle(f"it has more than {MOST_INSTRUCTIONS:,} instructions")


def last(stack: list[Any], n: int) -> list[Any]:
    """Take the last ``n`` items off the stack."""
    items = stack[-n:]
    if len(items) < n:
        raise IndexError("the stack is empty")
    del stack[-n:]
    return items


def since_mark(stack: list[Any]) -> list[Any]:
    """Take everything above the last mark, and the mark, off the stack."""
    items: list[Any] = []
    while (item := stack.pop()) is not MARK:
        items.append(item)
    items.reverse()
    return items


def call(function: Any, arguments: Any) -> Any:
    """Call a stand-in, for nothing else on the stack can be called."""
    if not (callable(function) and isinstance(arguments, tuple)):
        raise UnsafePickle("it calls something that is no function")
    if len(arguments) > MOST_ARGUMENTS:  # a million of them, again and again, would take hours
        raise UnsafePickle(f"it calls a function with {len(arguments):,} arguments")
    return function(*arguments)


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
        target[short_text(key)] = value


def opened(value: Any) -> Any:
    """Return what an array holds; anything else as it is."""
    return value.content if isinstance(value, PickledArray) else value
