"""Why SAM does not come to rest: its two-cycle across a minimum.

Left: the cycle on a bowl. From A = a* SAM climbs to B, a further ρ out, and the slope there carries
it exactly to −a*. Right: wherever it starts, its distance settles at a* = ηλρ/(2 − ηλ), while SGD's
goes to zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.landscapes import bounce_amplitude, quadratic, sam_path, sgd_path
from minisam.plots import BLACK, BLUE, GREY, ORANGE, SERIES, arrow, colour, name_point

SIZE = (13.0, 5.6)
SETTINGS: dict[str, Any] = {
    "curvature": 1.0, "rho": 0.5, "products": [0.4, 1.0, 1.5], "start": 2.0, "steps": 24,
}  # fmt: skip


def compute(smoke: bool = False) -> dict[str, Any]:
    """Return SAM's and SGD's paths on one bowl, for several products ηλ."""
    curvature, rho = SETTINGS["curvature"], SETTINGS["rho"]
    bowl, start = quadratic([curvature]), np.array([SETTINGS["start"]])
    runs = []
    for product in SETTINGS["products"]:
        lr = product / curvature
        runs.append(
            {
                "lr": lr,
                "amplitude": bounce_amplitude(curvature, lr, rho),
                "SAM": sam_path(bowl, start, lr, rho, SETTINGS["steps"])[:, 0],
                "SGD": sgd_path(bowl, start, lr, SETTINGS["steps"])[:, 0],
            }
        )
    return {"settings": SETTINGS, "runs": runs}


def paint(figure: Any, record: dict[str, Any]) -> None:
    """Draw the cycle of the middle run, and the distances of all."""
    cycle, distances = figure.subplots(1, 2)
    paint_cycle(cycle, record["settings"], record["runs"][1])
    for run, (shade, mark) in zip(record["runs"], SERIES, strict=True):
        label = f"SAM, ηλ = {run['lr'] * record['settings']['curvature']:g}"
        steps = range(len(run["SAM"]))
        distances.axhline(run["amplitude"], color=shade, linestyle="--", linewidth=1.2)
        distances.plot(steps, np.abs(run["SAM"]), f"{mark}-", color=shade, label=label)
    sgd = record["runs"][0]["SGD"]
    distances.plot(
        range(len(sgd)), np.abs(sgd), "s-", color=colour("SGD"), markersize=5,
        label=f"SGD, ηλ = {record['settings']['products'][0]:g}",
    )  # fmt: skip
    distances.set_xlabel("step")
    distances.set_ylabel("distance from the minimum |w|")
    distances.set_title("It settles at a* = ηλρ/(2 − ηλ), dashed")
    distances.legend()


def paint_cycle(axes: Any, settings: dict[str, Any], run: dict[str, Any]) -> None:
    """Draw the cycle on the bowl: A, B, and the step to the other side."""
    a, rho = run["amplitude"], settings["rho"]

    def height(w: Any) -> Any:
        return 0.5 * settings["curvature"] * np.square(w)

    x = np.linspace(-1.45 * (a + rho), 1.45 * (a + rho), 300)
    axes.plot(x, height(x), color=GREY, linewidth=3)
    for side in (1, -1):
        at_a, at_b = (side * a, height(a)), (side * (a + rho), height(a + rho))
        arrow(axes, at_a, at_b, color=ORANGE, connectionstyle=f"arc3,rad={0.25 * side}")
        arrow(axes, at_a, (-side * a, height(a)), color=BLUE, connectionstyle="arc3,rad=0.3")
        axes.plot(*at_a, "o", color=BLACK, markersize=11, zorder=3)
        axes.plot(*at_b, "o", color=ORANGE, markersize=11, zorder=3)
        name_point(axes, "A" if side > 0 else "next A", at_a, (side * 14, -20))
        name_point(axes, "B", at_b, (side * 20, -4))
    name_point(axes, "−η d2", (0, height(a)), (0, 40))
    name_point(axes, "ε", (a + rho / 2, height(a + rho / 2)), (24, -12))
    axes.set_xticks([-a - rho, -a, 0, a, a + rho], ["−a* − ρ", "−a*", "0", "a*", "a* + ρ"])
    axes.set_ylim(-0.18 * height(a + rho), 1.9 * height(a + rho))
    axes.set_ylabel("loss")
    axes.set_title("The slope at B carries A to the other side, and back")
