"""The paper's first figures on a trained network: the loss around SGD's and SAM's end points.

Above: the loss along filter-normalized random directions, and over a plane of two of them. Below:
one SAM step of a half-trained network, on the plane that its two gradients span: from A up d1 to B,
and from A down d2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minisam.experiments.runs import gain, labelled
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.study import Headline
from minisam.experiments.training import records, training_loss
from minisam.experiments.trial import fit
from minisam.nn.gradients import value_and_grad
from minisam.optim import sam, sgd
from minisam.plots import BLACK, VERMILION, colour
from minisam.sharpness import filter_normalized_direction, loss_plane, loss_slice, plane_through
from minisam.trees import add_scaled, inner, norm, subtract

CLAIM = "Around SAM's end point the loss is wider than around SGD's."
PUBLISHED = "Foret et al. 2020, figure 1 (middle and right), of a ResNet; without a figure."
DIRECTIONS = 5
SIZE = (13.0, 8.0)


def slices(points: int = 25, grid: int = 21, **settings: Any) -> dict[str, Any]:
    """Train a network; return the loss along random directions and over a plane."""
    fitted = fit(*records(settings))
    loss = training_loss(fitted.model, fitted.arrays, fitted.statistics)
    rng = np.random.default_rng(0)
    x, y = np.linspace(-1, 1, points), np.linspace(-1, 1, grid)
    directions = [filter_normalized_direction(fitted.params, rng) for _ in range(DIRECTIONS)]
    lines = [loss_slice(loss, fitted.params, d, x).losses for d in directions]
    plane = loss_plane(loss, fitted.params, (directions[0], directions[1]), y, y)
    centre = float(loss(fitted.params))
    rise = np.mean([np.interp([-0.5, 0.5], x, line).mean() for line in lines]) - centre
    return {
        "x": x, "lines": lines, "y": y, "plane": plane.losses, "centre": centre, "rise": rise,
        "train": 100 * fitted.history[-1]["train"],
    }  # fmt: skip


def one_step(rho: float, grid: int = 31, **settings: Any) -> dict[str, Any]:
    """Train with SGD for a few epochs; return one SAM step on the plane through A, B and w'.

    The step is drawn half as long as the climb, whatever the learning rate: η = ρ / (2 ‖d2‖).
    """
    fitted = fit(*records(settings))
    loss = training_loss(fitted.model, fitted.arrays, fitted.statistics)
    optimizer, a = sam(sgd(lr=1.0), rho), fitted.params
    _, _, step = optimizer.step(a, optimizer.init(a), value_and_grad(loss))
    b, d2 = step.perturbed_params, step.descent_gradient
    after = add_scaled(a, -0.5 * rho / float(norm(d2)), d2)
    up, across, length = plane_through(a, b, after)
    moved = subtract(after, a)
    end = [float(inner(moved, up)), float(inner(moved, across))]
    x = np.linspace(min(0.0, end[0]) - 0.6 * length, 1.6 * length, grid)
    y = np.linspace(-0.3 * length, max(end[1], 0.0) + 0.6 * length, grid)
    plane = loss_plane(loss, a, (up, across), x, y)
    fall = [float(loss(a)), float(loss(after))]
    return {"x": x, "y": y, "plane": plane.losses, "b": [length, 0.0], "end": end, "losses": fall}


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Train with SGD and SAM, every seed; take one step by hand."""
    base = scale.learned(noise=0.2)
    rho = scale.radii("sam")[2]
    small = {"points": 5, "grid": 5} if scale.smoke else {}
    methods: dict[str, dict[str, Any]] = {
        "SGD": {"optimizer": "sgd"},
        "SAM": {"optimizer": "sam", "rho": rho},
    }
    entries = [({"method": m}, {**base, **small, **options}) for m, options in methods.items()]
    runs = over_seeds(cells, scale, entries, slices)
    early = {**base, "epochs": 1 if scale.smoke else 5, "seed": scale.seeds[0], "rho": rho}
    return {"runs": runs, "step": cells([early], one_step)[0]}


def widening(results: Mapping[str, Any]) -> Any:
    """Return SGD's rise minus SAM's at half the filters' norms, by seed."""
    return gain(results["runs"], "SGD", over="SAM", value="rise")


def learned_by_worse(results: Mapping[str, Any]) -> float:
    """Return the training accuracy of the method that fits worse: less fitted is flatter.

    Older results do not tell it; there it is e^−loss, the mean probability of the training labels.
    """
    means = []
    for method in ("SGD", "SAM"):
        runs = labelled(results["runs"], method=method)
        told = [run.get("train", 100 * np.exp(-run["centre"])) for run in runs]
        means.append(float(np.mean(told)))
    return min(means)


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return the loss at the end points and the mean rise halfway out."""
    rows = [["seed", "method", "loss at the end", "mean rise at half the filters' norms"]]
    for run in results["runs"]:
        rows.append([str(run["seed"]), run["method"], f"{run['centre']:.3f}", f"{run['rise']:.3f}"])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge the difference of rises."""
    word, learned = headline(results).word, learned_by_worse(results)
    told = f"the worse fitted learned {learned:.0f} % of its training labels"
    return f"{word}: rise around SGD − around SAM = {widening(results):+.3f}; {told}"


def headline(results: Mapping[str, Any]) -> Headline:
    """Say how much more the loss rises around SGD's end point."""
    difference, train = widening(results), learned_by_worse(results)
    return Headline.of(difference, "of loss", digits=2, delta=0.05, train=train)


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw slices and planes above, the step below."""
    grid = figure.add_gridspec(2, 3)
    line = figure.add_subplot(grid[0, 0])
    first = {m: labelled(results["runs"], method=m)[0] for m in ("SGD", "SAM")}
    top = max(np.percentile(run["plane"], 80) for run in first.values())
    bottom = min(run["centre"] for run in first.values())
    levels = np.linspace(bottom, top, 12)
    for column, (method, run) in enumerate(first.items(), start=1):
        for k, values in enumerate(run["lines"]):
            label = method if k == 0 else None
            line.plot(run["x"], values, color=colour(method), alpha=0.6, label=label)
        axes = figure.add_subplot(grid[0, column])
        shown = axes.contourf(
            run["y"], run["y"], run["plane"], levels=levels, cmap="cividis", extend="both"
        )
        axes.plot(0, 0, "o", color="white", markeredgecolor=BLACK)
        axes.set(title=f"around {method}'s end point", xlabel="along direction 1")
        axes.set_ylabel("along direction 2")
        axes.grid(False)
    figure.colorbar(shown, ax=axes, label="training loss")
    line.set(xlabel="distance / norm of each filter", ylabel="training loss")
    line.set_title(f"along {DIRECTIONS} random directions")
    line.legend()
    draw_step(results["step"], figure, figure.add_subplot(grid[1, :]))


def draw_step(step: Mapping[str, Any], figure: Any, axes: Any) -> None:
    """Draw A, B and the new weights on their plane."""
    shown = axes.contourf(step["x"], step["y"], step["plane"], levels=18, cmap="cividis")
    figure.colorbar(shown, ax=axes, label="training loss")
    arrows = (("ε, up the gradient at A", step["b"], VERMILION), ("−η d2", step["end"], "white"))
    for text, end, shade in arrows:
        axes.annotate(
            "", xy=end, xytext=(0, 0), arrowprops={"arrowstyle": "-|>", "color": shade, "lw": 3}
        )
        axes.annotate(
            text, xy=(end[0] / 2, end[1] / 2), xytext=(4, 10), textcoords="offset points",
            color="white", fontweight="bold",
        )  # fmt: skip
    marks = (("A", (0, 0), (6, -16)), ("B", step["b"], (6, -16)), ("w'", step["end"], (-24, 4)))
    for name, place, offset in marks:
        axes.plot(*place, "o", color="white", markeredgecolor=BLACK)
        axes.annotate(
            name, xy=place, xytext=offset, textcoords="offset points", color="white", fontsize=15
        )
    axes.set(
        title="one SAM step of a trained network, on the plane through A, B and w'",
        xlabel="along d1 (units of weights)",
        ylabel="across, within d2",
    )
    axes.grid(False)
