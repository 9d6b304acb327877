"""Does SAM end in flatter minima, and do flatter minima generalize better?

SGD, SAM and ASAM at several ρ on the same data. At every end point: the largest Hessian
eigenvalues, the trace, the spectral density, the worst loss rise in two balls and in ASAM's ball,
all of the training loss on the first examples; along training the largest eigenvalue. (In a small
ball a rise is mostly slope, which vanishes where a network fits every training label; in a
large one it is curvature.) Then the rank correlation of each measure with the test error, and with
the gap between training and test accuracy, within each seed. (The gap alone would not do: it also
falls when a large ρ keeps a network from fitting its training labels. So does the curvature: where
a method has not learned its labels, nothing is judged, and beside the end points the eigenvalues
are compared at equal training loss.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from minisam.experiments.runs import by_seed, labelled, mean, middle_radius
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.statistics import (
    Interval,
    by_epoch,
    kendall,
    mean_interval,
    paired_difference,
)
from minisam.experiments.study import Headline, weigh
from minisam.experiments.subset import Subset
from minisam.experiments.training import prepared, records, training_loss
from minisam.experiments.trial import fit, outcome
from minisam.nn.models import Model
from minisam.plots import DASHES, MARKS, colour, curve_with_band
from minisam.sharpness import (
    adaptive_sharpness,
    flat_hessian,
    hessian_product,
    spectral_density,
    top_eigenvalues,
    trace,
    worst_case,
)
from minisam.trees import Params

CLAIM = "SAM ends in flatter minima, and flatter minima generalize better."
PUBLISHED = "Foret et al. 2020, section 4.2: smaller Hessian eigenvalues with SAM than with SGD."
MEASURES = {
    "largest eigenvalue": "eigenvalue",
    "trace": "trace",
    "worst rise, ball of radius 0.05": "rise",
    "worst rise, ball of radius 0.2": "far_rise",
    "worst rise, ASAM's ball of radius 0.5": "adaptive_rise",
}
SIZE = (12.0, 7.5)


def curvature(model: Model, data: Subset, params: Params, statistics: Params) -> dict[str, Any]:
    """Return the largest Hessian eigenvalue to 5 %, cheap enough for every epoch."""
    loss = training_loss(model, data, statistics)
    hessian = flat_hessian(hessian_product(loss, params), params)
    rng = np.random.default_rng(0)
    top = top_eigenvalues(hessian.matvec, hessian.size, rng, steps=15, tolerance=0.05)
    return {"eigenvalue": top.eigenvalues[0]}


def measured(**settings: Any) -> dict[str, Any]:
    """Train a network and measure how sharp its loss is, along training and at the end."""
    model, data = prepared(settings)
    fitted = fit(*records(settings), watch=partial(curvature, model, data))
    loss, params = training_loss(fitted.model, fitted.arrays, fitted.statistics), fitted.params
    hessian = flat_hessian(hessian_product(loss, params), params)
    matvec, size, rng = hessian.matvec, hessian.size, np.random.default_rng(0)
    top = top_eigenvalues(matvec, size, rng, count=3, steps=60)
    density = spectral_density(matvec, size, rng, probes=2, steps=20)
    total = trace(matvec, size, rng, probes=20)
    result = outcome(fitted.history)
    return {
        **result,
        "gap": result["train"] - result["last"],
        "eigenvalue": top.eigenvalues[0],
        "eigenvalues": top.eigenvalues,
        "residuals": top.residuals,
        "trace": total.value,
        "trace_error": total.standard_error,
        "nodes": density.nodes,
        "weights": density.weights,
        "rise": worst_case(loss, params, 0.05, steps=10).rise,
        "far_rise": worst_case(loss, params, 0.2, steps=20).rise,
        "adaptive_rise": adaptive_sharpness(loss, params, 0.5, steps=10).rise,
    }


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Run every method at every radius."""
    base = scale.learned(noise=0.2)
    radii = {"SGD": [0.0]} | {m: list(scale.radii(m.lower())[1:4]) for m in ("SAM", "ASAM")}
    if scale.smoke:
        radii = {method: values[-1:] for method, values in radii.items()}
    entries = [
        ({"method": method, "rho": rho}, {**base, "optimizer": method.lower(), "rho": rho})
        for method, values in radii.items()
        for rho in values
    ]
    return {"radii": radii, "runs": over_seeds(cells, scale, entries, measured)}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per method and radius, and the correlations."""
    rows = [
        ["method", "ρ", "λ₁", "trace", "worst rise in 0.05", "in 0.2", "in ASAM's ball",
         "train (%)", "test (%)"],
    ]  # fmt: skip
    for method, radii in results["radii"].items():
        for rho in radii:
            values = [
                mean(results["runs"], key, method=method, rho=rho)
                for key in (*MEASURES.values(), "train", "last")
            ]
            sharp, correct = values[: len(MEASURES)], values[len(MEASURES) :]
            numbers = [*(f"{value:.3g}" for value in sharp), *(f"{value:.1f}" for value in correct)]
            rows.append([method, f"{rho:g}", *numbers])
    for target, name in (("error", "test error"), ("gap", "gap train − test")):
        correlations = [correlation(results, key, target) for key in MEASURES.values()]
        rows.append(
            [f"Kendall's τ with the {name}", "", *(f"{c:+.2f}" for c in correlations), "", ""]
        )
    return rows


def correlation(results: Mapping[str, Any], measure: str, target: str) -> Interval:
    """Return Kendall's τ of a measure and the test ``"error"`` or the ``"gap"``.

    It is taken within each seed, over the methods and radii, and averaged over the seeds: runs of
    one seed share data and start, so that all of them together would be no sample.
    """
    taus = []
    for seed in sorted({run["seed"] for run in results["runs"]}):
        runs = labelled(results["runs"], seed=seed)
        outcomes = [100 - run["last"] if target == "error" else run["gap"] for run in runs]
        tau = kendall([run[measure] for run in runs], outcomes).value
        taus.append(0.0 if math.isnan(tau) else tau)
    return mean_interval(taus)


def sharper(results: Mapping[str, Any]) -> Interval:
    """Return ln of SGD's largest eigenvalue over SAM's, by seed, at the middle radius."""
    sgd, sam = (
        {s: np.log(value) for s, value in by_seed(results["runs"], "eigenvalue", **labels).items()}
        for labels in ({"method": "SGD"}, {"method": "SAM", "rho": middle_radius(results["runs"])})
    )
    return paired_difference(sgd, sam)


def sharper_at_equal_loss(results: Mapping[str, Any]) -> Interval:
    """Return ln λ₁ of SGD, at the point of its training where its loss is SAM's last, − SAM's.

    Between two epochs ln λ₁ is taken to be linear in the loss.
    """
    sam = labelled(results["runs"], method="SAM", rho=middle_radius(results["runs"]))
    found = []
    for run in sam:
        (sgd,) = labelled(results["runs"], method="SGD", seed=run["seed"])
        passed = sorted((epoch["loss"], np.log(epoch["eigenvalue"])) for epoch in sgd["history"])
        losses, logarithms = np.array(passed).T
        there = np.interp(run["history"][-1]["loss"], losses, logarithms)
        found.append(float(there - np.log(run["eigenvalue"])))
    return mean_interval(found)


def as_factor(ratio: Interval) -> str:
    """Write the logarithm of a ratio as a factor.

    Example:
        >>> as_factor(Interval(0.0, -0.7, 0.7, 5))
        'λ₁ × 1.0 (0.5 to 2.0)'
    """
    low, value, high = (f"{np.exp(x):.1f}" for x in (ratio.low, ratio.value, ratio.high))
    return f"λ₁ × {value} ({low} to {high})"


def worse_fitted(results: Mapping[str, Any]) -> float:
    """Return the training accuracy of the method that fits worse: less fitted is flatter."""
    sam = {"method": "SAM", "rho": middle_radius(results["runs"])}
    return min(mean(results["runs"], "train", **m).value for m in ({"method": "SGD"}, sam))


def headline(results: Mapping[str, Any]) -> Headline:
    """Say by which factor SGD's largest eigenvalue exceeds SAM's."""
    ratio, rho = sharper(results), middle_radius(results["runs"])
    train = worse_fitted(results)
    equal = as_factor(sharper_at_equal_loss(results)).removeprefix("λ₁ ")
    word = weigh(ratio, 0.1, train)
    return Headline(
        word, as_factor(ratio), ratio, f"{rho:g}", train, beside=f"{equal} at equal training loss"
    )


def verdict(results: Mapping[str, Any]) -> str:
    """Judge SGD's eigenvalue against SAM's at the middle radius, and each measure's correlation."""
    rho, ratio = middle_radius(results["runs"]), sharper(results)
    taus = {name: correlation(results, key, "error") for name, key in MEASURES.items()}
    train, equal = worse_fitted(results), sharper_at_equal_loss(results)
    agree = "; ".join(
        f"{weigh(tau, 0.1, train)} by {name}, {tau.value:+.2f} ({tau.low:+.2f} to {tau.high:+.2f})"
        for name, tau in taus.items()
    )
    return (
        f"{weigh(ratio, 0.1, train)}: λ₁ with SGD is {np.exp(ratio.value):.1f} times SAM's (95 % "
        f"interval {np.exp(ratio.low):.1f} to {np.exp(ratio.high):.1f}, ρ = {rho:g}; the worse "
        f"fitted learned {train:.0f} % of its training labels), and where SGD's training loss was "
        f"what SAM's is at the end, {as_factor(equal)}; that flatter has the smaller test "
        f"error, by rank correlation within a seed: {agree}"
    )


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw λ₁ along training, densities, and sharpness against the gap."""
    (along, density), (scatter, adaptive) = figure.subplots(2, 2)
    shown = {method: radii[len(radii) // 2] for method, radii in results["radii"].items()}
    for method, rho in shown.items():
        runs = labelled(results["runs"], method=method, rho=rho)
        label = f"{method}, ρ = {rho:g}" if rho else method
        curves = [[epoch["eigenvalue"] for epoch in run["history"]] for run in runs]
        curve_with_band(along, by_epoch(curves), method, label)
        nodes = np.concatenate([run["nodes"] for run in runs])
        weights = np.concatenate([run["weights"] for run in runs]) / len(runs)
        order = np.argsort(nodes)
        tail = np.cumsum(weights[order][::-1])[::-1]
        dashes = DASHES.get(method, "-")
        density.plot(nodes[order], tail, color=colour(method), linestyle=dashes, label=label)
    along.set(xlabel="epoch", ylabel="largest Hessian eigenvalue")
    along.xaxis.get_major_locator().set_params(integer=True)
    along.legend()
    density.set(
        xlabel="λ", ylabel="share of eigenvalues above λ", yscale="log", xscale="symlog",
        title="spectrum at the end",
    )  # fmt: skip
    for axes, measure, name in (
        (scatter, "eigenvalue", "largest Hessian eigenvalue"),
        (adaptive, "adaptive_rise", "worst rise in ASAM's ball"),
    ):
        for method in results["radii"]:
            runs = labelled(results["runs"], method=method)
            x, y = [run[measure] for run in runs], [100 - run["last"] for run in runs]
            axes.plot(x, y, MARKS[method], color=colour(method), label=method, alpha=0.75)
        tau = correlation(results, measure, "error")
        interval = f"Kendall's τ = {tau.value:+.2f} ({tau.low:+.2f} to {tau.high:+.2f})"
        axes.set(xlabel=name, ylabel="test error (%)", title=interval)
    scatter.legend()
