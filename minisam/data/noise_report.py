"""Report what label noise did, so that two people can tell whether they have the same noise."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np

from minisam.data.noise import LabelNoise, whole_labels
from minisam.files import jsonable


class NoiseReport(NamedTuple):
    """How labels differ from the true ones.

    Attributes:
        recipe: the noise asked for.
        rate_asked: the recipe's rate; None for a matrix and for human labels.
        rate_expected: the share of wrong labels that the recipe gives on average; None if unknown.
        rate_realized: the share of labels that are wrong.
        flipped: how many are wrong.
        examples: of how many.
        transition: share of the examples of class i that are labelled j, float64 of shape (K, K);
            NaN in the rows of classes without examples.
        labels_hash: SHA-256 of the labels, see `label_hash`.
        clean_labels_hash: the same of the true labels.
    """

    recipe: LabelNoise
    rate_asked: float | None
    rate_expected: float | None
    rate_realized: float
    flipped: int
    examples: int
    transition: np.ndarray
    labels_hash: str
    clean_labels_hash: str


def compare_labels(
    labels: np.ndarray,
    clean_labels: np.ndarray,
    noise: LabelNoise,
    n_classes: int,
    rate_expected: float | None = None,
) -> NoiseReport:
    """Compare labels with the true ones.

    Args:
        labels: noisy labels, int array of shape (n,).
        clean_labels: true labels, of the same shape.
        noise: the recipe that made the one from the other.
        n_classes: number of classes, K.
        rate_expected: the share of wrong labels to expect, if it is known.

    Example:
        >>> clean = np.array([0, 0, 1, 1])
        >>> labels, noise = np.array([0, 1, 1, 1]), LabelNoise("pair", 0.25)
        >>> seen = compare_labels(labels, clean, noise, n_classes=2)
        >>> seen.rate_realized, seen.transition.tolist()
        (0.25, [[0.5, 0.5], [0.0, 1.0]])
    """
    flipped = int(np.count_nonzero(labels != clean_labels))
    return NoiseReport(
        recipe=noise,
        rate_asked=noise.rate,
        rate_expected=rate_expected,
        rate_realized=flipped / len(labels) if len(labels) else 0.0,
        flipped=flipped,
        examples=len(labels),
        transition=transition(labels, clean_labels, n_classes),
        labels_hash=label_hash(labels),
        clean_labels_hash=label_hash(clean_labels),
    )


def transition(labels: np.ndarray, clean_labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the empirical transition matrix, of shape (K, K): row clean, column noisy."""
    pairs = np.bincount(clean_labels * n_classes + labels, minlength=n_classes**2)
    counts = pairs.reshape(n_classes, n_classes)
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), np.nan)


def label_hash(labels: np.ndarray) -> str:
    """Return the SHA-256 of labels as little-endian 64-bit integers, in hexadecimal.

    Args:
        labels: int array of shape (n,), of any integer type.

    Raises:
        ValueError: if they are no integers: as one, 0.4 would have the hash of 0.

    Example:
        >>> label_hash(np.array([6, 9, 9, 4]))[:16]
        '596c442154d2f317'
    """
    content = np.ascontiguousarray(whole_labels(labels), dtype="<i8").tobytes()
    return hashlib.sha256(content).hexdigest()


def as_json(seen: NoiseReport) -> dict[str, Any]:
    """Return a report as what `json.dump` takes, None where it has NaN."""
    return jsonable(seen, "a report")


def as_table(seen: NoiseReport, class_names: tuple[str, ...], widest: int = 20) -> str:
    """Return a report as text, with the transition matrix of at most ``widest`` classes."""
    recipe = seen.recipe
    options = [name for name in ("inclusive", "per_sample") if getattr(recipe, name)]
    facts = [
        ("kind", " ".join([recipe.kind, *options, recipe.labels or ""]).strip()),
        ("seed", None if recipe.kind == "human" else recipe.seed),
        ("rate asked", percent(seen.rate_asked)),
        ("rate expected", percent(seen.rate_expected)),
        ("rate realized", f"{percent(seen.rate_realized)} ({seen.flipped} of {seen.examples})"),
        ("labels sha256", seen.labels_hash),
        ("clean labels sha256", seen.clean_labels_hash),
    ]
    lines = [f"{name:<20} {value}" for name, value in facts if value is not None]
    if len(class_names) <= widest:
        width = max(map(len, class_names))
        head = " ".join(f"{name[:6]:>6}" for name in class_names)
        lines += ["", f"{'labelled (%)':<{width}} {head}"]
        for name, row in zip(class_names, seen.transition, strict=True):
            cells = " ".join(
                "     -" if np.isnan(share) else f"{100 * share:6.1f}" for share in row
            )
            lines.append(f"{name:<{width}} {cells}")
    return "\n".join(lines)


def percent(share: float | None) -> str | None:
    """Return a share as a percentage."""
    return None if share is None else f"{100 * share:.2f} %"
