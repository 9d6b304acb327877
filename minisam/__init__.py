"""minisam: the SAM a person can read in one sitting, and the oracle other SAMs are held against.

Read `minisam.optim.sam` first. Everything named here is loaded when it is first used, so that
``import minisam`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minisam.data import LabelNoise, load
    from minisam.nn import cnn, mlp, resnet
    from minisam.optim import asam, sam, sgd
    from minisam.oracle import grade

__version__ = "0.1.0"

_HOMES = {
    "sgd": "minisam.optim",
    "sam": "minisam.optim",
    "asam": "minisam.optim",
    "mlp": "minisam.nn",
    "cnn": "minisam.nn",
    "resnet": "minisam.nn",
    "load": "minisam.data",
    "LabelNoise": "minisam.data",
    "grade": "minisam.oracle",
}
_ROOMS = (
    "data",
    "experiments",
    "landscapes",
    "nn",
    "optim",
    "oracle",
    "plots",
    "sharpness",
    "train",
    "trees",
)

__all__ = [
    "LabelNoise",
    "asam",
    "cnn",
    "grade",
    "load",
    "mlp",
    "resnet",
    "sam",
    "sgd",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return importlib.import_module(f"minisam.{name}")
    raise AttributeError(f"module 'minisam' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_ROOMS})
