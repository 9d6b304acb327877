"""NumPy's PCG64 and its seeding in Python's whole numbers: what `portable_random` is made of.

M. E. O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
Random Number Generation" (XSL-RR 128/64), seeded as NumPy's ``SeedSequence`` documents it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import count, islice, permutations

MASK = 2**32 - 1
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645


def hashed(value: int, k: int, start: int = 0x43B0D7E5, factor: int = 0x931E8875) -> int:
    """Hash a 32-bit word with the k-th constant and the next."""
    constant = start * pow(factor, k, 2**32) & MASK
    value = (value ^ constant) * (constant * factor) & MASK
    return value ^ value >> 16


def mixed(x: int, y: int) -> int:
    """Mix two 32-bit words into one."""
    result = (0xCA01F9DD * x - 0x4973F715 * y) & MASK
    return result ^ result >> 16


def seed_words(entropy: list[int]) -> list[int]:
    """The eight 32-bit words that ``SeedSequence(entropy)`` hands to PCG64."""
    pieces: list[int] = []
    for number in entropy:
        pieces.append(number & MASK)
        while number := number >> 32:
            pieces.append(number & MASK)
    order = count()
    pool = [hashed(piece, next(order)) for piece in (pieces + [0] * 4)[:4]]
    for source, target in permutations(range(4), 2):
        pool[target] = mixed(pool[target], hashed(pool[source], next(order)))
    for piece in pieces[4:]:
        pool = [mixed(word, hashed(piece, next(order))) for word in pool]
    return [hashed(pool[k % 4], k, 0x8B51F9DD, 0x58F38DED) for k in range(8)]


def endless_words(seed: int, purpose: str) -> Iterator[int]:
    """The 64-bit words of the stream that belongs to a seed and a purpose."""
    words = seed_words([seed, zlib.crc32(purpose.encode())])
    high, low, sequence_high, sequence_low = (words[i] | words[i + 1] << 32 for i in range(0, 8, 2))
    increment = ((sequence_high << 64 | sequence_low) << 1 | 1) % 2**128
    state = (increment + (high << 64 | low)) % 2**128
    state = (state * MULTIPLIER + increment) % 2**128
    while True:
        state = (state * MULTIPLIER + increment) % 2**128
        value, turn = (state >> 64) ^ (state % 2**64), state >> 122
        yield (value >> turn | value << (64 - turn)) % 2**64


def plain_words(seed: int, purpose: str, n: int) -> list[int]:
    """The first ``n`` of them."""
    return list(islice(endless_words(seed, purpose), n))
