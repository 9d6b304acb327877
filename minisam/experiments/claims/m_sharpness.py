"""m-sharpness: does it generalize better to climb for every few examples alone?

The batch is cut into shards of m examples, each with its own ε (see `minisam.optim.m_sam`; here
computed at SAM's price, see `minisam.experiments.ghost_m_sam`). A step of length ρ up the gradient
of one example reaches further in that example's loss than one up the mean of 64. So there are two
questions: what does a smaller m gain at one ρ for all, and what with the ρ that is best for each
m? The second is the one that is judged. Labels are noisy: there SAM has something to gain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.curves import at_every_radius, draw_gains, gains_by_radius
from minisam.experiments.runs import by_seed, gain, mean
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.search import tune, with_best
from minisam.experiments.statistics import Interval, paired_difference
from minisam.experiments.study import Headline, weigh

CLAIM = "A smaller m generalizes better."
PUBLISHED = (
    "Foret et al. 2020, section 4.1: models trained with a smaller m generalize better; no figure."
)
SHARDS = (1, 4, 16, 64)  # the last one is the whole batch
RADII = (0.025, 0.035, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.57, 0.8)
FIXED = 0.05  # the one ρ for all: the paper's own choice for CIFAR-10
NOISE = (0.4,)
SHADES = ("#0072B2", "#56B4E9", "#E69F00", "#D55E00")
SIZE = (12.0, 5.0)


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run SGD and every m at every ρ."""
    shards = SHARDS[::3] if scale.smoke else SHARDS
    problems = [
        ({"noise": noise}, scale.learned(noise=noise, every=5, batch_size=SHARDS[-1]))
        for noise in NOISE
    ]
    tried = {
        f"m = {m}": [{"optimizer": "m_sam", "m": m, "rho": rho} for rho in RADII] for m in shards
    }
    best, search = tune(cells, scale, problems, tried, base_on={"noise": 0.0})
    runs = over_seeds(cells, scale, with_best(problems, best))
    bases = [chosen["SGD"] for chosen in best]
    curve = at_every_radius(cells, scale, problems, bases, tried)
    for one in runs:
        one.pop("history", None)
    return {"shards": shards, "rates": NOISE, "search": search, "chosen": best, "runs": runs,
            "curve": curve}  # fmt: skip


def ends(results: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the smallest m and the whole batch are called."""
    return f"m = {results['shards'][0]}", f"m = {results['shards'][-1]}"


def at_own_radius(results: Mapping[str, Any], noise: float) -> Interval:
    """Return what the smallest m gains over the whole batch, each with the ρ chosen for it."""
    small, whole = ends(results)
    return gain(results["runs"], small, over=whole, noise=noise)


def at_fixed_radius(results: Mapping[str, Any], noise: float) -> Interval:
    """Return what the smallest m gains over the whole batch at the same ρ."""
    ours, theirs = (
        by_seed(results["curve"], method=method, noise=noise, rho=FIXED) for method in ends(results)
    )
    return paired_difference(ours, theirs)


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per m and rate of noise, and the two differences."""
    rows = [["noise", "method", "ρ", "test, last epoch (%)", "over SGD, paired", f"ρ = {FIXED}"]]
    for noise, chosen in zip(results["rates"], results["chosen"], strict=True):
        for method, settings in chosen.items():
            last = mean(results["runs"], method=method, noise=noise)
            told = ["", ""]
            if method != "SGD":
                gains = gains_by_radius(results["curve"], results["runs"], method, noise=noise)
                told = [f"{gains[rho]:+.1f}" for rho in (settings["rho"], FIXED)]
            rho = str(settings.get("rho", ""))
            rows.append([f"{100 * noise:.0f} %", method, rho, f"{last:.1f}", *told])
        small, whole = ends(results)
        differences = (at_own_radius(results, noise), at_fixed_radius(results, noise))
        shown = [f"{difference:+.1f}" for difference in differences]
        rows.append([f"{100 * noise:.0f} %", f"{small} − {whole}, paired", "", "", *shown])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge the smallest m against the whole batch: with its own ρ, and with one ρ for all."""
    parts = []
    for noise, chosen in zip(results["rates"], results["chosen"], strict=True):
        train = mean(results["runs"], "train", method="SGD", noise=noise).value
        own, fixed = at_own_radius(results, noise), at_fixed_radius(results, noise)
        radii = ", ".join(f"{settings['rho']:g}" for settings in list(chosen.values())[1:])
        parts.append(
            f"with {100 * noise:.0f} % noise {weigh(own, train=train)} with its own ρ ({own:+.1f} "
            f"points), {weigh(fixed, train=train)} at ρ = {FIXED} for all ({fixed:+.1f}); the best "
            f"ρ is {radii} for m = {', '.join(map(str, results['shards']))}"
        )
    return f"{headline(results).word}: " + "; ".join(parts)


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what the smallest m gains over the whole batch on noisy labels, each with its own ρ."""
    noise, chosen = results["rates"][0], results["chosen"][0]
    small, whole = ends(results)
    fixed = at_fixed_radius(results, noise).plus_minus("+.1f")
    return Headline.of(
        at_own_radius(results, noise),
        f"points, {small} over {results['shards'][-1]}, own ρ",
        train=mean(results["runs"], "train", method="SGD", noise=noise).value,
        rho=", ".join(f"{chosen[method]['rho']:g}" for method in (small, whole)),
        beside=f"{fixed} at ρ = {FIXED:g} for both",
    )


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw every m's gain over SGD against ρ, a panel per rate of noise."""
    rates = results["rates"]
    panels = figure.subplots(1, len(rates), squeeze=False)[0]
    for axes, noise, chosen in zip(panels, rates, results["chosen"], strict=True):
        for m, shade in zip(results["shards"], SHADES, strict=False):
            method = f"m = {m}"
            gains = gains_by_radius(results["curve"], results["runs"], method, noise=noise)
            draw_gains(axes, gains, method, chosen[method]["rho"], color=shade)
        axes.axvline(FIXED, color="#777777", linestyle=":", linewidth=1.5)
        axes.set_title(f"{100 * noise:.0f} % label noise" if noise else "clean labels")
    panels[0].set_ylabel("gain over SGD (points)")
    panels[0].legend(title="examples per climb; ring: chosen", fontsize=10)
