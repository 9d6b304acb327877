"""Random damage, for minutes: inputs that parsers may refuse, with documented errors only.

An input after which a parser said something new is kept and damaged further, so that the search
goes where the messages lead. FUZZ_SECONDS sets how long each parser is searched.
"""

from __future__ import annotations

import os
import re
import time

import numpy as np

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
TOKENS = [
    *(bytes([i]) for i in (0, 1, 0x28, 0x2E, 0x4B, 0x52, 0x62, 0x65, 0x73, 0x7D, 0x80, 0xFF)),
    *(b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"cnumpy\nndarray\n", b"cos\nsystem\n", b"h\0", b"\x94"),
    *(
        b"cnumpy\ndtype\n",
        b"cnumpy.core.multiarray\n_reconstruct\n",
        b"R",
        b"b",
        b"u.",
        b"(t",
        b"]",
    ),
]


def damage(rng, content):
    """Change, insert, remove or repeat a few bytes, mostly near an end: between are pixels."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        n = len(content)
        near = min(n, 400)
        place = int(rng.integers(0, near + 1))
        place = place if rng.random() < 0.6 else n - place
        token = TOKENS[rng.integers(len(TOKENS))]
        length = int(rng.integers(0, 9))
        match rng.integers(5):
            case 0:
                content[place : place + len(token)] = token
            case 1:
                content[place:place] = token
            case 2:
                del content[place : place + length]
            case 3:
                content[place:place] = content[place : place + length]
            case _:
                if n:
                    content[min(place, n - 1)] ^= 1 << int(rng.integers(8))
    return bytes(content)


def search(seeds, attempt, seconds=SECONDS):
    """Damage the seeds for so long; return how many inputs were tried and what was said."""
    rng = np.random.default_rng(0)
    corpus, said = list(seeds), set()
    tried, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        content = damage(rng, corpus[rng.integers(len(corpus))])
        message = attempt(content)
        tried += 1
        kind = re.sub(r"\d", "", message)[:30]
        if kind not in said and len(content) < 20_000:
            said.add(kind)
            corpus.append(content)
    return tried, said


def answer(path, read):
    """What is said of a file: ``"read"``, or the reason in an error, which must have its name."""
    try:
        read()
    except ValueError as error:  # anything else fails the test
        said = str(error)
    else:
        return "read"
    if str(path) not in said:
        raise AssertionError(f"{path} is not named: {said}")
    return said.replace(str(path), "").partition(": ")[2] or "something else"
