"""Data sets, label noise and mini-batches."""

from minisam.data.batches import augment, channel_statistics, minibatches, standardize
from minisam.data.dataset import Dataset, Split, load
from minisam.data.noise import LabelNoise

__all__ = [
    "Dataset",
    "LabelNoise",
    "Split",
    "augment",
    "channel_statistics",
    "load",
    "minibatches",
    "standardize",
]
