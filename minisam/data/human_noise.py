"""Read the labels that people gave to CIFAR's images: CIFAR-10N and CIFAR-100N.

Wei et al. 2022, "Learning with Noisy Labels Revisited" (arXiv 2110.12088): three people labelled
each of CIFAR-10's training images, one labelled each of CIFAR-100's. The labels are in the order of
the official files. Some copies are in another order: their labels would go to the wrong images, and
nobody would notice. So a file is refused unless its own clean labels equal the data set's.

A file is a ``.npz``, a ``.npy`` of a dictionary, or the authors' ``CIFAR-10_human.pt``. The last
two have pickles inside, which `safe_pickle` reads.
"""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from minisam.data.cifar.find import SMALL, BadFile, read_small
from minisam.data.cifar.safe_pickle import loads
from minisam.data.noise import LabelNoise
from minisam.files import expanded

FILES = {
    "cifar10": ("cifar10n_labels.npz", "CIFAR-10_human.npy", "CIFAR-10_human.pt"),
    "cifar100": ("cifar100n_labels.npz", "CIFAR-100_human.npy", "CIFAR-100_human.pt"),
}


def human_labels(
    noise: LabelNoise, name: str, folder: str | os.PathLike[str], clean_labels: np.ndarray
) -> np.ndarray:
    """Return the labels that people gave to the training images.

    Args:
        noise: the recipe. Its ``labels`` are ``"aggre"``, ``"worse"``, ``"random1"``, ``"random2"``
            or ``"random3"`` for CIFAR-10, ``"noisy"`` for CIFAR-100. Its ``path`` is the file's.
        name: of the data set.
        folder: where to look for the file when ``noise.path`` is None.
        clean_labels: the data set's true labels, int array of shape (n,).

    Returns:
        int64 array of shape (n,).

    Raises:
        FileNotFoundError: saying which file to put where.
        ValueError: if the file is none of these, has no such labels, or has clean labels that
            differ from the data set's.
    """
    path = locate(name, expanded(folder, "folder")) if noise.path is None else expanded(noise.path)
    stored = read_label_file(path)
    found = {key.replace("_label", ""): value for key, value in stored.items()}
    if len(found) < len(stored):
        raise BadFile(f"{path} has two columns of one name, of {', '.join(stored)}")
    key = str(noise.labels).replace("_label", "")
    columns = {name: column(value) for name, value in found.items()}
    table = {name: values for name, values in columns.items() if values is not None}
    if key not in table or key == "clean":
        names = ", ".join(name for name in table if name != "clean") or "(it has none)"
        but = ", where they are no whole numbers" if key in found.keys() - table.keys() else ""
        raise ValueError(f"labels must be one of {names}, got {noise.labels!r} (of {path}{but})")
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


def read_label_file(path: Path) -> dict[str, Any]:
    """Return what a label file holds, by name."""
    parsers = {".npz": read_npz, ".npy": read_npy, ".pt": read_pt}
    if path.suffix.lower() not in parsers:
        raise ValueError(f"human labels must be a .npz, .npy or .pt file, got {path}")
    content = read_small(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about Python 2's files, which are read all the same
            return parsers[path.suffix.lower()](content)
    except Exception as error:  # zipfile and NumPy raise many kinds on a damaged file
        raise BadFile(f"{path} is no file of human labels: {error}") from error


def read_npz(content: bytes) -> dict[str, Any]:
    """Read the arrays of a .npz file; no pickle inside it is opened."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        check_unpacked(archive)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def read_npy(content: bytes) -> dict[str, Any]:
    """Read a .npy file that `numpy.save` made of a dictionary, which it pickles."""
    file = io.BytesIO(content)
    first = np.lib.format.read_magic(file) == (1, 0)
    header = "read_array_header_1_0" if first else "read_array_header_2_0"
    shape, _, dtype = getattr(np.lib.format, header)(file)
    if dtype.kind != "O":
        raise ValueError(
            f"it is a plain array ({dtype} of shape {shape}), which lacks the clean labels that "
            "tell whether its order is the data set's: a dictionary is wanted, such as "
            "{'clean_label': …, 'worse_label': …}"
        )
    return loads(file.read())


def read_pt(content: bytes) -> dict[str, Any]:
    """Read a dictionary of NumPy arrays that `torch.save` wrote."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        check_unpacked(archive)
        (member,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        return loads(archive.read(member))


def check_unpacked(archive: zipfile.ZipFile) -> None:
    """Raise ValueError if the archive unpacks to more than labels take."""
    if (total := sum(member.file_size for member in archive.infolist())) > SMALL:
        raise ValueError(f"it unpacks to {total:,} bytes")


def column(value: Any) -> np.ndarray | None:
    """Return whole numbers as a flat array; None if the value is anything but labels."""
    if isinstance(value, list) and all(type(item) is int for item in value):
        value = np.array(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
        return value.reshape(-1)
    return None
