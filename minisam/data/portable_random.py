"""Draw random numbers that are the same on every machine, with every version of NumPy.

NumPy promises that a *bit generator* always gives the same raw 64-bit words for the same seed, but
may change what `Generator.integers`, `.permutation`, … make of them. Label noise and the toy images
are part of published experiments, so they are made of raw words, by integer arithmetic and by
operations that IEEE 754 rounds exactly.

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

    Example:
        >>> stream(0, "noise").random_raw()
        12154695501054416768
    """
    entropy = [check_whole("seed", seed), zlib.crc32(purpose.encode())]
    return np.random.PCG64(np.random.SeedSequence(entropy))


def random_words(bits: np.random.PCG64, n: int) -> np.ndarray:
    """Return ``n`` raw words, uint64 of shape (n,)."""
    return np.atleast_1d(bits.random_raw(n)) if n else np.zeros(0, np.uint64)


def uniform(bits: np.random.PCG64, n: int) -> np.ndarray:
    """Return ``n`` floats, multiples of 2⁻⁵³ uniform on [0, 1), of shape (n,)."""
    return (random_words(bits, n) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def random_bytes(bits: np.random.PCG64, n: int) -> np.ndarray:
    """Return ``n`` random bytes, uint8 of shape (n,), the low byte of each word first."""
    return random_words(bits, -(-n // 8)).astype("<u8").view(np.uint8)[:n]
