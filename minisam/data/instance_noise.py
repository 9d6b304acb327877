"""Draw instance-dependent label noise: an image decides how likely it is mislabelled, and as what.

Xia et al. 2020, "Part-dependent Label Noise" (arXiv 2006.07836), Algorithm 2:

1. each image xᵢ gets its own flip rate qᵢ ~ N(r, 0.1²), truncated to [0, 1];
2. each class y gets a random projection W[y] of K columns, standard normal;
3. the wrong labels compete by zᵢ = xᵢ W[yᵢ], from which the true label is excluded;
4. the label becomes j ≠ yᵢ with probability qᵢ softmax(zᵢ)ⱼ, and stays yᵢ with probability 1 − qᵢ.

The images are standardized channel by channel first: otherwise z would depend on little but their
mean brightness.

The labels are the same on every machine because z is exact. Images and projections are whole
numbers, so small that float64 holds every sum of their products, in whatever order a linear algebra
library adds them. `portable_exp` computes exp.
"""

from __future__ import annotations

import math

import numpy as np

from minisam.checks import check_number
from minisam.data.batches import channel_statistics
from minisam.data.noise import check_labels
from minisam.data.portable_random import random_bytes, stream, uniform

RATE_SPREAD = 0.1  # the standard deviation of the flip rates
PART = 256  # images at a time, in float64
LEVEL_STEPS = 256  # whole numbers per standard deviation of a channel


def instance_noise(
    images: np.ndarray,
    clean_labels: np.ndarray,
    rate: float,
    n_classes: int,
    seed: int = 0,
    purpose: str = "noise",
) -> np.ndarray:
    """Return labels with noise that depends on the images.

    Args:
        images: uint8 array of shape (n, height, width, channels).
        clean_labels: int array of shape (n,), each from 0 to n_classes − 1.
        rate: r, the mean flip rate before truncation. Truncation changes it: 0.1 becomes 0.127,
            0.4 stays 0.4.
        n_classes: number of classes, K, at least 2.
        seed: of the noise. The projections depend on it alone, not on ``purpose``.
        purpose: names the random stream of rates and labels, see `portable_random`.

    Returns:
        int64 array of shape (n,).

    Example:
        >>> images = np.arange(4 * 48, dtype=np.uint8).reshape(4, 4, 4, 3)
        >>> instance_noise(images, np.array([0, 1, 2, 0]), rate=0.5, n_classes=3)
        array([1, 1, 1, 2])
    """
    check_number("rate", rate, high=1.0)
    clean_labels = check_labels(clean_labels, n_classes)
    if len(images) != len(clean_labels):
        raise ValueError(f"{len(clean_labels):,} labels do not go with {len(images):,} images")
    bits = stream(seed, purpose)
    rates = flip_rates(rate, len(clean_labels), bits)
    ticket = uniform(bits, len(clean_labels))
    labels = clean_labels.copy()
    table = whole_levels(images)
    projections = stream(seed, "instance projections")
    for label in range(n_classes):
        projection = whole_normals(projections, math.prod(images.shape[1:]) * n_classes)
        projection = projection.reshape(-1, n_classes)
        of_label = np.flatnonzero((clean_labels == label) & (ticket < rates))
        for first in range(0, len(of_label), PART):
            flips = of_label[first : first + PART]
            z = whole_pixels(images[flips], table) @ projection / (LEVEL_STEPS * NORMAL_DEVIATION)
            edges = np.cumsum(softmax_without(z, label), axis=1)
            # Of those that flip, ticket / rate is uniform on [0, 1): it picks the wrong label.
            place = (ticket[flips] / rates[flips])[:, None]
            labels[flips] = (place >= edges / edges[:, -1:]).sum(axis=1)
    return labels


def flip_rates(rate: float, n: int, bits: np.random.PCG64) -> np.ndarray:
    """Draw ``n`` numbers from N(rate, 0.1²) truncated to [0, 1], by rejection: shape (n,)."""
    accepted: list[np.ndarray] = [np.zeros(0)]
    while sum(map(len, accepted)) < n:
        q = uniform(bits, 4 * n + 16)
        density = portable_exp(-0.5 * ((q - rate) / RATE_SPREAD) ** 2)
        accepted.append(q[uniform(bits, len(q)) < density])
    return np.concatenate(accepted)[:n]


def whole_levels(images: np.ndarray) -> np.ndarray:
    """Return what each grey level of each channel becomes: float64 of shape (256, channels)."""
    mean, std = channel_statistics(images)
    standardized = (np.arange(256)[:, None] / 255 - mean) / np.where(std > 0, std, 1)
    return np.rint(LEVEL_STEPS * standardized)


def whole_pixels(images: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Look every pixel up in the table of `whole_levels`: float64 of shape (n, values)."""
    channels = [table[images[..., c], c] for c in range(images.shape[-1])]
    return np.stack(channels, axis=-1).reshape(len(images), math.prod(images.shape[1:]))


# The sum of eight random bytes has variance 8 (256² − 1) / 12 and is close to normal. Only sums of
# many thousands of them are used: no test could tell these from normal numbers.
NORMAL_DEVIATION = math.sqrt(8 * (256**2 - 1) / 12)


def whole_normals(bits: np.random.PCG64, n: int) -> np.ndarray:
    """Draw whole numbers of mean 0 and deviation NORMAL_DEVIATION: float64 of shape (n,)."""
    octets = random_bytes(bits, 8 * n).reshape(n, 8)
    return octets.sum(axis=1, dtype=np.int64).astype(np.float64) - 8 * 127.5


def softmax_without(z: np.ndarray, excluded: int) -> np.ndarray:
    """Return softmax(z) along the last axis, with probability 0 for one class."""
    others = np.arange(z.shape[1]) != excluded
    top = z[:, others].max(axis=1, keepdims=True, initial=-np.inf)
    weights = np.where(others, portable_exp(np.minimum(z - top, 0)), 0)
    # Summed one by one, in order: `sum` may add in an order that depends on NumPy's build.
    return weights / np.cumsum(weights, axis=1)[:, -1:]


def portable_exp(x: np.ndarray) -> np.ndarray:
    """Return exp(x) for x ≤ 0, with the same bits on every machine and 12 correct digits.

    exp(x) = exp(x / 2¹²)^(2¹²), the inner one by its Taylor series. It only adds, multiplies and
    divides, which IEEE 754 rounds exactly; the C library's `exp` may differ in the last bit.

    Example:
        >>> abs(portable_exp(np.array([-1.0])) / np.exp(-1.0) - 1) < 1e-12
        array([ True])
    """
    small = np.maximum(x, -700.0) / 4096
    total = np.ones_like(small)
    for k in range(10, 0, -1):  # Horner's rule; |small| < 0.18
        total = 1 + total * small / k
    for _ in range(12):
        total = total * total
    return total
