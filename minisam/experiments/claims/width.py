"""Over-parameterization: does SAM's gain grow with the network's width?

The same MLP at several widths, on noisy and on clean labels. A network is over-parameterized where
it can fit its training labels whatever they are, so training accuracy is reported beside the
number of parameters per example. SGD's learning rate and weight decay are chosen at every width,
on clean labels, SAM's ρ at every width and rate of noise. What is judged is the trend, the slope
of the gain per doubling of the width, seed by seed: the widest network against the narrowest would
compare with one that hardly trains.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minisam.experiments.curves import at_every_radius
from minisam.experiments.runs import gain, gains, labelled, mean
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.search import candidates, tune, with_best
from minisam.experiments.statistics import Interval, mean_interval
from minisam.experiments.study import FITTED, Headline, weigh
from minisam.plots import BLACK, GREY, curve_with_interval

CLAIM = "SAM's gains are large only where the network is over-parameterized."
PUBLISHED = "A review's reading of the literature, without a figure of its own."
WIDTHS = (12, 32, 64, 128, 256)
NARROWEST = 12  # a narrower network can tell ten classes from each other in no way
NOISE = (0.4, 0.0)
DELTA = 0.25  # points a doubling: one point from the narrowest to the widest


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run at every width."""
    widths = (4, 12) if scale.smoke else WIDTHS
    problems = [
        (
            {"width": w, "noise": noise},
            scale.learned(model_options={"hidden": [w, w]}, noise=noise, train_size=1000, every=20),
        )
        for noise in NOISE
        for w in widths
    ]
    options = candidates(scale, "SAM")
    best, search = tune(cells, scale, problems, options, base_on={"noise": 0.0})
    runs = over_seeds(cells, scale, with_best(problems, best))
    noisy = [k for k, (labels, _) in enumerate(problems) if labels["noise"]]
    bases = [best[k]["SGD"] for k in noisy]
    curve = at_every_radius(cells, scale, [problems[k] for k in noisy], bases, options)
    return {"widths": widths, "rates": NOISE, "search": search, "chosen": best, "runs": runs,
            "curve": curve}  # fmt: skip


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per width and noise, and the slopes."""
    rows = [
        ["noise", "width", "parameters per example", "ρ", "SGD train (%)", "SGD test (%)",
         "SAM test (%)", "SAM − SGD, paired"],
    ]  # fmt: skip
    chosen: Iterator[dict[str, Any]] = iter(results.get("chosen", []))
    for noise in results["rates"]:
        for width in results["widths"]:
            labels = {"width": width, "noise": noise}
            rows.append(
                [
                    f"{100 * noise:.0f} %",
                    str(width),
                    f"{per_example(results, width):.1f}",
                    f"{next(chosen, {}).get('SAM', {}).get('rho', '')}",
                    f"{mean(results['runs'], 'train', method='SGD', **labels):.1f}",
                    f"{mean(results['runs'], method='SGD', **labels):.1f}",
                    f"{mean(results['runs'], method='SAM', **labels):.1f}",
                    f"{gain(results['runs'], 'SAM', **labels):+.2f}",
                ]
            )
    for noise in results["rates"]:
        name = f"slope per doubling, from width {compared(results)[0]}"
        rows.append([f"{100 * noise:.0f} %", name, *[""] * 5, f"{slope(results, noise):+.2f}"])
    return rows


def per_example(results: Mapping[str, Any], width: int) -> float:
    """Return the number of parameters per training example."""
    first = labelled(results["runs"], width=width)[0]
    return first["parameters"] / first["examples"]


def compared(results: Mapping[str, Any]) -> list[int]:
    """Return the widths of which the slope is taken; all of them if they are but two."""
    wide = [width for width in results["widths"] if width >= NARROWEST]
    return wide if len(wide) > 1 else list(results["widths"])


def slope(
    results: Mapping[str, Any], noise: float, widths: Sequence[int] | None = None
) -> Interval:
    """Return how much the gain grows with each doubling of the width, by seed."""
    widths = widths or compared(results)
    by_width = [gains(results["runs"], width=width, noise=noise) for width in widths]
    doublings = [math.log2(width) for width in widths]
    slopes = [
        float(np.polyfit(doublings, [gained[seed] for gained in by_width], 1)[0])
        for seed in by_width[0]
    ]
    return mean_interval(slopes)


def among_fitted(results: Mapping[str, Any], noise: float) -> str:
    """Say what the slope is among the widths at which SGD learns its labels, if not at all."""
    sides = {
        width: mean(results["runs"], "train", method="SGD", width=width, noise=noise).value
        for width in compared(results)
    }
    wide = [width for width, train in sides.items() if train >= FITTED]
    if len(wide) < 2 or len(wide) == len(sides):
        return ""
    among = slope(results, noise, wide).plus_minus("+.2f")
    return f"{among} among the widths at which SGD learns its labels, from {wide[0]} on"


def widest_fits(results: Mapping[str, Any], noise: float) -> float:
    """Return the training accuracy of SGD with the widest network."""
    labels = {"width": results["widths"][-1], "noise": noise}
    return mean(results["runs"], "train", method="SGD", **labels).value


def judged_slope(results: Mapping[str, Any], noise: float) -> str:
    """Return the verdict on the slope; one that ends where nothing is gained is no gain."""
    train = widest_fits(results, noise)
    word = weigh(slope(results, noise), DELTA, train)
    widest = gain(results["runs"], "SAM", width=results["widths"][-1], noise=noise)
    return weigh(widest, train=train) if word == "shows" else word


def verdict(results: Mapping[str, Any]) -> str:
    """Judge, rate by rate, the slope of the gain."""
    parts = []
    for noise in results["rates"]:
        steeper, widest = slope(results, noise), results["widths"][-1]
        gained = gain(results["runs"], "SAM", width=widest, noise=noise)
        word = judged_slope(results, noise)
        parts.append(
            f"{word} with {100 * noise:.0f} % label noise: "
            f"{steeper:+.2f} points per doubling of the width, to {gained:+.1f} points at {widest}"
        )
        if beside := among_fitted(results, noise):
            parts[-1] += f" ({beside})"
    return "; ".join(parts)


def headline(results: Mapping[str, Any]) -> Headline:
    """Say how much the gain grows with each doubling, with the noisiest labels."""
    noise = max(results["rates"])
    chosen = dict(zip(results["widths"], results.get("chosen", []), strict=False))
    radii = [f"{chosen[width]['SAM']['rho']:g}" for width in compared(results) if width in chosen]
    return Headline.of(
        slope(results, noise), "points per doubled width", digits=2, delta=DELTA,
        train=widest_fits(results, noise), rho=", ".join(radii),
        beside=among_fitted(results, noise),
    )._replace(word=judged_slope(results, noise))  # fmt: skip


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
