"""Data sets, label noise and mini-batches.

Start at `load`; `LabelNoise` is the recipe it takes. How each kind of noise works is in `noise`,
and how images become what a network sees is in `batches`.
"""

from minisam.data.batches import augment, channel_statistics, minibatches, standardize
from minisam.data.cifar.find import BadFile
from minisam.data.dataset import Dataset, Split, load
from minisam.data.noise import LabelNoise
from minisam.data.noise_report import NoiseReport, label_hash

__all__ = [
    "BadFile",
    "Dataset",
    "LabelNoise",
    "NoiseReport",
    "Split",
    "augment",
    "channel_statistics",
    "label_hash",
    "load",
    "minibatches",
    "standardize",
]
