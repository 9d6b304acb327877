"""Labels by people: CIFAR-10N and CIFAR-100N.

Wei et al. 2022, "Learning with Noisy Labels Revisited" (arXiv 2110.12088): three people labelled
each of CIFAR-10's training images, one each of CIFAR-100's. The labels come in the order of the
official files; some copies are in another order, and then pair labels with the wrong images without
anybody noticing. So a file is refused unless its own clean labels equal the data set's.

Read are ``.npz`` files, ``.npy`` files of a dictionary, and the authors' ``CIFAR-10_human.pt``,
each through the allow-list of `pickles` where it has pickles inside.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from minisam.data import machine
from minisam.data.files import BadFile
from minisam.data.noise import LabelNoise
from minisam.files import expanded

FILES = {
    "cifar10": ("cifar10n_labels.npz", "CIFAR-10_human.npy", "CIFAR-10_human.pt"),
    "cifar100": ("cifar100n_labels.npz", "CIFAR-100_human.npy", "CIFAR-100_human.pt"),
}
LARGEST = 100_000_000  # bytes; the real files have a few millions at most


def human_labels(
    noise: LabelNoise, name: str, folder: str | os.PathLike[str], clean_labels: np.ndarray
) -> np.ndarray:
    """Return the labels that people gave to the training images.

    Args:
        noise: the recipe. Its ``labels`` are, for CIFAR-10, ``"aggre"``, ``"worse"``,
            ``"random1"``, ``"random2"`` or ``"random3"``; for CIFAR-100 ``"noisy"``; its ``path``
            is the file's.
        name: of the data set.
        folder: where to look for the file when ``noise.path`` is None.
        clean_labels: the data set's true labels, int array of shape (n,).

    Returns:
        int64 array of shape (n,).

    Raises:
        FileNotFoundError: saying which file to put where.
        ValueError: if the file is none of these, has no such labels, or if its clean labels differ
            from the data set's.
    """
    path = expanded(noise.path) if noise.path else locate(name, expanded(folder))
    table = {key.replace("_label", ""): column(value, path) for key, value in read(path).items()}
    key = str(noise.labels).replace("_label", "")
    if key not in table:
        names = ", ".join(name for name in table if name != "clean")
        raise ValueError(f"labels must be one of {names}, got {noise.labels!r}")
    if "clean" not in table:
        raise ValueError(f"{path} has no clean labels to compare with the data set's")
    for kind in ("clean", key):
        if len(table[kind]) != len(clean_labels):
            raise ValueError(
                f"{path} has {len(table[kind]):,} {kind} labels, "
                f"{name} has {len(clean_labels):,} images"
            )
    if wrong := int(np.count_nonzero(table["clean"] != clean_labels)):
        raise ValueError(
            f"{path} is in another order: its clean labels differ from those of {name} at "
            f"{wrong:,} of {len(clean_labels):,} images"
        )
    labels = table[key]
    if labels.min() < 0 or labels.max() > clean_labels.max():
        raise ValueError(f"{path} has {key} labels that are no class of {name}")
    return labels.astype(np.int64)


def locate(name: str, folder: Path) -> Path:
    """Return where the label file of a data set is."""
    if name not in FILES:
        raise ValueError(f"human labels are known for {' and '.join(FILES)}, not for {name}")
    for file in FILES[name]:
        for place in (folder, folder.parent):
            if (place / file).is_file():
                return place / file
    raise FileNotFoundError(
        f"human labels of {name} are not in {folder}: put {' or '.join(FILES[name])} there (from "
        f"github.com/UCSC-REAL/cifar-10-100n; CC BY-NC 4.0), or name the file (path=…)"
    )


def read(path: Path) -> dict[str, Any]:
    """Return what a label file holds, by name."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} is too large for labels: {path.stat().st_size} bytes")
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                check_unpacked(archive)
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        if path.suffix == ".npy":
            with open(path, "rb") as file:
                version = np.lib.format.read_magic(file)
                first = version == (1, 0)
                header = "read_array_header_1_0" if first else "read_array_header_2_0"
                getattr(np.lib.format, header)(file)
                return machine.loads(file.read())
        if path.suffix == ".pt":
            with zipfile.ZipFile(path) as archive:
                check_unpacked(archive)
                (member,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
                return machine.loads(archive.read(member))
    except OSError:
        raise
    except Exception as error:  # whatever a damaged file makes of zipfile and NumPy
        raise BadFile(f"{path} is no file of human labels: {error}") from error
    raise ValueError(f"human labels must be a .npz, .npy or .pt file, got {path}")


def check_unpacked(archive: zipfile.ZipFile) -> None:
    """Raise ValueError if the archive unpacks to more than labels take."""
    if (total := sum(member.file_size for member in archive.infolist())) > LARGEST:
        raise ValueError(f"it unpacks to {total:,} bytes")


def column(value: Any, path: Path) -> np.ndarray:
    """Return labels as a flat array of whole numbers."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu":
        raise BadFile(f"{path} holds something else than arrays of whole numbers")
    return value.reshape(-1)
