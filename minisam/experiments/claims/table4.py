"""Label noise, Foret et al. 2020, Table 4: is SAM as robust as methods that were made for it?

"Bootstrap" is the paper's: train, then train again from scratch on the labels that the first
network predicts. It takes the settings that were chosen for its second half (SGD's, Mixup's, SAM's)
and is not searched; every other method tries nine settings, five of its own hyper-parameter (SGD:
the learning rate) and four learning rates, see `minisam.experiments.search`. The choice is made
on held-out *noisy* labels, so that no method ever sees a clean one, at 40 and at 60 % noise. Lower
rates and human labels take the choice of 40 %, and 80 % that of 60 %: there a network of accuracy a
would agree with 0.2 a + 0.8 (1 − a)/9 of such labels, which no validation set of this size can tell
from guessing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.search import candidates, tune
from minisam.experiments.statistics import by_epoch
from minisam.experiments.study import (
    Cells,
    Headline,
    Scale,
    gain,
    labelled,
    mean,
    over_seeds,
    weigh,
)
from minisam.plots import curve_with_band, dots_by_method

CLAIM = "SAM is as robust to label noise as methods made for it."
PUBLISHED = (
    "Clean test accuracy (%) of a ResNet-32 at 20/40/60/80 % noise: SGD 84.8 68.8 48.2 26.2, "
    "Mixup 93.0 90.0 83.8 70.2, Bootstrap + Mixup 93.3 92.0 87.6 72.0, GCE 89.7 87.6 82.7 67.9, "
    "SAM 95.1 93.4 90.5 77.9, Bootstrap + SAM 95.4 94.2 91.8 79.9."
)
NOISE_RATES = (0.0, 0.2, 0.4, 0.6, 0.8)
JUDGED = 0.4
SEARCHED: dict[float | str, float] = {  # rate of the run: rate at which its settings were chosen
    0.0: 0.4, 0.2: 0.4, 0.4: 0.4, 0.6: 0.6, 0.8: 0.6, "worse_label": 0.4,
}  # fmt: skip
MADE_FOR_NOISE: dict[str, list[dict[str, Any]]] = {
    "Mixup": [{"mixup": alpha} for alpha in (0.2, 1.0, 4.0, 8.0, 16.0)],
    "GCE": [{"loss": "gce", "loss_options": {"q": q}} for q in (0.1, 0.3, 0.5, 0.7, 0.9)],
    "Soft bootstrap loss": [
        {"loss": "soft_bootstrap", "loss_options": {"beta": b}} for b in (0.95, 0.8, 0.6, 0.4, 0.2)
    ],
    "Hard bootstrap loss": [
        {"loss": "hard_bootstrap", "loss_options": {"beta": b}} for b in (0.9, 0.8, 0.7, 0.6, 0.4)
    ],
}
RETRAINED = {"Bootstrap": "SGD", "Bootstrap + Mixup": "Mixup", "Bootstrap + SAM": "SAM"}
ORDER = (
    "SGD",
    "Mixup",
    "Bootstrap",
    "Bootstrap + Mixup",
    "GCE",
    "Soft bootstrap loss",
    "Hard bootstrap loss",
    "SAM",
    "ASAM",
    "Bootstrap + SAM",
)
FOLLOWED = ("SGD", "Mixup", "GCE", "SAM", "ASAM")  # whose memorization is drawn
SIZE = (17.0, 9.0)


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search at two rates, then run every method at every rate and on human labels."""
    base = scale.settings(model_options={"hidden": [128, 128]})
    rates: tuple[float | str, ...] = (0.0, 0.4) if scale.smoke else NOISE_RATES
    if scale.data == "cifar10" and not scale.smoke:
        rates += ("worse_label",)
    searched = sorted({SEARCHED[rate] for rate in rates})
    problems = [({"noise": rate}, {**base, "noise": rate}) for rate in searched]
    options = candidates(scale, "SGD", "SAM", "ASAM") | MADE_FOR_NOISE
    best, search = tune(cells, scale, problems, options)
    chosen = dict(zip(searched, best, strict=True))
    twice = {half: method for method, half in RETRAINED.items()}
    entries = [
        (
            {"method": method, "noise": rate},
            {**base, "noise": rate, **settings, "bootstrap": method in twice},
        )
        for rate in rates
        for method, settings in chosen[SEARCHED[rate]].items()
    ]
    runs = []
    for run in over_seeds(cells, scale, entries):
        first = run.pop("first", None)  # the first half of Bootstrap is the method itself
        if first is not None:
            runs.append({**run, "method": twice[run["method"]]})
        runs.append({**run, **(first or {})})
    return {"rates": rates, "search": search, "runs": runs}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return last-epoch accuracy with its interval, and the best epoch's in brackets."""
    rows = [["test accuracy (%): last epoch [best epoch]", *map(rate_name, results["rates"])]]
    for method in ORDER:
        cells = []
        for rate in results["rates"]:
            labels = {"method": method, "noise": rate}
            best = mean(results["runs"], "best", **labels).value
            cells.append(f"{mean(results['runs'], **labels):.1f} [{best:.1f}]")
        rows.append([method, *cells])
    for method in ("SAM", "ASAM"):
        differences = [gain(results["runs"], method, noise=rate) for rate in results["rates"]]
        rows.append([f"{method} − SGD, paired", *(f"{d:+.1f}" for d in differences)])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge SAM's gain over SGD at 40 % noise, and say how it fared elsewhere."""
    runs = results["runs"]
    difference = gain(runs, "SAM", noise=JUDGED)
    means = {method: mean(runs, method=method, noise=JUDGED).value for method in ORDER}
    best = max(means, key=means.__getitem__)
    others = ", ".join(
        f"{gain(runs, 'SAM', noise=rate):+.1f} at {rate_name(rate)}"
        for rate in results["rates"]
        if rate not in (0.0, JUDGED)
    )
    return (
        f"{weigh(difference)}: at 40 % noise SAM − SGD = {difference:+.1f} points in the last "
        f"epoch; the best method there is {best} with {means[best]:.1f} % against SAM's "
        f"{means['SAM']:.1f} %" + (f"; elsewhere SAM − SGD is {others}" if others else "")
    )


def rate_name(rate: float | str) -> str:
    """Name a column: a rate of symmetric noise, or human labels."""
    return "human, 40 %" if isinstance(rate, str) else f"{rate:.0%}".replace("%", " %")


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what SAM gains at 40 % noise."""
    return Headline.of(gain(results["runs"], "SAM", noise=JUDGED), "points at 40 % noise")


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw a panel of accuracies per rate above, memorization over time below."""
    rates, runs = results["rates"], results["runs"]
    panels = figure.subplots(2, len(rates), height_ratios=(3, 2), squeeze=False)
    for column, rate in enumerate(rates):
        top, bottom = panels[:, column]
        last, best = (
            {method: mean(runs, value, method=method, noise=rate) for method in ORDER}
            for value in ("last", "best")
        )
        dots_by_method(top, last, best)
        top.set_title(f"{rate_name(rate)} noise" if rate else "clean labels")
        top.set_xlabel("test accuracy (%)")
        if column:
            top.set_yticklabels([])
        if not rate:
            bottom.set_axis_off()
            continue
        for method in FOLLOWED:
            curves = [
                [100 * epoch["memorized"] for epoch in run["history"]]
                for run in labelled(runs, method=method, noise=rate)
                if run["history"]
            ]
            if curves:
                curve_with_band(bottom, by_epoch(curves), method)
        bottom.set(xlabel="epoch", ylim=(0, 100))
    panels[1, 1].set_ylabel("flipped labels\nmemorized (%)")
    handles, labels = panels[1, 1].get_legend_handles_labels()
    panels[1, 0].legend(handles, labels, loc="center", title="wrong labels learned:")
    figure.suptitle("Label noise: accuracy after the last epoch (filled) and in the best (hollow)")
