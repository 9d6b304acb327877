"""Label noise, Foret et al. 2020, Table 4: is SAM robust, and as robust as methods made for it?

The first is the headline, SAM − SGD. The second is judged beside it, against the one of those
methods that is best on noisy held-out labels.

SGD's learning rate and weight decay are chosen on *clean* labels, and every method has them: on
wrong labels the best SGD would be one that does not learn its training set. That one is in the
table all the same ("SGD, searched here": on labels as noisy, and among higher learning rates), and
so is SGD stopped at the epoch of the best noisy validation. Every other hyper-parameter is chosen
at its own rate, on thousands of held-out labels as noisy as the training set's: no method ever
sees a clean label of its run. "Bootstrap" is the paper's: train, then train again from scratch on
the labels that the first network predicts; it takes the settings that were chosen for its second
half. At 80 % noise ρ does not warm up: there the first epochs decide what is memorized.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.curves import at_every_radius, draw_gains, gains_by_radius
from minisam.experiments.runs import gain, labelled, mean, removed
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.search import RATES, candidates, tune, tune_base
from minisam.experiments.statistics import by_epoch
from minisam.experiments.study import Headline, half_published, weigh
from minisam.plots import curve_with_band, dots_by_method

CLAIM = "SAM makes training robust to wrong labels."
PUBLISHED = (
    "Clean test accuracy (%) of a ResNet-32 at 20/40/60/80 % noise: SGD 84.8 68.8 48.2 26.2, "
    "Mixup 93.0 90.0 83.8 70.2, Bootstrap + Mixup 93.3 92.0 87.6 72.0, GCE 89.7 87.6 82.7 67.9, "
    "SAM 95.1 93.4 90.5 77.9, Bootstrap + SAM 95.4 94.2 91.8 79.9."
)
PAPERS = {0.2: 67.8, 0.4: 78.8, 0.6: 81.7, 0.8: 70.1}  # percent of SGD's errors that SAM removes
NOISE_RATES = (0.4, 0.6, 0.8)
ON_CIFAR = (0.4, "worse_label")  # the other rates are trained on a GPU, see tutorials/at_scale
JUDGED = 0.4
COLD = 0.8  # from this rate on ρ does not warm up
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
SEARCHED, STOPPED = "SGD, searched here", "SGD, stopped early"
ORDER = (
    "SGD", STOPPED, SEARCHED, "Mixup", "Bootstrap", "Bootstrap + Mixup", "GCE",
    "Soft bootstrap loss", "Hard bootstrap loss", "SAM", "ASAM", "Bootstrap + SAM",
)  # fmt: skip
FOLLOWED = ("SGD", "Mixup", "GCE", "SAM", "ASAM")  # whose memorization is drawn
SIZE = (17.0, 9.0)


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search at every rate, then run every method there, SAM at every ρ."""
    base = scale.settings(every=5)
    rates: tuple[float | str, ...] = (0.2, 0.4) if scale.smoke else NOISE_RATES
    if scale.data == "cifar10" and not scale.smoke:
        rates = ON_CIFAR
    problems = [({"noise": rate}, {**base, "noise": rate, **cold(rate)}) for rate in rates]
    climbs = candidates(scale, "SAM", "ASAM")
    best, search = tune(cells, scale, problems, climbs | MADE_FOR_NOISE, base_on={"noise": 0.0})
    higher = [(labels, {**shared, "lr": RATES[-1] * shared["lr"]}) for labels, shared in problems]
    here, more = tune_base(cells, scale, higher)
    twice = {half: method for method, half in RETRAINED.items()}
    entries = [
        ({"method": method, **labels}, {**shared, **settings, "bootstrap": method in twice})
        for (labels, shared), chosen, plain in zip(problems, best, here, strict=True)
        for method, settings in {**chosen, SEARCHED: plain}.items()
    ]
    runs = []
    for run in over_seeds(cells, scale, entries):
        first = run.pop("first", None)  # the first half of Bootstrap is the method itself
        if first is not None:
            runs.append({**run, "method": twice[run["method"]]})
        runs.append({**run, **(first or {})})
    runs += [
        {**run, "method": STOPPED, "last": run["stopped"]} for run in labelled(runs, method="SGD")
    ]
    for run in runs:
        if run["method"] not in FOLLOWED:
            run.pop("history")
    of_sam = {"SAM": climbs["SAM"]}
    curve = at_every_radius(cells, scale, problems, [one["SGD"] for one in best], of_sam)
    return {
        "rates": rates, "search": search + [{**one, "method": SEARCHED} for one in more],
        "chosen": best, "runs": runs, "curve": curve,
    }  # fmt: skip


def cold(rate: float | str) -> dict[str, Any]:
    """Return the setting that keeps ρ from warming up where most labels are wrong."""
    return {"rho_warmup": 0.0} if isinstance(rate, float) and rate >= COLD else {}


def methods_in(results: Mapping[str, Any]) -> list[str]:
    """Return the methods that were run, in the order of the table."""
    there = {run["method"] for run in results["runs"]}
    return [method for method in ORDER if method in there]


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return last-epoch accuracy with its interval, and the best epoch's in brackets."""
    runs, rates = results["runs"], results["rates"]
    rows = [["test accuracy (%): last epoch [best epoch]", *map(rate_name, rates)]]
    for method in methods_in(results):
        cells = []
        for rate in rates:
            labels = {"method": method, "noise": rate}
            best = mean(runs, "best", **labels).value
            cells.append(f"{mean(runs, **labels):.1f} [{best:.1f}]")
        rows.append([method, *cells])
    for method in ("SAM", "ASAM"):
        for over in [plain for plain in ("SGD", STOPPED, SEARCHED) if plain in methods_in(results)]:
            differences = [gain(runs, method, over=over, noise=rate) for rate in rates]
            rows.append([f"{method} − {over}, paired", *(f"{d:+.1f}" for d in differences)])
    for over in MADE_FOR_NOISE:
        differences = [gain(runs, "SAM", over=over, noise=rate) for rate in rates]
        rows.append([f"SAM − {over}, paired", *(f"{d:+.1f}" for d in differences)])
    shares = [f"{removed(runs, 'SAM', noise=rate):+.0f}" for rate in rates]
    rows.append(["share of SGD's errors that SAM removes (%)", *shares])
    fits = [f"{mean(runs, 'train', method='SGD', noise=rate).value:.1f}" for rate in rates]
    rows.append(["training labels that SGD learned (%)", *fits])
    rows.append(["ρ of SAM, chosen on noisy labels", *(radius(results, rate) for rate in rates)])
    return rows


def radius(results: Mapping[str, Any], rate: float | str, method: str = "SAM") -> str:
    """Return the ρ that was chosen at a rate; an older search stands for neighbouring rates."""
    chosen = dict(zip(results["rates"], results.get("chosen", []), strict=False))
    return f"{chosen[rate][method]['rho']:g}" if rate in chosen else ""


def headline_at(results: Mapping[str, Any], rate: float | str) -> Headline:
    """Say what SAM gains at a rate."""
    runs = results["runs"]
    plain, train = (mean(runs, v, method="SGD", noise=rate).value for v in ("last", "train"))
    paper = PAPERS.get(rate, PAPERS[JUDGED]) if isinstance(rate, float) else PAPERS[JUDGED]
    return Headline.of(
        gain(runs, "SAM", noise=rate), f"points at {rate_name(rate)} noise", train=train,
        delta=half_published(paper, plain), rho=radius(results, rate),
        share=removed(runs, "SAM", noise=rate), beside=against_the_best(results, rate),
    )  # fmt: skip


def against_the_best(results: Mapping[str, Any], rate: float | str) -> str:
    """Judge SAM against the method made for noise that is best on held-out, noisy labels."""
    runs = results["runs"]
    held_out = {m: mean(runs, "validation", method=m, noise=rate).value for m in MADE_FOR_NOISE}
    best = max(held_out, key=held_out.__getitem__)
    more = gain(runs, "SAM", over=best, noise=rate)
    return f"{more.plus_minus('+.1f')} over {best}, the best that was made for noise: {weigh(more)}"


def forest(results: Mapping[str, Any]) -> dict[str, tuple[Headline, float | None]]:
    """Return {name: (headline, the paper's share)} of every rate of noise, for the forest plot."""
    return {
        f" at {rate_name(rate)}": (
            headline_at(results, rate),
            PAPERS.get(rate) if isinstance(rate, float) else None,
        )
        for rate in results["rates"]
        if rate
    }


def verdict(results: Mapping[str, Any]) -> str:
    """Judge SAM's gain over SGD at 40 % noise, and say how it fared elsewhere."""
    runs = results["runs"]
    difference = gain(runs, "SAM", noise=JUDGED)
    means = {m: mean(runs, method=m, noise=JUDGED).value for m in methods_in(results)}
    best = max(means, key=means.__getitem__)
    others = [
        f"; {headline_at(results, rate).word} at {rate_name(rate)}: "
        f"{gain(runs, 'SAM', noise=rate):+.1f}{over_the_best_sgd(results, rate)}"
        for rate in results["rates"]
        if rate not in (0.0, JUDGED)
    ]
    return (
        f"{headline(results).word} at 40 % noise: SAM − SGD = {difference:+.1f} points in the "
        f"last epoch{over_the_best_sgd(results, JUDGED)}, {headline(results).beside}; the best "
        f"method of all there is {best} with "
        f"{means[best]:.1f} % against SAM's {means['SAM']:.1f} %{''.join(others)}"
    )


def over_the_best_sgd(results: Mapping[str, Any], rate: float | str) -> str:
    """Say what SAM gains over the SGD that was searched on labels as noisy, if it was."""
    if SEARCHED not in methods_in(results):
        return ""
    return f" ({gain(results['runs'], 'SAM', over=SEARCHED, noise=rate):+.1f} over {SEARCHED})"


def rate_name(rate: float | str) -> str:
    """Name a column: a rate of symmetric noise, or human labels."""
    return "human, 40 %" if isinstance(rate, str) else f"{rate:.0%}".replace("%", " %")


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what SAM gains at 40 % noise."""
    return headline_at(results, JUDGED)


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw accuracies per rate above, gain against ρ or memorization over time below."""
    rates, runs = results["rates"], results["runs"]
    panels = figure.subplots(2, len(rates), height_ratios=(3, 2), squeeze=False)
    for column, rate in enumerate(rates):
        top, bottom = panels[:, column]
        last, best = (
            {method: mean(runs, value, method=method, noise=rate) for method in methods_in(results)}
            for value in ("last", "best")
        )
        dots_by_method(top, last, best)
        top.set_title(f"{rate_name(rate)} noise" if rate else "clean labels")
        top.set_xlabel("test accuracy (%)")
        if column:
            top.set_yticklabels([])
        if "curve" in results:
            chosen = results["chosen"][column]["SAM"]["rho"]
            gains = gains_by_radius(results["curve"], runs, "SAM", noise=rate)
            draw_gains(bottom, gains, "SAM", chosen)
        elif rate:
            draw_memorized(bottom, results, rate)
        else:
            bottom.set_axis_off()
    if "curve" in results:
        panels[1, 0].set_ylabel("SAM − SGD (points)\nat every ρ (ring: chosen)")
    else:
        panels[1, 1].set_ylabel("flipped labels\nmemorized (%)")
        handles, labels = panels[1, 1].get_legend_handles_labels()
        panels[1, 0].legend(handles, labels, loc="center", title="wrong labels learned:")
    figure.suptitle("Label noise: accuracy after the last epoch (filled) and in the best (hollow)")


def draw_memorized(axes: Any, results: Mapping[str, Any], rate: float | str) -> None:
    """Draw the share of wrong labels that was learned, by epoch."""
    for method in FOLLOWED:
        curves = [
            [100 * epoch["memorized"] for epoch in run["history"]]
            for run in labelled(results["runs"], method=method, noise=rate)
            if run["history"]
        ]
        if curves:
            curve_with_band(axes, by_epoch(curves), method)
    axes.set(xlabel="epoch", ylim=(0, 100))
