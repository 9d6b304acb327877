"""`minisam reproduce`: run the experiment behind a claim, or draw what the theory says."""

from __future__ import annotations

import argparse

from minisam.cli.options import EXIT_CODES, MOST_SEEDS, check_whole_options, look_for_data_in
from minisam.experiments.overview import overview
from minisam.experiments.reproduce import (
    DRAWINGS,
    SEEDS,
    STUDIES,
    draw_specification,
    reproduce,
)
from minisam.experiments.subset import Data, load_subset
from minisam.experiments.summary import headlines, summary
from minisam.files import expanded, given_path

READING = ("summary", "headlines", "overview")  # options that run nothing


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.epilog = EXIT_CODES
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join([*STUDIES, *DRAWINGS]) + "; or --all"
    )
    parser.add_argument("--all", action="store_true", help="run every one of them")
    parser.add_argument("--data", choices=("toy", "cifar10", "cifar100"), help="default: toy")
    parser.add_argument(
        "--data-dir", type=given_path, help="where CIFAR is; $MINISAM_DATA by default"
    )
    parser.add_argument(
        "--out", type=given_path, default="runs/reproduce", help="folder of the results"
    )
    parser.add_argument("--seeds", type=int, help=f"number of seeds (default {SEEDS})")
    parser.add_argument("--first-seed", type=int, help="the seeds are this one and those after it")
    parser.add_argument("--jobs", type=int, help="local processes (default 1)")
    parser.add_argument("--smoke", action="store_true", help="smallest size: does it run at all?")
    parser.add_argument(
        "--summary", action="store_true", help="run nothing: one table of all results below --out"
    )
    parser.add_argument(
        "--headlines", action="store_true", help="run nothing: one word and one number a claim"
    )
    parser.add_argument(
        "--overview", action="store_true", help="run nothing: draw all results below --out at once"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the experiments that were asked for, one after the other."""
    arguments.names = [name.replace("-", "_") for name in arguments.names]
    check_options_fit(arguments)
    if arguments.overview:
        for path in overview(expanded(arguments.out)):
            print(f"picture: {path}")
        return 0
    if arguments.summary or arguments.headlines:
        print((summary if arguments.summary else headlines)(expanded(arguments.out)))
        return 0
    known = [*STUDIES, *DRAWINGS]
    names = known if arguments.all else arguments.names
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        wrong = f"unknown experiment {unknown[0]!r}" if unknown else "no experiment named"
        raise ValueError(f"{wrong}; there are {', '.join(known)}, or --all")
    check_whole_options(arguments, ["seeds"], high=MOST_SEEDS)
    check_whole_options(arguments, ["jobs"])
    check_whole_options(arguments, ["first_seed"], low=0, high=1_000_000)
    data, seeds, jobs = arguments.data or "toy", arguments.seeds or SEEDS, arguments.jobs or 1
    first = arguments.first_seed or 0
    look_for_data_in(arguments.data_dir, data)
    if data != "toy":  # that the files lack is said once, and not by every run
        load_subset(Data(data))
    for name in names:
        out = expanded(arguments.out) / name
        if name in DRAWINGS:
            draw_specification(name, out, arguments.smoke)
        else:
            reproduce(name, out, data, seeds, jobs, arguments.smoke, first_seed=first)
    return 0


def check_options_fit(arguments: argparse.Namespace) -> None:
    """Raise ValueError naming options of which one would make the other do nothing."""
    takes = ("data", "data_dir", "seeds", "first_seed", "jobs")
    given = [
        f"--{name.replace('_', '-')}" for name in takes if getattr(arguments, name) is not None
    ]
    small = ["--smoke"] if arguments.smoke else []
    named = ["--all", *arguments.names] if arguments.all else arguments.names
    reading = [f"--{name}" for name in READING if getattr(arguments, name)]
    beside = [*reading[1:], *named, *given, *small]
    if reading and beside:
        raise ValueError(f"{reading[0]} runs nothing, and goes without {', '.join(beside)}")
    if arguments.all and arguments.names:
        raise ValueError(f"--all runs every one of them, and goes without {', '.join(named[1:])}")
    if arguments.smoke and "--seeds" in given:
        raise ValueError("--smoke runs two seeds, and goes without --seeds")
    if given and named and all(name in DRAWINGS for name in named):
        raise ValueError(
            f"{', '.join(named)}: drawn without training, and without {', '.join(given)}"
        )
