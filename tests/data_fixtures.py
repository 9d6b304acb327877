"""Small data sets in CIFAR's formats, and the real files where they are."""

import os
from pathlib import Path

import numpy as np
import pytest

from minisam.data import load
from minisam.data.cifar.write import write_dataset
from minisam.data.dataset import Dataset, Split

BESIDE = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the official files."""
    folder = Path(os.environ.get("MINISAM_DATA") or BESIDE)
    if not (folder / "cifar-10-batches-py").is_dir():
        pytest.skip(f"no cifar-10-batches-py in {folder} (set MINISAM_DATA)")
    return folder


@pytest.fixture(scope="session")
def toy_data() -> Dataset:
    """Fifty training and ten test images."""
    return load("toy", train_size=50, test_size=10)


@pytest.fixture(scope="session")
def hundred_classes() -> Dataset:
    """Images with 100 fine and 20 coarse labels, the fine ones of a superclass far apart."""
    toy = load("toy", train_size=200, test_size=100)

    def split(images: np.ndarray) -> Split:
        fine = np.arange(len(images)) % 100
        clean = np.zeros(len(images), bool)
        return Split(images, fine, fine.copy(), clean, np.arange(len(images)), fine % 20)

    return Dataset(
        "cifar100",
        split(toy.train.images),
        split(toy.test.images),
        None,
        tuple(f"fine{i}" for i in range(100)),
        tuple(f"coarse{i}" for i in range(20)),
        None,
    )


@pytest.fixture
def cifar10_folder(tmp_path: Path, toy_data: Dataset) -> Path:
    """A folder that has the toy set as CIFAR-10's python version."""
    write_dataset(toy_data, tmp_path)
    return tmp_path
