"""`minisam data`: look at a data set, make label noise, fetch and write files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minisam.data import Dataset, LabelNoise

HELP = "look at a data set, make label noise, fetch or write files"
NAMES = ("toy", "cifar10", "cifar100", "imagenet32")
KINDS = ("symmetric", "pair", "asymmetric", "matrix", "instance", "human")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    info = actions.add_parser("info", help="print sizes, classes and channel statistics")
    add_source(info)
    info.add_argument("--picture", metavar="PNG", help="also draw some images of each class")

    noise = actions.add_parser("noise", help="make noisy labels, and say what they are")
    add_source(noise)
    add_noise(noise, default="symmetric")
    noise.add_argument(
        "--out",
        default="label-noise",
        metavar="FOLDER",
        help="where labels.npy, labels.json and transition.png go (default: %(default)s)",
    )

    fetch = actions.add_parser("fetch", help="download a data set (needs the data extra)")
    fetch.add_argument("name", choices=("cifar10", "cifar100"))
    fetch.add_argument("--data-dir", help="default: $MINISAM_DATA or the platform's cache folder")
    fetch.add_argument("--version", choices=("python", "binary"), default="python")

    write = actions.add_parser("write", help="write a data set in CIFAR's own formats")
    add_source(write)
    add_noise(write, default=None)
    write.add_argument("--like", choices=("cifar10", "cifar100"), help="default: as the data set")
    write.add_argument("--as", dest="to", choices=("python", "binary"), default="python")
    write.add_argument("--out", required=True, metavar="FOLDER")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which images are meant."""
    parser.add_argument("name", nargs="?", choices=NAMES, default="toy")
    parser.add_argument("--data-dir", help="default: $MINISAM_DATA or the platform's cache folder")
    parser.add_argument("--version", choices=("python", "binary"), help="default: what is there")
    parser.add_argument("--train-size", type=int, metavar="N", help="default: all (toy: 2000)")
    parser.add_argument("--test-size", type=int, metavar="N", help="default: all (toy: 1000)")
    parser.add_argument("--subset-seed", type=int, default=0, help="chooses the subset")
    parser.add_argument(
        "--unknown-files", action="store_true", help="read files whose hash is unknown, too"
    )


def add_noise(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add the arguments that say which noise is meant."""
    parser.add_argument("--kind", choices=KINDS, default=default, help="default: %(default)s")
    parser.add_argument("--rate", type=float, metavar="R", help="from 0 to 1 (default: 0.4)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default: 0)")
    parser.add_argument("--inclusive", action="store_true", help="symmetric over all classes")
    parser.add_argument("--per-sample", action="store_true", help="draw each, no exact number")
    parser.add_argument("--matrix", metavar="FILE", help="a transition matrix: .npy, .csv or .txt")
    parser.add_argument("--labels", help="human labels: aggre, worse, random1 to 3; noisy")
    parser.add_argument(
        "--human-file", metavar="FILE", help="default: looked for in the data folder"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit code."""
    actions = {"info": info, "noise": noise, "fetch": fetch, "write": write}
    try:
        print(actions[arguments.action](arguments))
    except ImportError as error:
        print(f"minisam data: {error}", file=sys.stderr)
        return 2
    return 0


def info(arguments: argparse.Namespace) -> str:
    """Describe a data set."""
    from minisam.data import channel_statistics, label_hash

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
        from minisam.data.pictures import draw_images

        figure = draw_images(data.train.images, data.train.labels, data.class_names[:20])
        figure.savefig(arguments.picture, dpi=150)
        facts["picture"] = arguments.picture
    return "\n".join(f"{name:<16} {value}" for name, value in facts.items())


def noise(arguments: argparse.Namespace) -> str:
    """Make noisy labels, save them with their recipe, and draw their transition matrix."""
    import numpy as np

    import minisam
    from minisam.data.pictures import draw_transition
    from minisam.data.report import as_json, as_table, percent
    from minisam.files import expanded, write_atomically

    data = source(arguments, recipe(arguments))
    seen, out = data.noise, expanded(arguments.out)
    assert seen is not None  # a recipe was given
    content = {
        "data_set": data.name,
        "noise": as_json(seen),
        "train_size": len(data.train.labels),
        "subset_seed": arguments.subset_seed,
        "versions": {"minisam": minisam.__version__, "numpy": np.__version__},
        "class_names": data.class_names,
        "indices": data.train.indices.tolist(),
        "labels": data.train.labels.tolist(),
    }
    title = f"{data.name}: {seen.recipe.kind} noise, {percent(seen.rate_realized)} of labels wrong"
    figure = draw_transition(seen.transition, data.class_names, title)
    write_atomically(out / "labels.npy", lambda file: np.save(file, data.train.labels))
    write_atomically(out / "labels.json", lambda file: file.write(json.dumps(content).encode()))
    write_atomically(out / "transition.png", lambda file: figure.savefig(file, dpi=150))
    table = as_table(seen, data.class_names)
    return f"{table}\n\nwrote labels.npy, labels.json and transition.png to {out}"


def fetch(arguments: argparse.Namespace) -> str:
    """Download a data set."""
    from minisam.data.download import fetch

    folder = fetch(arguments.name, arguments.version, arguments.data_dir)
    return f"{arguments.name} is in {folder}"


def write(arguments: argparse.Namespace) -> str:
    """Write a data set in CIFAR's own formats."""
    from minisam.data.write import write

    data = source(arguments, recipe(arguments))
    like = arguments.like or ("cifar100" if data.coarse_class_names else "cifar10")
    return f"wrote {data.name} to {write(data, arguments.out, like, arguments.to)}"


def source(arguments: argparse.Namespace, noise: LabelNoise | None) -> Dataset:
    """Load what the arguments name."""
    from minisam.data import load

    return load(
        arguments.name,
        data_dir=arguments.data_dir,
        noise=noise,
        train_size=arguments.train_size,
        test_size=arguments.test_size,
        seed=arguments.subset_seed,
        version=arguments.version,
        unknown_files=arguments.unknown_files,
    )


def recipe(arguments: argparse.Namespace) -> LabelNoise | None:
    """Return the noise that the arguments describe."""
    from minisam.data import LabelNoise

    if arguments.kind is None:
        return None
    rate = arguments.rate
    if rate is None and arguments.kind not in ("matrix", "human"):
        rate = 0.4
    return LabelNoise(
        kind=arguments.kind,
        rate=rate,
        seed=arguments.seed,
        inclusive=arguments.inclusive,
        per_sample=arguments.per_sample,
        matrix=read_matrix(arguments.matrix) if arguments.matrix else None,
        labels=arguments.labels,
        path=arguments.human_file,
    )


def read_matrix(path: str) -> Any:
    """Read a transition matrix from a .npy file, or from text with commas or spaces."""
    import numpy as np

    if path.endswith(".npy"):
        return np.load(path, allow_pickle=False)
    text = Path(path).read_text().replace(",", " ")
    return np.array([[float(number) for number in line.split()] for line in text.splitlines()])
