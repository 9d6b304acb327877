"""The two-step update, from the side and from above: A, d1, B, d2.

SGD would go from A straight down d1. SAM climbs to B first, reads the slope d2 there, goes back to
A and descends along d2, which points more steeply across the valley than d1 does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minisam.landscapes import quadratic
from minisam.optim import Step, sam, sgd
from minisam.plots import BLACK, BLUE, GREY, ORANGE, arrow, colour, contours, name_point
from minisam.trees import flatten

SIZE = (13.0, 5.6)
SETTINGS: dict[str, Any] = {
    "spectrum": [6.0, 1.0],
    "angle": -0.5,
    "coordinates": [0.25, 1.3],
    "lr": 0.21,
    "rho": 0.55,
}


def valley(settings: dict[str, Any]) -> tuple[Any, np.ndarray]:
    """Return the bowl that the settings describe, and its rotation."""
    c, s = np.cos(settings["angle"]), np.sin(settings["angle"])
    rotation = np.array([[c, -s], [s, c]])
    return quadratic(settings["spectrum"], rotation), rotation


def compute(smoke: bool = False) -> dict[str, Any]:
    """Return one step of SAM on a tilted bowl, with everything that it saw."""
    bowl, rotation = valley(SETTINGS)
    params = {"w": rotation @ np.array(SETTINGS["coordinates"])}
    opt = sam(sgd(lr=SETTINGS["lr"]), rho=SETTINGS["rho"])
    end, _, step = opt.step(params, opt.init(params), bowl.value_and_grad)
    seen = {
        key: value for key, value in step._asdict().items() if key != "shards" and value is not None
    }
    return {"settings": SETTINGS, "step": seen, "start": params, "end": end}


def paint(figure: Any, record: dict[str, Any]) -> None:
    """Draw the step that a record holds."""
    bowl, _ = valley(record["settings"])
    seen: dict[str, Any] = {
        key: {"w": np.array(value["w"])} if isinstance(value, dict) else value
        for key, value in record["step"].items()
    }
    two_step_update(figure, bowl.loss, Step(**seen), {"w": np.array(record["end"]["w"])})


def two_step_update(figure: Any, loss: Callable[[Any], Any], step: Any, end: Any) -> None:
    """Draw one step of SAM from the side and from above: A, d1, B, d2 and where it leads.

    From the side: the loss along the line of the climb. d1 is the slope at A, B is ρ uphill, d2 the
    slope there. From above: the same on the contours, with d2 carried back to A, which is where the
    step starts.

    Args:
        figure: a Matplotlib figure, such as `picture` yields.
        loss: L of two variables, from an array of shape (..., 2) to one of shape (...).
        step: the `minisam.optim.Step`, of parameters with two entries in all.
        end: the parameters after the step, of the same structure.

    Example:
        >>> from matplotlib.figure import Figure
        >>> bowl = quadratic([4.0, 1.0])
        >>> opt, params = sam(sgd(lr=0.1), rho=0.5), {"w": np.array([1.0, 1.0])}
        >>> end, _, step = opt.step(params, opt.init(params), bowl.value_and_grad)
        >>> figure = Figure()
        >>> two_step_update(figure, bowl.loss, step, end)
        >>> len(figure.axes)
        2
    """
    point: Callable[[Any], Any] = flatten
    b, climb, after = point(step.perturbed_params), point(step.perturbation), point(end)
    d1, d2 = point(step.ascent_gradient), point(step.descent_gradient)
    a = b - climb
    rho = float(np.linalg.norm(climb))
    lr = float(np.linalg.norm(after - a) / np.linalg.norm(d2))
    side, above = figure.subplots(1, 2, width_ratios=(1, 1))

    # from the side: everything at its distance along the climb
    up = climb / rho
    along = np.linspace(-1.5 * rho, 1.6 * rho, 400)
    side.plot(along, loss(a + along[:, None] * up), color=GREY, linewidth=3)
    low, high, reach = float(loss(a)), float(loss(b)), np.array([-0.5 * rho, 0.5 * rho])
    for where, height, slope, name, shade, tip in (
        (0.0, low, d1 @ up, "d1", colour("SGD"), 0),
        (rho, high, d2 @ up, "d2", colour("SAM"), 1),
    ):
        side.plot(where + reach, height + slope * reach, color=shade, linewidth=2.6)
        at = (where + reach[tip], height + slope * reach[tip])
        name_point(side, f"slope {name}", at, (46, -4))
    arrow(side, (0, low), (rho, low), color=ORANGE, linestyle=":", linewidth=2)
    arrow(side, (rho, low), (rho, high), color=ORANGE, linestyle=":", linewidth=2)
    name_point(side, "ρ", (rho / 2, low), (0, -14))
    side.plot([0], [low], "o", color=BLACK, markersize=11)
    side.plot([rho], [high], "o", color=BLUE, markersize=11)
    name_point(side, "A", (0, low), (-12, 20))
    name_point(side, "B", (rho, high), (-18, 14))
    side.set_xlabel("distance along the climb")
    side.set_ylabel("loss")
    side.set_title("From the side: climb to B, read the slope there")

    # from above: d2 is found at B, and walked from A
    sgd, found = a - lr * d1, b - lr * d2
    points = np.stack([a, b, after, sgd, found])
    middle, reach = (points.min(0) + points.max(0)) / 2, 0.75 * np.ptp(points, axis=0).max()
    x, y = (np.linspace(m - reach, m + reach, 200) for m in middle)
    contours(above, loss, x, y)
    arrow(above, a, b, color=ORANGE)
    arrow(above, b, found, color=colour("SAM"), linestyle=(0, (4, 2)), linewidth=1.8)
    arrow(above, a, after, color=colour("SAM"))
    arrow(above, a, sgd, color=colour("SGD"))
    above.plot(*a, "o", color=BLACK, markersize=11)
    above.plot(*b, "o", color=BLUE, markersize=11)

    def outwards(start: Any, tip: Any) -> Any:
        return 20 * (tip - start) / np.linalg.norm(tip - start)

    def beside(start: Any, tip: Any, away_from: Any) -> Any:
        across = outwards(start, tip)[::-1] * (-0.9, 0.9)
        return -across if across @ (away_from - start) > 0 else across

    name_point(above, "A", a, beside(a, after, b) - 0.5 * outwards(a, after))
    name_point(above, "B", b, outwards(a, b))
    name_point(above, "ε", (a + b) / 2, beside(a, b, found))
    name_point(above, "−η d2", (b + found) / 2, beside(b, found, a))
    name_point(above, "SAM", after, outwards(a, after) * (1.3, 1))
    name_point(above, "SGD", sgd, outwards(a, sgd) * (1.3, 1))
    above.set_aspect("equal")
    above.set_xlabel("w₁")
    above.set_ylabel("w₂")
    above.set_title("From above: d2 is found at B and walked from A")
