"""Two minima of equal depth, one sharp and one flat, and where SGD and SAM end from one start.

Left, from the side: a well whose sharp minimum has ηλ between 1 and 2. SGD converges in it. SAM
bounces across it until B lies beyond the wall; then the slope of the other side carries it over.
Right, from above: a smooth valley, narrow here and wide there. SGD falls into the narrow place and
stays; SAM's bounce across the narrow place is unstable, and slides along until the valley is wide.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.landscapes import (
    escape_threshold,
    sam_path,
    sgd_path,
    smooth_well,
    twin_valley,
    twin_valley_threshold,
)
from minisam.plots import BLACK, GREY, colour, contours, name_point

SIZE = (14.0, 5.6)
WELL = {"sharp": 1.6, "flat": 0.2, "wall": 1.0, "fall": 100.0}
WELL_RUN: dict[str, Any] = {"lr": 1.0, "rho_over_threshold": 1.3, "start": -0.4, "steps": 60}
VALLEY = {"along": 0.02, "sharp": 4.0, "flat": 0.4, "distance": 2.0}
VALLEY_RUN: dict[str, Any] = {
    "lr": 0.2, "rho_over_threshold": 1.5, "start": [0.3, 0.55], "steps": 2500,
}  # fmt: skip


def compute(smoke: bool = False) -> dict[str, Any]:
    """Return the paths of SGD and of SAM on both landscapes."""
    rho = WELL_RUN["rho_over_threshold"] * escape_threshold(
        WELL["sharp"], WELL["wall"], WELL_RUN["lr"]
    )
    well = paths(smooth_well(**WELL), [WELL_RUN["start"]], rho, WELL_RUN, smoke)
    threshold = twin_valley_threshold(**VALLEY, lr=VALLEY_RUN["lr"])
    rho = VALLEY_RUN["rho_over_threshold"] * threshold
    valley = paths(twin_valley(**VALLEY), VALLEY_RUN["start"], rho, VALLEY_RUN, smoke)
    return {
        "well": {"landscape": WELL, **WELL_RUN, **well},
        "valley": {"landscape": VALLEY, **VALLEY_RUN, **valley},
    }


def paths(
    landscape: Any, start: Any, rho: float, run: dict[str, Any], smoke: bool
) -> dict[str, Any]:
    """Return SGD's and SAM's path from one start."""
    steps = 50 if smoke else run["steps"]
    start = np.array(start)
    return {
        "rho": rho,
        "SGD": sgd_path(landscape, start, run["lr"], steps),
        "SAM": sam_path(landscape, start, run["lr"], rho, steps),
    }


def paint(figure: Any, record: dict[str, Any]) -> None:
    """Draw a record's paths, from the side and from above."""
    side, above = figure.subplots(1, 2, width_ratios=(1, 1.15))
    paint_well(side, record["well"])
    paint_valley(above, record["valley"])


def paint_well(axes: Any, record: dict[str, Any]) -> None:
    """Draw the well from the side: a curve, and the iterates on it."""
    well = smooth_well(**record["landscape"])
    sharp, flat = (low.point[0] for low in well.minima)
    x = np.linspace(-1.25, flat + 2.2, 800)
    axes.plot(x, well.loss(x[:, None]), color=GREY, linewidth=3, zorder=1)
    for method, shown in (("SGD", 12), ("SAM", 60)):
        at = np.array(record[method])[:shown, 0]
        height = well.loss(at[:, None])
        axes.plot(at, height, "o-", color=colour(method), linewidth=1, markersize=6, alpha=0.75,
                  label=method)  # fmt: skip
        end = at[-2:]
        axes.plot(end, well.loss(end[:, None]), "o", color=colour(method), markersize=11)
    name_point(axes, "sharp", (sharp, 0), (0, -20))
    name_point(axes, "flat", (flat, 0), (0, -20))
    axes.set_ylim(-0.14, 1.15)
    axes.set_xlabel("w")
    axes.set_ylabel("loss")
    axes.set_title(f"From the side: ρ = {record['rho_over_threshold']:g} × threshold")
    axes.legend(loc="upper right")


def paint_valley(axes: Any, record: dict[str, Any]) -> None:
    """Draw the valley from above: contours, and the paths."""
    valley = twin_valley(**record["landscape"])
    x, y = np.linspace(-0.45, 2.6, 300), np.linspace(-0.75, 0.75, 200)
    contours(axes, valley.loss, x, y, levels=18)
    for method in ("SGD", "SAM"):
        path = np.array(record[method])
        axes.plot(path[:, 0], path[:, 1], color=colour(method), linewidth=0.9, alpha=0.8)
        axes.plot(*path[-1], "o", color=colour(method), markersize=12, markeredgecolor="white",
                  label=method)  # fmt: skip
    axes.plot(*record["start"], "s", color=BLACK, markersize=8)
    name_point(axes, "start", record["start"], (28, 8))
    name_point(axes, "sharp", (0.0, 0.0), (-30, -34))
    name_point(axes, "flat", (record["landscape"]["distance"], 0.0), (20, -34))
    axes.set_xlabel("along the valley")
    axes.set_ylabel("across the valley")
    axes.set_title(f"From above: ρ = {record['rho_over_threshold']:g} × threshold")
    axes.legend(loc="upper right")
