"""Does one ρ serve several stages with ASAM, but not with SAM?

Two things are measured. The ρ that is best in pre-training is used in fine-tuning, and the
accuracy lost against the best ρ there is its regret; ASAM's should be the smaller one. And
exactly, without training: the rise L(w + ε(ρ)) − L(w) at the end of pre-training, and at the
*same function* with its first layer's weights multiplied and its second's divided by 16. There
SAM's curve must move and ASAM's (η = 0, all tensors) must not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from minisam.experiments.claims.two_stages import pretrained, two_stages
from minisam.experiments.statistics import Interval, mean_interval, paired_difference
from minisam.experiments.study import Cells, Headline, Scale, by_seed, mean, over_seeds, weigh
from minisam.nn.gradients import value_and_grad
from minisam.nn.losses import cross_entropy
from minisam.optim import asam_perturbation, sam_perturbation
from minisam.plots import colour, curve_with_interval
from minisam.trees import Params, add

CLAIM = "A ρ carries over between stages, and through a rescaling, with ASAM but not with SAM."
PUBLISHED = "Kwon et al. 2021: theorem 1 (exact invariance); no figure for the transfer of ρ."
LADDER = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)  # times the middle one of the radii to search
FACTOR = 16.0
SIZE = (12.0, 7.0)


def rescaled(params: Params, factor: float) -> Params:
    """Return the same function, with the first layer's outputs scaled up and undone by the second.

    Example:
        >>> w = {"fc1.weight": np.ones(1), "fc1.bias": np.ones(1), "fc2.weight": np.ones(1)}
        >>> [float(leaf[0]) for leaf in rescaled(w, 4.0).values()]
        [4.0, 4.0, 0.25]
    """
    scale = {"fc1.weight": factor, "fc1.bias": factor, "fc2.weight": 1 / factor}
    return {key: scale.get(key, 1.0) * leaf for key, leaf in params.items()}


def rises(seed: int, first: dict[str, Any], radii: dict[str, list[float]]) -> dict[str, Any]:
    """Return the loss rise against ρ before and after the rescaling, in float64."""
    fitted = pretrained(first, seed)
    images, labels = fitted.arrays.images[:500].astype(np.float64), fitted.arrays.labels[:500]
    params = {key: leaf.astype(np.float64) for key, leaf in fitted.params.items()}
    climbs: dict[str, Callable[..., Params]] = {
        "SAM": sam_perturbation, "ASAM": partial(asam_perturbation, eta=0.0, scope="all"),
    }  # fmt: skip

    def loss(w: Params) -> Any:
        return cross_entropy(fitted.model.apply(w, images), labels)

    curves: dict[str, Any] = {}
    for method, climb in climbs.items():
        for name, w in (("as trained", params), ("rescaled", rescaled(params, FACTOR))):
            value, gradient = value_and_grad(loss)(w)
            points = [float(loss(add(w, climb(w, gradient, rho)))) - value for rho in radii[method]]
            curves.setdefault(method, {})[name] = points
    return curves


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Run both stages at every ρ, the second from SGD's network; then the rescaling."""
    base = scale.settings()
    factors = LADDER[2:4] if scale.smoke else LADDER
    radii = {m: [f * scale.radii(m.lower())[2] for f in factors] for m in ("SAM", "ASAM")}
    entries = [
        (
            {"method": method, "stage": stage, "rho": rho},
            {
                "first": {**base, **(climb if stage == 1 else {})},
                "second": {"epochs": 1} if stage == 1 else climb,
            },
        )
        for method, values in radii.items()
        for rho in values
        for climb in [{"optimizer": method.lower(), "rho": rho}]
        for stage in (1, 2)
    ]
    runs = over_seeds(cells, scale, entries, two_stages)
    for run in runs:
        first = run.pop("first")
        if run["stage"] == 1:
            run.update(first)
        run.pop("history")
    curves = over_seeds(cells, scale, [({}, {"first": base, "radii": radii})], rises)
    return {"radii": radii, "runs": runs, "rises": curves}


def regret(results: Mapping[str, Any], method: str) -> dict[int, float]:
    """Return {seed: accuracy lost in fine-tuning by the ρ that is best in pre-training}.

    Either ρ is chosen by its mean test accuracy over seeds, of equals the smaller: this is a
    question about curves, not a way to choose a ρ.
    """
    best = {}
    for stage in (1, 2):
        means = {
            rho: mean(results["runs"], method=method, stage=stage, rho=rho).value
            for rho in results["radii"][method]
        }
        best[stage] = max(means, key=means.__getitem__)
    of_best, of_transferred = (
        by_seed(results["runs"], method=method, stage=2, rho=best[stage]) for stage in (2, 1)
    )
    return {seed: of_best[seed] - of_transferred[seed] for seed in of_best}


def shift(results: Mapping[str, Any], method: str) -> float:
    """Return the largest relative change of the rise by the rescaling, over seeds and radii."""
    changes = [
        np.abs(np.array(curve[method]["rescaled"]) / np.array(curve[method]["as trained"]) - 1)
        for curve in results["rises"]
    ]
    return float(np.max(changes))


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return both curves, the regrets and the shifts."""
    rows = [["method", "ρ", "pre-training (%)", "fine-tuning (%)"]]
    for method, radii in results["radii"].items():
        for rho in radii:
            stages = [
                mean(results["runs"], method=method, stage=stage, rho=rho) for stage in (1, 2)
            ]
            rows.append([method, f"{rho:g}", *(f"{stage:.1f}" for stage in stages)])
    for method in results["radii"]:
        lost = mean_interval(list(regret(results, method).values()))
        rows.append([f"{method}: regret of pre-training's ρ (points)", "", "", f"{lost:.2f}"])
        moved = shift(results, method)
        rows.append([f"{method}: largest relative change by rescaling", "", f"{moved:.1e}", ""])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge the difference of regrets, and state the exact part."""
    difference = paired_difference(regret(results, "SAM"), regret(results, "ASAM"))
    return (
        f"{weigh(difference)} between stages: SAM's regret − ASAM's = {difference:+.1f} points; "
        f"shows under rescaling: SAM's rise changes by a factor of up to "
        f"{1 + shift(results, 'SAM'):.0f}, ASAM's by {shift(results, 'ASAM'):.0e} of itself"
    )


def headline(results: Mapping[str, Any]) -> Headline:
    """Say how much more SAM loses than ASAM by keeping its ρ between stages."""
    difference = paired_difference(regret(results, "SAM"), regret(results, "ASAM"))
    return Headline.of(difference, "points of regret")


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw the accuracy against ρ in both stages above, and the rise against ρ below."""
    panels = figure.subplots(2, 2, height_ratios=(3, 2))
    for column, (method, radii) in enumerate(results["radii"].items()):
        top, bottom = panels[:, column]
        for stage, style in ((1, "-"), (2, "--")):
            points = [mean(results["runs"], method=method, stage=stage, rho=rho) for rho in radii]
            peak = max(point.value for point in points)
            points = [Interval(v - peak, low - peak, high - peak, n) for v, low, high, n in points]
            label = ("pre-training", "fine-tuning")[stage - 1]
            curve_with_interval(
                top, radii, points, label, color=colour(method), linestyle=style,
                markerfacecolor=colour(method) if stage == 1 else "white",
            )  # fmt: skip
        for name, style in (("as trained", "-"), ("rescaled", ":")):
            curves = np.array([curve[method][name] for curve in results["rises"]])
            bottom.plot(
                radii, curves.mean(axis=0), style, color=colour(method), label=name,
                linewidth=2.2 if style == "-" else 5, alpha=1 if style == "-" else 0.6,
            )  # fmt: skip
        top.set_title(method)
        top.legend(title="accuracy in")
        bottom.legend(title="same function,")
        bottom.set_yscale("log")
        bottom.set_xlabel("ρ")
        for axes in (top, bottom):
            axes.set_xscale("log", base=2)
            axes.set_xticks(radii, [f"{rho:g}" for rho in radii])
    panels[0, 0].set_ylabel("test accuracy,\npoints below the best ρ")
    panels[1, 0].set_ylabel("loss rise\nL(w + ε) − L(w)")
