"""Say which class each is mistaken for: the maps of asymmetric noise."""

from __future__ import annotations

import numpy as np

PAIRS = {
    # Patrini et al. 2017, "Making Deep Neural Networks Robust to Label Noise" (arXiv 1609.03683).
    "cifar10": {
        "truck": "automobile",
        "bird": "airplane",
        "deer": "horse",
        "cat": "dog",
        "dog": "cat",
    },
    "toy": {
        "disc": "ring",
        "square": "frame",
        "arch": "bars",
        "cross": "saltire",
        "saltire": "cross",
    },
}


def look_alikes(
    class_names: tuple[str, ...], labels: np.ndarray, coarse_labels: np.ndarray | None = None
) -> np.ndarray | None:
    """Return the class that each class is mistaken for.

    In CIFAR-100 it is the next fine class of the same superclass; the first follows the last. The
    images' two labels tell which classes share a superclass. The numbers of fine classes do not:
    they follow the alphabet.

    Args:
        class_names: a name to each label, which tells the data set.
        labels: true labels, int array of shape (n,).
        coarse_labels: true superclasses, of the same shape, or None.

    Returns:
        int array of shape (K,), in which a class that is never mistaken stands for itself; None if
        no map is known.

    Example:
        >>> fine, coarse = np.array([0, 1, 2, 3]), np.array([1, 0, 1, 0])
        >>> look_alikes(("a", "b", "c", "d"), fine, coarse)
        array([2, 3, 0, 1])
    """
    mistaken = np.arange(len(class_names))
    if coarse_labels is not None:
        for superclass in np.unique(coarse_labels):
            fine = np.unique(labels[coarse_labels == superclass])
            mistaken[fine] = np.roll(fine, -1)
        return mistaken
    for pairs in PAIRS.values():
        if {*pairs.keys(), *pairs.values()} <= set(class_names):
            for true, seen in pairs.items():
                mistaken[class_names.index(true)] = class_names.index(seen)
            return mistaken
    return None
