"""`minisam sharpness`: measure how sharp the training loss is where a run ended."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from minisam import sharpness
from minisam.checkpoint import load_checkpoint
from minisam.checks import check_number
from minisam.cli.options import check_whole_options, look_for_data_in
from minisam.experiments.training import MODELS, prepared
from minisam.files import check_writable, expanded, given_path, jsonable, write_json
from minisam.nn import cross_entropy, keep_memory, parameter_count
from minisam.plots import BLUE, picture
from minisam.sharpness.lanczos import products_for
from minisam.sweeps.cores import usable_memory


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "checkpoint", type=given_path, help="written by minisam.experiments.trial.fit(checkpoint=…)"
    )
    parser.add_argument(
        "--data-dir", type=given_path, help="where CIFAR is; $MINISAM_DATA by default"
    )
    parser.add_argument(
        "--examples", type=int, default=500, help="training examples at most (default 500)"
    )
    parser.add_argument("--rho", type=float, default=0.05, help="radius of the ball (default 0.05)")
    parser.add_argument(
        "--adaptive-rho", type=float, default=0.5, help="radius of ASAM's ball (default 0.5)"
    )
    parser.add_argument("--eigenvalues", type=int, default=3, help="how many (default 3)")
    parser.add_argument("--probes", type=int, default=20, help="for trace and density (default 20)")
    parser.add_argument("--seed", type=int, default=0, help="of the random probes (default 0)")
    parser.add_argument(
        "--out", type=given_path, help="folder for sharpness.json and sharpness.png"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, and write what was asked for."""
    for names, least in ((("examples", "eigenvalues"), 1), (("probes",), 2), (("seed",), 0)):
        check_whole_options(arguments, names, least)
    check_number("--rho", arguments.rho, open_high=True)
    check_number("--adaptive-rho", arguments.adaptive_rho, open_high=True)
    if arguments.out:
        check_writable(expanded(arguments.out) / "sharpness.json", "sharpness.json in --out")
    stored = load_checkpoint(arguments.checkpoint)
    settings = stored.settings.get("trial")
    if not isinstance(settings, dict) or settings.get("model") not in MODELS:
        raise ValueError(
            f"{arguments.checkpoint} does not say which network and data it is of; write it with "
            f"minisam.experiments.trial.fit(checkpoint=…)"
        )
    look_for_data_in(arguments.data_dir, settings.get("data", "toy"))
    model, data = prepared(settings)
    images, labels = data.images[: arguments.examples], data.labels[: arguments.examples]

    def loss(params: Any) -> Any:
        return cross_entropy(model.apply(params, images, stored.statistics), labels)

    check_eigenvalues(arguments.eigenvalues, parameter_count(stored.params))
    keep_memory()  # of one product for the next
    measures = {"examples": len(labels), **measure(loss, stored.params, arguments)}
    print(printed(measures, arguments))
    if arguments.out:
        out = expanded(arguments.out)
        out.mkdir(parents=True, exist_ok=True)
        record = {"settings": settings, "arguments": vars(arguments) | {"run": None}, **measures}
        write_json(out / "sharpness.json", jsonable(record))
        with picture(out / "sharpness.png", 11.0, 4.6) as figure:
            draw_measures(measures, figure)
        print(f"{out / 'sharpness.json'}, {out / 'sharpness.png'}")
    return 0


def check_eigenvalues(count: int, size: int) -> None:
    """Raise ValueError if a network has fewer eigenvalues, or this process too little memory.

    Example:
        >>> check_eigenvalues(9, size=5)
        Traceback (most recent call last):
        ...
        ValueError: --eigenvalues must be at most 5, the number of the network's parameters, got 9
    """
    if count > size:
        raise ValueError(
            f"--eigenvalues must be at most {size:,}, the number of the network's parameters, "
            f"got {count}"
        )
    products = min(products_for(count), size)
    needed = 8 * (products * (size + 3 * products) + 3 * count * size)  # basis, T, vectors
    if needed > usable_memory():
        raise ValueError(
            f"--eigenvalues {count} may take {products:,} Hessian products and {needed / 1e9:,.1f} "
            f"GB of memory, of which this process may use {usable_memory() / 1e9:,.1f}"
        )


def measure(loss: Any, params: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return every measure of sharpness at ``params``, as arrays and numbers by name."""
    rng = np.random.default_rng(arguments.seed)
    hessian = sharpness.flat_hessian(sharpness.hessian_product(loss, params), params)
    matvec, size = hessian.matvec, hessian.size
    top = sharpness.top_eigenvalues(matvec, size, rng, arguments.eigenvalues)
    total = sharpness.trace(matvec, size, rng, arguments.probes)
    density = sharpness.spectral_density(matvec, size, rng, max(1, arguments.probes // 8), 30)
    ball = sharpness.worst_case(loss, params, arguments.rho, steps=20)
    normalized = sharpness.adaptive_sharpness(loss, params, arguments.adaptive_rho, steps=20)
    x = np.linspace(-1, 1, 21)
    directions = [sharpness.filter_normalized_direction(params, rng) for _ in range(3)]
    return {
        "parameters": size,
        "loss": ball.loss,
        "eigenvalues": top.eigenvalues,
        "residuals": top.residuals,
        "trace": total.value,
        "trace_error": total.standard_error,
        "density": {"nodes": density.nodes, "weights": density.weights},
        "rise": ball.rise,
        "adaptive_rise": normalized.rise,
        "x": x,
        "slices": [sharpness.loss_slice(loss, params, d, x).losses for d in directions],
    }


def printed(measures: dict[str, Any], arguments: argparse.Namespace) -> str:
    """Return the measures as lines of text."""
    rows = [("training loss", f"{measures['loss']:.4f} on {measures['examples']} examples")]
    pairs = zip(measures["eigenvalues"], measures["residuals"], strict=True)
    for k, (value, residual) in enumerate(pairs, start=1):
        rows.append((f"Hessian eigenvalue {k}", f"{value:.4g} ± {residual:.1g}"))
    rows += [
        ("Hessian trace", f"{measures['trace']:.4g} ± {measures['trace_error']:.2g} (std. error)"),
        (f"worst rise, ρ = {arguments.rho:g}", f"{measures['rise']:.4f}"),
        (f"in ASAM's ball, ρ = {arguments.adaptive_rho:g}", f"{measures['adaptive_rise']:.4f}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def draw_measures(measures: dict[str, Any], figure: Any) -> None:
    """Draw the spectrum and the slices."""
    spectrum, lines = figure.subplots(1, 2)
    order = np.argsort(measures["density"]["nodes"])
    nodes = np.asarray(measures["density"]["nodes"])[order]
    share = np.cumsum(np.asarray(measures["density"]["weights"])[order][::-1])[::-1]
    spectrum.plot(nodes, share, color=BLUE)
    spectrum.set(xlabel="λ", ylabel="share of eigenvalues above λ", xscale="symlog", yscale="log")
    for values in measures["slices"]:
        lines.plot(measures["x"], values, color=BLUE, alpha=0.7)
    lines.set(xlabel="distance / norm of each filter", ylabel="training loss")
    lines.set_title("along filter-normalized directions")
