"""Over-parameterization: does SAM's gain grow with the network's width?

The same MLP at six widths, on clean and on noisy labels. A network is over-parameterized where it
can fit its training labels whatever they are, so training accuracy is reported beside the number of
parameters per example. SAM's ρ and learning rate, and SGD's learning rate, are chosen at every
width, from as many settings (see `minisam.experiments.search`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.search import candidates, tune, with_best
from minisam.experiments.statistics import Interval, paired_difference
from minisam.experiments.study import (
    Cells,
    Headline,
    Scale,
    gain,
    gains,
    labelled,
    mean,
    over_seeds,
    weigh,
)
from minisam.plots import BLACK, GREY, curve_with_interval

CLAIM = "SAM's gains are large only where the network is over-parameterized."
PUBLISHED = "A review's reading of the literature, without a figure of its own."
WIDTHS = (4, 12, 32, 64, 128, 256)
NOISE = (0.4, 0.0)


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run at every width."""
    widths, rates = (4, 12) if scale.smoke else WIDTHS, NOISE
    problems = [
        (
            {"width": w, "noise": noise},
            scale.settings(model_options={"hidden": [w, w]}, noise=noise),
        )
        for noise in rates
        for w in widths
    ]
    best, search = tune(cells, scale, problems, candidates(scale, "SGD", "SAM"))
    runs = over_seeds(cells, scale, with_best(problems, best))
    return {"widths": widths, "rates": rates, "search": search, "runs": runs}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per width and noise."""
    rows = [
        ["noise", "width", "parameters per example", "SGD train (%)", "SGD test (%)",
         "SAM test (%)", "SAM − SGD, paired"],
    ]  # fmt: skip
    for noise in results["rates"]:
        for width in results["widths"]:
            labels = {"width": width, "noise": noise}
            rows.append(
                [
                    f"{100 * noise:.0f} %",
                    str(width),
                    f"{per_example(results, width):.1f}",
                    f"{mean(results['runs'], 'train', method='SGD', **labels):.1f}",
                    f"{mean(results['runs'], method='SGD', **labels):.1f}",
                    f"{mean(results['runs'], method='SAM', **labels):.1f}",
                    f"{gain(results['runs'], 'SAM', **labels):+.2f}",
                ]
            )
    return rows


def per_example(results: Mapping[str, Any], width: int) -> float:
    """Return the number of parameters per training example."""
    first = labelled(results["runs"], width=width)[0]
    return first["parameters"] / first["examples"]


def growth(results: Mapping[str, Any], noise: float) -> Interval:
    """Return how much larger the gain is at the largest width than at the smallest, by seed."""
    widest, narrowest = (
        gains(results["runs"], width=results["widths"][k], noise=noise) for k in (-1, 0)
    )
    return paired_difference(widest, narrowest)


def verdict(results: Mapping[str, Any]) -> str:
    """Judge, rate by rate, the growth of the gain, and whether the widest network gains at all."""
    parts = []
    for noise in results["rates"]:
        more = growth(results, noise)
        widest = gain(results["runs"], "SAM", width=results["widths"][-1], noise=noise)
        judged = weigh(more)
        if judged == "shows":
            judged = weigh(widest)
        parts.append(
            f"{judged} with {100 * noise:.0f} % label noise, where the widest network gains "
            f"{widest:+.1f} points, {more:+.1f} more than the narrowest"
        )
    return "; ".join(parts)


def headline(results: Mapping[str, Any]) -> Headline:
    """Say how much more the widest network gains, with the noisiest labels."""
    return Headline.of(growth(results, max(results["rates"])), "points, widest − narrowest")


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw the gain, and what the networks can fit, against parameters per example."""
    panels = figure.subplots(
        2, len(results["rates"]), sharex=True, sharey="row", height_ratios=(3, 2), squeeze=False
    )
    x = [per_example(results, width) for width in results["widths"]]
    for column, noise in enumerate(results["rates"]):
        top, bottom = panels[:, column]
        labels = [{"width": width, "noise": noise} for width in results["widths"]]
        points = [gain(results["runs"], "SAM", **label) for label in labels]
        curve_with_interval(top, x, points, "SAM")
        top.axhline(0, color=BLACK, linewidth=1)
        top.set_title(f"{100 * noise:.0f} % label noise" if noise else "clean labels")
        fits = [mean(results["runs"], "train", method="SGD", **label) for label in labels]
        curve_with_interval(bottom, x, fits, "SGD")
        bottom.axhline(100, color=GREY, linewidth=1, linestyle=":")
        bottom.set_xscale("log")
        bottom.set_xticks(x, [f"{value:.{1 if value < 10 else 0}f}" for value in x])
        bottom.minorticks_off()
        bottom.set_xlabel("parameters per training example")
    panels[0, 0].set_ylabel("SAM − SGD\n(points of test accuracy)")
    panels[1, 0].set_ylabel("SGD's training\naccuracy (%)")
