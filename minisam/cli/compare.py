"""`minisam compare`, the main job: SGD, SAM and ASAM on the same noisy labels."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from minisam.cli.options import (
    EXIT_CODES,
    MOST_SEEDS,
    check_whole_options,
    look_for_data_in,
    words,
)
from minisam.data.toy import MOST
from minisam.experiments.compare import compare_methods
from minisam.experiments.compared import table
from minisam.experiments.subset import load_subset
from minisam.experiments.training import records
from minisam.files import expanded, given_path
from minisam.optim.methods import METHODS
from minisam.sweeps.cores import usable_jobs

MODEL_OPTIONS = {
    "mlp": {"hidden": [256, 256]},
    "cnn": {"channels": [[16], [32], [64]]},
    "resnet": {"width": 8},
}
FOR_DATA = {
    "toy": {"train_size": 2500, "test_size": 4000, "epochs": 15, "lr": 0.05},
    "cifar10": {"train_size": 5000, "test_size": 2000, "epochs": 30, "lr": 0.02},
    "cifar100": {"train_size": 10_000, "test_size": 2000, "epochs": 30, "lr": 0.02},
}
PROTOCOL = {"nesterov": True, "lr_warmup": 0.1, "rho_warmup": 0.25}  # of every run
ON_TOY = {"side": 16, "batch_size": 64, "weight_decay": 0.01}  # as chosen for SGD on clean labels


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.epilog = EXIT_CODES
    parser.add_argument("--data", choices=tuple(FOR_DATA), default="toy")
    parser.add_argument(
        "--data-dir", type=given_path, help="where CIFAR is; $MINISAM_DATA by default"
    )
    parser.add_argument("--model", choices=tuple(MODEL_OPTIONS), default="mlp")
    parser.add_argument("--noise", type=float, default=0.4, help="share of wrong training labels")
    parser.add_argument("--methods", default="sgd,sam,asam", help="such as sgd,sam,gsam")
    parser.add_argument(
        "--rho", default="", metavar="METHOD=ρ,…", help="e.g. sam=0.1,asam=1; others are searched"
    )
    parser.add_argument("--seeds", type=int, default=4, help="number of seeds (default 4)")
    parser.add_argument("--epochs", type=int, help="passes over the data")
    parser.add_argument("--lr", type=float, help="highest learning rate; it falls along a cosine")
    parser.add_argument("--train-size", type=int, help="training images, validation included")
    parser.add_argument("--test-size", type=int, help="test images")
    parser.add_argument(
        "--out", type=given_path, default="runs/compare", help="folder of the results"
    )
    parser.add_argument(
        "--jobs", type=int, default=usable_jobs(),
        help="local processes; by default as many as this process may use cores",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Search ρ, train, print the table, write ``results.json`` and ``compare.png``."""
    methods = words(arguments.methods)
    known = all(name in METHODS for name in methods)
    if not methods or not known or len(set(methods)) < len(methods):
        allowed = ", ".join(METHODS)
        raise ValueError(f"--methods must be some of {allowed}, got {arguments.methods!r}")
    rho = parse_rho(arguments.rho, methods)
    shared = shared_settings(arguments)
    searched = [name for name in methods if name != "sgd" and name not in rho]
    look_for_data_in(arguments.data_dir, arguments.data)
    out = expanded(arguments.out)
    held_out = shared["train_size"] // 5
    if searched and not held_out:
        raise ValueError(
            f"--train-size must be at least 5, as a fifth of them chooses ρ, got "
            f"{shared['train_size']}; or fix ρ with --rho {','.join(f'{m}=ρ' for m in searched)}"
        )
    shared |= {"train_size": shared["train_size"] - held_out, "validation_size": held_out}
    if shared["data"] != "toy":  # that the files lack is said once, and not by every run
        load_subset(records(shared)[0])
    print(
        f"{shared['train_size']} training images of {shared['data']} with "
        f"{100 * shared['noise']:.0f} % wrong labels, {held_out} more (as noisy) to choose ρ on, "
        f"{shared['test_size']} clean ones to test on; {shared['model']}, {shared['epochs']} epochs"
    )
    command = without_folders(sys.argv[1:])
    results = compare_methods(shared, methods, rho, arguments.seeds, out, arguments.jobs, command)
    print(table(results))
    print(f"{out / 'results.json'}: every epoch of every run; {out / 'compare.png'}: the picture")
    return 0


def parse_rho(text: str, methods: list[str]) -> dict[str, float]:
    """Return {method: ρ} of what ``--rho`` fixes.

    Example:
        >>> parse_rho("SAM = 0.1", ["sgd", "sam"])
        {'sam': 0.1}
    """
    fixed: dict[str, float] = {}
    for part in words(text):
        method, _, number = (piece.strip() for piece in part.partition("="))
        try:
            rho = float(number)
        except ValueError:
            rho = -1.0
        climbing = [name for name in methods if name != "sgd"]
        if method not in climbing or not 0 <= rho < 1e9:
            allowed = ", ".join(f"{name}=ρ" for name in climbing)
            raise ValueError(f"--rho takes {allowed or 'nothing'} with ρ ≥ 0, got {part!r}")
        if method in fixed:
            raise ValueError(f"--rho takes one ρ for each method, got {text!r}")
        fixed[method] = rho
    return fixed


def shared_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that all runs share, or raise ValueError that names a bad argument."""
    most = MOST if arguments.data == "toy" else None
    check_whole_options(arguments, ["train_size", "test_size"], high=most)
    check_whole_options(arguments, ["epochs", "jobs"])
    check_whole_options(arguments, ["seeds"], high=MOST_SEEDS)
    defaults = FOR_DATA[arguments.data]
    settings = {
        key: default if getattr(arguments, key) is None else getattr(arguments, key)
        for key, default in defaults.items()
    }
    if not 0 <= arguments.noise <= 1:
        raise ValueError(f"--noise must lie in [0, 1], got {arguments.noise}")
    if not 0 < settings["lr"] < float("inf"):
        raise ValueError(f"--lr must be positive, got {settings['lr']}")
    return {
        "data": arguments.data,
        **settings,
        "noise": arguments.noise,
        "model": arguments.model,
        "model_options": MODEL_OPTIONS[arguments.model],
        **PROTOCOL,
        **(ON_TOY if arguments.data == "toy" else {}),
    }


def without_folders(words: Sequence[str]) -> str:
    """Return the command without the folders, which are this machine's and change no result.

    Example:
        >>> without_folders(["compare", "--out", "here", "--data-dir=there", "--seeds", "3"])
        'minisam compare --seeds 3'
    """
    kept, folders = ["minisam"], ("--out", "--data-dir")
    for before, word in zip(["", *words], words, strict=False):
        if before not in folders and word.split("=")[0] not in folders:
            kept.append(word)
    return shlex.join(kept)
