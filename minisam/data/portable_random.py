"""Random numbers that are the same on every machine, with every version of NumPy.

NumPy promises that a *bit generator* gives the same raw 64-bit words for the same seed for ever,
but reserves the right to change what `Generator.integers`, `.permutation`, … make of those words.
Label noise and the toy images are part of a published experiment, so everything here is made from
raw words by integer arithmetic and by operations that IEEE 754 rounds exactly.

Each use of random numbers has its own stream, named by a purpose: drawing more numbers for one
purpose never shifts the numbers of another.
"""

from __future__ import annotations

import zlib

import numpy as np

from minisam.checks import check_whole


def stream(seed: int, purpose: str) -> np.random.PCG64:
    """Return the bit generator that belongs to a seed and a purpose.

    Args:
        seed: a whole number of at least 0.
        purpose: what the numbers are for, as ``"noise"``; different purposes are independent.

    Raises:
        ValueError: if ``seed`` is anything else.

    Example:
        >>> stream(0, "noise").random_raw()
        12154695501054416768
    """
    entropy = [check_whole("seed", seed), zlib.crc32(purpose.encode())]
    return np.random.PCG64(np.random.SeedSequence(entropy))


def words(bits: np.random.PCG64, n: int) -> np.ndarray:
    """Return ``n`` raw words, uint64 of shape (n,)."""
    return np.atleast_1d(bits.random_raw(n)) if n else np.zeros(0, np.uint64)


def uniform(bits: np.random.PCG64, n: int) -> np.ndarray:
    """Return ``n`` floats, multiples of 2⁻⁵³ uniform on [0, 1), of shape (n,)."""
    return (words(bits, n) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def integers(bits: np.random.PCG64, bound: int, n: int) -> np.ndarray:
    """Return ``n`` integers below ``bound``, int64 of shape (n,).

    The remainder of a 64-bit word favours small values by less than ``bound`` · 2⁻⁶⁴.
    """
    return (words(bits, n) % np.uint64(bound)).astype(np.int64)


def permutation(bits: np.random.PCG64, n: int) -> np.ndarray:
    """Return 0 … n−1 in random order: the order that sorts ``n`` random words."""
    return np.argsort(words(bits, n), kind="stable")


def octets(bits: np.random.PCG64, n: int) -> np.ndarray:
    """Return ``n`` random bytes, uint8 of shape (n,), the low byte of each word first."""
    return words(bits, -(-n // 8)).astype("<u8").view(np.uint8)[:n]
