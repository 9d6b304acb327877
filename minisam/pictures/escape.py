"""The radius at which SAM leaves a sharp minimum for a flat one: measured, and predicted.

Left: one kinked well, many starts, three learning rates. The fraction of runs that leave jumps from
0 to 1 at the predicted radius ρ₁ = c(1 − ηλ/2), which is smaller the nearer SGD is to its own edge.
The bars on top are where escape is proved; beyond them nothing is claimed, and some runs stay.
Right: the threshold found by bisection in random wells and valleys, against the predicted one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minisam.landscapes import (
    escape_window,
    kinked_well,
    sam_path,
    sgd_path,
    twin_valley,
    twin_valley_threshold,
)
from minisam.plots import BLACK, BLUE, ORANGE, SERIES, colour

SIZE = (14.0, 5.6)
WELL = {"sharp": 1.0, "flat": 0.3, "wall": 1.0}
LEARNING_RATES = (1.4, 1.6, 1.8)


def bisect(
    above: Callable[[np.ndarray], np.ndarray],
    low: np.ndarray,
    high: np.ndarray,
    relative: float = 1e-6,
) -> np.ndarray:
    """Find where a property of the radius begins to hold, by bisection, in many runs at once.

    Args:
        above: from radii of shape (runs,) to whether each is above its run's threshold.
        low: radii below the thresholds, shape (runs,).
        high: radii above them, shape (runs,).
        relative: when to stop, relative to ``high``.

    Raises:
        ValueError: if ``above`` does not tell the two ends apart in every run.

    Example:
        >>> thresholds = np.array([0.3, 0.7])
        >>> bisect(lambda rho: rho > thresholds, np.zeros(2), np.ones(2)).round(4)
        array([0.3, 0.7])
    """
    if np.any(above(low)) or not np.all(above(high)):
        raise ValueError("above must be False at every low and True at every high")
    while np.any(high - low > relative * high):
        middle = (low + high) / 2
        is_above = above(middle)
        low, high = np.where(is_above, low, middle), np.where(is_above, middle, high)
    return (low + high) / 2


def random_wells(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw kinked wells, each with a learning rate at which some radius provably escapes.

    Returns:
        ``sharp``, ``flat``, ``wall``, ``lr``, and the window ``low``, ``high``, of shape (count,).
    """
    drawn: list[tuple[float, ...]] = []
    while len(drawn) < count:
        lr, m, m_flat = 10 ** rng.uniform(-1, 1), rng.uniform(1.15, 1.9), rng.uniform(0.2, 0.95)
        well = (m / lr, m_flat / lr, 10 ** rng.uniform(-1, 1), lr)
        low, high = escape_window(*well)
        if high > 1.1 * low:
            drawn.append((*well, low, high))
    names = ("sharp", "flat", "wall", "lr", "low", "high")
    return dict(zip(names, np.array(drawn).T, strict=True))


def well_thresholds(
    count: int, rng: np.random.Generator, steps: int = 500
) -> tuple[np.ndarray, np.ndarray]:
    """Return the thresholds of random kinked wells: found by bisection, and predicted, ρ₁."""
    wells = random_wells(count, rng)
    well = kinked_well(wells["sharp"], wells["flat"], wells["wall"])
    start = 0.05 * wells["wall"][:, None] * rng.choice((-1, 1), (count, 1))

    def above(rho: np.ndarray) -> np.ndarray:
        return sam_path(well, start, wells["lr"], rho, steps)[-1, :, 0] > wells["wall"]

    return bisect(above, 0.5 * wells["low"], 0.99 * wells["high"]), wells["low"]


def valley_thresholds(
    count: int, rng: np.random.Generator, steps: int = 400
) -> tuple[np.ndarray, np.ndarray]:
    """Return the thresholds of random twin valleys: found by bisection, and predicted, ρ_c.

    The bounce starts a millionth off the axis; above the threshold that millionth grows.
    """
    sharp, distance = 10 ** rng.uniform(-1, 1, count), 10 ** rng.uniform(-1, 1, count)
    along, flat = sharp * rng.uniform(1e-3, 5e-3, count), sharp * rng.uniform(0.05, 0.2, count)
    lr = rng.uniform(0.4, 0.85, count) / sharp
    valley = twin_valley(along, sharp, flat, distance)
    predicted = twin_valley_threshold(along, sharp, flat, distance, lr)

    def above(rho: np.ndarray) -> np.ndarray:
        amplitude = lr * sharp * rho / (2 - lr * sharp)
        start = np.stack([1e-6 * distance, amplitude], axis=-1)
        path = sam_path(valley, start, lr, rho, steps)
        return np.abs(path[-1, :, 0]) > np.abs(path[0, :, 0])

    return bisect(above, 0.53 * predicted, 1.41 * predicted), predicted


def compute(smoke: bool = False) -> dict[str, Any]:
    """Return the fractions of runs that leave one well, and the thresholds of many landscapes."""
    rng = np.random.default_rng(0)
    starts, radii, wells, steps = (10, 12, 3, 50) if smoke else (100, 61, 200, 400)
    well, curves = kinked_well(**WELL), []
    for lr in LEARNING_RATES:
        window = escape_window(**WELL, lr=lr)
        rho = np.linspace(0.02, 0.36, radii)
        start = rng.uniform(-0.9, 0.9, size=(radii, starts)) * (WELL["wall"] - rho[:, None])
        end = sam_path(well, start[..., None], lr, rho[:, None], steps)[-1, ..., 0]
        fraction = (end > WELL["wall"]).mean(axis=1)
        curves.append({"lr": lr, "window": window, "rho": rho, "fraction": fraction})
    sgd = sgd_path(well, rng.uniform(-0.9, 0.9, (starts, 1)), LEARNING_RATES[-1], steps)[-1]
    return {
        "seed": 0,
        "well": WELL,
        "starts": starts,
        "curves": curves,
        "sgd_fraction": (sgd > WELL["wall"]).mean(),
        "thresholds": {
            "kinked wells": well_thresholds(wells, rng),
            "smooth valleys": valley_thresholds(wells, rng),
        },
    }


def paint(figure: Any, record: dict[str, Any]) -> None:
    """Draw the curves with their predictions, and the ratios."""
    curves, thresholds = figure.subplots(1, 2, width_ratios=(1.25, 1))
    for curve, (shade, mark) in zip(record["curves"], SERIES, strict=True):
        product = curve["lr"] * record["well"]["sharp"]
        curves.axvline(curve["window"][0], color=shade, linestyle="--", linewidth=1.6)
        curves.plot(curve["window"], [1.05, 1.05], color=shade, linewidth=7, alpha=0.5)
        curves.plot(
            curve["rho"], curve["fraction"], f"{mark}-", color=shade, markersize=5,
            label=f"SAM, ηλ = {product:g}",
        )  # fmt: skip
    curves.plot([0], [record["sgd_fraction"]], "s", color=colour("SGD"), markersize=9, label="SGD",
                clip_on=False)  # fmt: skip
    curves.set_xlim(0, max(record["curves"][0]["rho"]))
    curves.set_xlabel("radius ρ, in widths c of the sharp well")
    curves.set_ylabel(f"fraction of {record['starts']} runs that leave")
    curves.set_title("Dashed: predicted, ρ₁ = c (1 − ηλ/2). Bars: proved")
    curves.legend(
        loc="lower right",
        bbox_to_anchor=(1, 0.06),
        frameon=True,
        facecolor="white",
        edgecolor="none",
    )
    worst = 0.0
    for (kind, (measured, predicted)), shade in zip(
        record["thresholds"].items(), (BLUE, ORANGE), strict=True
    ):
        thresholds.plot(predicted, measured, ".", color=shade, markersize=9, alpha=0.6, label=kind)
        worst = max(worst, float(np.max(np.abs(np.divide(measured, predicted) - 1))))
    ends = [min(predicted), max(predicted)]
    thresholds.plot(ends, ends, color=BLACK, linewidth=1, zorder=0)
    thresholds.set_xscale("log")
    thresholds.set_yscale("log")
    thresholds.set_xlabel("predicted threshold of ρ")
    thresholds.set_ylabel("found by bisection")
    count = len(record["thresholds"]["kinked wells"][0])
    thresholds.set_title(f"{count} random landscapes of each kind: off by ≤ {worst:.0e}")
    thresholds.legend()
