"""Draw all kept results at a glance: a forest plot, and gain against how well SGD fits."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minisam.experiments.reproduce import STUDIES
from minisam.experiments.runs import gain, labelled, mean
from minisam.experiments.statistics import Interval
from minisam.experiments.study import FITTED, Headline
from minisam.experiments.summary import Row, rows
from minisam.plots import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    dot_with_interval,
    picture,
)  # fmt: skip

# what tells problems apart in runs
LABELS = ("model", "noise", "width", "images", "frozen", "pretrained")
SHADES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
MARKS = {"toy": "o", "cifar10": "s", "cifar100": "^"}
TOLD_BY_MARKS = "round: toy images, square: CIFAR-10, star: one GPU"
IN_POINTS = "points"


class Line(NamedTuple):
    """One line of the forest plot: a name, an interval from runs here, and the paper's figure."""

    name: str
    interval: Interval
    paper: float | None
    device: str | None
    data: str
    word: str


def errors_removed(found: Sequence[Row]) -> list[Line]:
    """Return the lines of the shares of SGD's errors that SAM removes, in percent."""
    lines = []
    for row in found:
        if row.headline is None or row.headline.share is None:
            continue
        study = importlib.import_module(STUDIES[row.record["name"]])
        paper = getattr(study, "PAPER", None)
        told: Mapping[str, tuple[Headline, float | None]] = {"": (row.headline, paper)}
        if hasattr(study, "forest") and "device" not in row.record:
            told = study.forest(row.record["results"])
        for part, (headline, paper) in told.items():
            assert headline.share is not None
            name = f"{row.record['name']}{part}, {row.place}"
            place = row.record.get("device"), row.record["data"]
            lines.append(Line(name, headline.share, paper, *place, headline.word))
    return lines


def in_points(found: Sequence[Row]) -> list[Line]:
    """Return the lines of the headlines that are differences in points."""
    return [
        Line(
            f"{row.record['name']}, {row.place}", row.headline.difference, None,
            row.record.get("device"), row.record["data"], row.word,
        )
        for row in found
        if row.headline and row.headline.difference and IN_POINTS in row.headline.number
    ]  # fmt: skip


def draw_lines(axes: Any, lines: Sequence[Line], limits: tuple[float, float]) -> None:
    """Draw each line: dot (two cores) or square (a device) with interval; paper: hollow diamond.

    A value outside the limits is drawn as an arrowhead at the edge.
    """
    left, right = limits
    for k, line in enumerate(lines):
        value, low, high, _ = line.interval
        under = line.word == "under-fitted"
        shade = GREY if under else BLUE if line.data == "toy" else VERMILION
        axes.plot([max(low, left), min(high, right)], [k, k], color=shade, linewidth=3, alpha=0.5)
        mark = "s" if line.device else "o"
        inside = min(max(value, left), right)
        axes.plot(
            [inside], [k], mark if inside == value else "<" if value < left else ">", color=shade,
            markersize=9, markerfacecolor="white" if under else shade, clip_on=False,
        )  # fmt: skip
        if line.paper is not None:
            axes.plot([line.paper], [k], "D", color=BLACK, markerfacecolor="none", markersize=9)
    axes.axvline(0, color=BLACK, linewidth=1)
    axes.set_yticks(range(len(lines)), [f"{line.name}: {line.word}" for line in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.axvspan(left, 0, color=GREY, alpha=0.12, linewidth=0)
    axes.set_xlim(left, right)


def draw_forest(found: Sequence[Row], path: Path) -> None:
    """Draw the forest plot of all results: shares of errors, and differences in points."""
    shares, others = errors_removed(found), in_points(found)
    height = 2.6 + 0.36 * (len(shares) + len(others))
    with picture(path, 13.0, height) as figure:
        ratios = (len(shares) + 1, len(others) + 1)
        above, below = figure.subplots(2, 1, height_ratios=ratios)
        draw_lines(above, shares, (-40.0, 100.0))
        above.set_xlabel("share of SGD's errors that SAM removes (%)")
        for mark, shade, name in (
            ("o", BLUE, "two cores, toy images"), ("o", VERMILION, "two cores, CIFAR"),
            ("s", VERMILION, "one GPU"),
        ):  # fmt: skip
            above.plot([], [], mark, color=shade, label=name)
        above.plot([], [], "D", color=BLACK, markerfacecolor="none", label="paper")
        above.plot([], [], "o", color=GREY, markerfacecolor="white", label="SGD under-fitted")
        draw_lines(below, others, (-50.0, 80.0))
        below.set_xscale("symlog", linthresh=5)
        ticks = (-50, -20, -10, -5, 0, 5, 10, 20, 50)
        below.set_xticks(ticks, [f"{tick:+d}" if tick else "0" for tick in ticks])
        below.minorticks_off()
        below.set_xlabel("difference that the claim says is positive (points; logarithmic above 5)")
        figure.legend(loc="outside upper center", ncols=5, fontsize=11)


def problems(runs: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the labels of every problem that both SGD and SAM were trained and tested on."""
    runs = [run for run in runs if {"train", "last"} <= run.keys()]
    names = [name for name in LABELS if all(name in run for run in runs)]
    found = [{name: run[name] for name in names} for run in runs]
    for k, labels in enumerate(found):
        methods = {run.get("method") for run in labelled(runs, **labels)}
        if labels not in found[:k] and {"SGD", "SAM"} <= methods:
            yield labels


def draw_fitted(found: Sequence[Row], path: Path) -> None:
    """Draw SAM's gain against SGD's training accuracy, of every problem of every claim."""
    with picture(path, 10.0, 5.6) as figure:
        axes = figure.subplots()
        names = dict.fromkeys(row.record["name"] for row in found)
        shades = dict(zip(names, itertools.cycle(SHADES), strict=False))
        drawn: set[str] = set()
        for row in found:
            runs, name = row.record["results"].get("runs", []), row.record["name"]
            for labels in problems(runs):
                radii = {run.get("rho") for run in labelled(runs, method="SAM", **labels)}
                if len(radii) > 1:
                    continue  # side by side: none of them was chosen
                drawn.add(name)
                train = mean(runs, "train", method="SGD", **labels).value
                mark = "*" if "device" in row.record else MARKS[row.record["data"]]
                dot_with_interval(
                    axes, train, gain(runs, "SAM", **labels), marker=mark, markersize=9,
                    color=shades[name], capsize=3, alpha=0.8,
                )  # fmt: skip
        for name in [name for name in shades if name in drawn]:
            axes.plot([], [], "o", color=shades[name], label=name)
        axes.axhline(0, color=BLACK, linewidth=1)
        axes.set_ylim(max(axes.get_ylim()[0], -15), None)
        axes.axvline(FITTED, color=GREY, linestyle=":", linewidth=1.5)
        axes.set_xlabel("SGD's accuracy on its training labels (%); left of the line: under-fitted")
        axes.set_ylabel("SAM − SGD (points of test accuracy)")
        if drawn:
            axes.legend(fontsize=10, title=TOLD_BY_MARKS, loc="upper left")


def overview(folder: Path) -> list[Path]:
    """Draw ``claims.png`` and ``fitted.png`` of all results below a folder; return their paths."""
    found = [row for row in rows(folder) if row.headline]
    paths = [folder / "claims.png", folder / "fitted.png"]
    draw_forest(found, paths[0])
    draw_fitted(found, paths[1])
    return paths
