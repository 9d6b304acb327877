"""minisam: the SAM a person can read in one sitting, and the oracle other SAMs are held against.

Read `minisam.optim.sam` first. Whatever is named here, and every room (`minisam.optim`, …), is
loaded when it is first used, so that ``import minisam`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers know of the names below
    from minisam.data import LabelNoise as LabelNoise
    from minisam.data import load as load
    from minisam.nn import cnn as cnn
    from minisam.nn import mlp as mlp
    from minisam.nn import resnet as resnet
    from minisam.optim.asam import asam as asam
    from minisam.optim.sam import sam as sam
    from minisam.optim.sgd import sgd as sgd
    from minisam.oracle import grade as grade

__version__ = "0.1.0"

_ROOM_OF = {
    "sgd": "optim",
    "sam": "optim",
    "asam": "optim",
    "mlp": "nn",
    "cnn": "nn",
    "resnet": "nn",
    "load": "data",
    "LabelNoise": "data",
    "grade": "oracle",
}
_ROOMS = (
    "adapters", "anatomy", "blas", "checkpoint", "checks", "cli", "course", "data", "experiments",
    "files", "isolation", "landscapes", "lesson", "nn", "optim", "oracle", "pictures", "plots",
    "progress", "rounding", "same_run", "sharpness", "specification", "sweeps", "threads", "train",
    "trees", "variants", "vectors",
)  # fmt: skip

__all__ = sorted(_ROOM_OF)


def __getattr__(name: str) -> Any:
    if name in _ROOM_OF:
        value = getattr(importlib.import_module(f"minisam.{_ROOM_OF[name]}"), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return importlib.import_module(f"minisam.{name}")
    raise AttributeError(f"module 'minisam' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOM_OF, *_ROOMS})
