"""`minisam data`: look at a data set, make label noise, fetch and write files."""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np

import minisam
from minisam.cli.noise_options import add_noise, add_source, recipe, source
from minisam.data import channel_statistics, label_hash
from minisam.data.cifar import download
from minisam.data.cifar.write import write_dataset
from minisam.data.folders import check_not_read, whole_folder
from minisam.data.noise_report import as_json, as_table, percent
from minisam.files import expanded, given_path, write_atomically, write_text
from minisam.plots import images_by_class, picture, transition_matrix

NOISE_FILES = ("labels.npy", "labels.json", "transition.png")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    info = actions.add_parser("info", help="print sizes, classes and channel statistics")
    add_source(info)
    info.add_argument(
        "--picture", type=given_path, metavar="PNG", help="also draw some images of each class"
    )

    noise = actions.add_parser("noise", help="make noisy labels, and say what they are")
    add_source(noise)
    add_noise(noise, default="symmetric")
    noise.add_argument(
        "--out",
        type=given_path,
        default="label-noise",
        metavar="FOLDER",
        help="where labels.npy, labels.json and transition.png go (default: %(default)s)",
    )

    fetch = actions.add_parser("fetch", help="download a data set (needs the data extra)")
    fetch.add_argument("name", choices=("cifar10", "cifar100"))
    fetch.add_argument(
        "--data-dir", type=given_path, help="default: $MINISAM_DATA or the platform's cache folder"
    )
    fetch.add_argument("--version", choices=("python", "binary"), default="python")

    write = actions.add_parser("write", help="write a data set in CIFAR's own formats")
    add_source(write)
    add_noise(write, default=None)
    write.add_argument("--like", choices=("cifar10", "cifar100"), help="default: as the data set")
    write.add_argument("--as", dest="to", choices=("python", "binary"), default="python")
    write.add_argument("--out", type=given_path, required=True, metavar="FOLDER")
    write.add_argument(
        "--force", action="store_true", help="replace a data set that is there, even the one read"
    )


def run(arguments: argparse.Namespace) -> int:
    """Carry out the action; return the exit code."""
    actions = {"info": run_info, "noise": run_noise, "fetch": run_fetch, "write": run_write}
    try:
        print(actions[arguments.action](arguments))
    except ImportError as error:
        print(f"minisam data: {error}", file=sys.stderr)
        return 2
    return 0


def run_info(arguments: argparse.Namespace) -> str:
    """Describe a data set."""
    data = source(arguments, None)
    mean, std = channel_statistics(data.train.images)
    names = data.class_names if len(data.class_names) <= 20 else (*data.class_names[:10], "…")
    facts = {
        "data set": data.name,
        "training images": f"{len(data.train.labels):,}",
        "test images": f"{len(data.test.labels):,}",
        "classes": f"{len(data.class_names)}: {', '.join(names)}",
        "first labels": " ".join(map(str, data.train.labels[:10])),
        "mean": " ".join(f"{value:.10f}" for value in mean),
        "std": " ".join(f"{value:.10f}" for value in std),
        "labels sha256": label_hash(data.train.labels),
    }
    if arguments.picture:
        path = expanded(arguments.picture)
        path = path if path.suffix else path.with_suffix(".png")
        with picture(path) as figure:
            images_by_class(figure, data.train.images, data.train.labels, data.class_names[:20])
        facts["picture"] = str(path)
    return "\n".join(f"{name:<16} {value}" for name, value in facts.items())


def run_noise(arguments: argparse.Namespace) -> str:
    """Make noisy labels, save them with their recipe, and draw their transition matrix."""
    out = expanded(arguments.out)
    read = [expanded(path) for path in (arguments.matrix, arguments.path) if path is not None]
    check_not_read([out / name for name in NOISE_FILES], read)
    data = source(arguments, recipe(arguments))
    seen = data.noise
    assert seen is not None  # a recipe was given
    content = {
        "data_set": data.name,
        "noise": as_json(seen),
        "train_size": len(data.train.labels),
        "subset_seed": arguments.subset_seed or 0,
        "versions": {"minisam": minisam.__version__, "numpy": np.__version__},
        "class_names": data.class_names,
        "indices": data.train.indices.tolist(),
        "labels": data.train.labels.tolist(),
    }
    title = f"{data.name}: {seen.recipe.kind} noise, {percent(seen.rate_realized)} of labels wrong"
    with whole_folder(out) as work:
        labels, description, drawing = (work / name for name in NOISE_FILES)
        write_atomically(labels, lambda file: np.save(file, data.train.labels))
        write_text(description, json.dumps(content))
        with picture(drawing) as figure:
            transition_matrix(figure, seen.transition, data.class_names, title)
    table = as_table(seen, data.class_names)
    return f"{table}\n\nwrote {', '.join(NOISE_FILES)} to {out}"


def run_fetch(arguments: argparse.Namespace) -> str:
    """Download a data set."""
    folder = download.fetch(arguments.name, arguments.version, arguments.data_dir)
    return f"{arguments.name} is in {folder}"


def run_write(arguments: argparse.Namespace) -> str:
    """Write a data set in CIFAR's own formats."""
    data = source(arguments, recipe(arguments))
    like = arguments.like or ("cifar100" if data.coarse_class_names else "cifar10")
    folder = write_dataset(data, arguments.out, like, arguments.to, arguments.force)
    return f"wrote {data.name} to {folder}"
