"""Add the options that name images and noise, and load what they name."""

from __future__ import annotations

import argparse

from minisam.data import Dataset, LabelNoise, load
from minisam.data.cifar.layouts import LAYOUTS, layouts
from minisam.data.matrix_files import read_matrix
from minisam.data.noise import GOES_WITH, KINDS
from minisam.data.toy import CLASS_NAMES
from minisam.files import given_path

NAMES = ("toy", *dict.fromkeys(layout.name for layout in LAYOUTS))
OF_FILES = {"data_dir": "--data-dir", "version": "--version", "unknown_files": "--unknown-files"}
OF_NOISE = {  # by their names in a recipe
    "rate": "--rate",
    "seed": "--seed",
    "inclusive": "--inclusive",
    "per_sample": "--per-sample",
    "matrix": "--matrix",
    "labels": "--labels",
    "path": "--human-file",
}


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which images are meant."""
    parser.add_argument("name", nargs="?", choices=NAMES, default="toy")
    parser.add_argument(
        "--data-dir", type=given_path, help="default: $MINISAM_DATA or the platform's cache folder"
    )
    parser.add_argument("--version", choices=("python", "binary"), help="default: what is there")
    parser.add_argument("--train-size", type=int, metavar="N", help="default: all (toy: 2000)")
    parser.add_argument("--test-size", type=int, metavar="N", help="default: all (toy: 1000)")
    parser.add_argument("--subset-seed", type=int, help="chooses the subset (default: 0)")
    parser.add_argument(
        "--unknown-files",
        action="store_true",
        default=None,
        help="read files whose hash is unknown, too",
    )


def add_noise(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add the arguments that say which noise is meant."""
    parser.add_argument("--kind", choices=KINDS, default=default, help="default: %(default)s")
    parser.add_argument("--rate", type=float, metavar="R", help="from 0 to 1 (default: 0.4)")
    parser.add_argument("--seed", type=int, help="of the noise (default: 0)")
    for option, says in (
        ("--inclusive", "symmetric over all classes"),
        ("--per-sample", "draw each, no exact number"),
    ):
        parser.add_argument(option, action="store_true", default=None, help=says)
    parser.add_argument(
        "--matrix", type=given_path, metavar="FILE", help="a transition matrix: .npy, .csv or .txt"
    )
    parser.add_argument("--labels", help="human labels: aggre, worse, random1 to 3; noisy")
    parser.add_argument(
        "--human-file",
        dest="path",
        type=given_path,
        metavar="FILE",
        help="default: looked for in the data folder",
    )


def source(arguments: argparse.Namespace, noise: LabelNoise | None) -> Dataset:
    """Load the data set that the arguments name."""
    if given := options(arguments, OF_FILES) if arguments.name == "toy" else {}:
        raise ValueError(
            f"{', '.join(given)} without effect: the toy set is made, not read from files; name "
            f"another data set ({', '.join(NAMES[1:])})"
        )
    subset = (arguments.train_size, arguments.test_size) != (None, None)
    if arguments.subset_seed is not None and (arguments.name == "toy" or not subset):
        raise ValueError(
            "--subset-seed chooses some images of files: it goes with --train-size or --test-size "
            f"of a data set such as {NAMES[1]}"
        )
    return load(
        arguments.name,
        data_dir=arguments.data_dir,
        noise=noise,
        train_size=arguments.train_size,
        test_size=arguments.test_size,
        seed=arguments.subset_seed or 0,
        version=arguments.version,
        unknown_files=bool(arguments.unknown_files),
    )


def recipe(arguments: argparse.Namespace) -> LabelNoise | None:
    """Return the noise that the arguments describe; refuse options that it does not use."""
    kind, given = arguments.kind, options(arguments, OF_NOISE)
    if kind is None:
        if given:
            raise ValueError(
                f"{', '.join(given)} without --kind: say which noise ({', '.join(KINDS)})"
            )
        return None
    for option, name in given.items():
        if kind not in GOES_WITH[name]:
            kinds = " or ".join(GOES_WITH[name])
            raise ValueError(f"{option} goes with --kind {kinds}, not with --kind {kind}")
    for option, needing in (("--matrix", "matrix"), ("--labels", "human")):
        if kind == needing and option not in given:
            raise ValueError(f"--kind {kind} needs {option}")
    parts = {name: getattr(arguments, name) for name in given.values()}
    if kind in GOES_WITH["rate"]:
        parts.setdefault("rate", 0.4)
    if kind == "matrix":
        parts["matrix"] = read_matrix(arguments.matrix, number_of_classes(arguments.name))
    return LabelNoise(kind, **parts)


def options(arguments: argparse.Namespace, names: dict[str, str]) -> dict[str, str]:
    """Return the options that were given, and the names of their values."""
    return {option: name for name, option in names.items() if getattr(arguments, name) is not None}


def number_of_classes(name: str) -> int:
    """Return how many classes a data set has, without reading it."""
    return len(CLASS_NAMES) if name == "toy" else layouts(name)[0].classes[0]
