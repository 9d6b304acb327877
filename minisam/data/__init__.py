"""Load data sets, add label noise, cut mini-batches.

Start at `load`, which takes a `LabelNoise` as the recipe. `noise` says how each kind of noise
works, `batches` how images become what a network sees.
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
