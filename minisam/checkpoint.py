"""A training run in one file: parameters, optimizer state, statistics, history, settings.

The file is a plain ``.npz`` without pickles: every array under its dotted path, and one JSON text
for all that is not an array. An optimizer's state is a nest of NamedTuples, dicts and None; its
shape is stored in the JSON, its types are taken from a fresh state of the same optimizer.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minisam.files import write_atomically
from minisam.trees import Params

FORMAT = 1


class Checkpoint(NamedTuple):
    """What a run needs to go on, bit for bit.

    Attributes:
        params: the network's parameters.
        state: the optimizer's state, as `restore_state` takes it.
        statistics: batch norm's running statistics.
        history: one dict per finished epoch.
        settings: what the run was called with, JSON values.
    """

    params: Params
    state: Any
    statistics: Params
    history: list[dict[str, Any]]
    settings: dict[str, Any]


def _pack(tree: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return a JSON skeleton of ``tree``, its arrays moved to ``arrays`` under their path."""
    if isinstance(tree, dict):
        return {"dict": {k: _pack(v, f"{path}/{k}", arrays) for k, v in tree.items()}}
    if isinstance(tree, tuple):
        return {"tuple": [_pack(v, f"{path}/{i}", arrays) for i, v in enumerate(tree)]}
    if isinstance(tree, np.ndarray | np.generic):
        arrays[path] = np.asarray(tree)
        return {"array": path}
    return {"value": tree}


def _unpack(skeleton: Any, arrays: dict[str, np.ndarray]) -> Any:
    (kind, content), *_ = skeleton.items()
    if kind == "dict":
        return {k: _unpack(v, arrays) for k, v in content.items()}
    if kind == "tuple":
        return tuple(_unpack(v, arrays) for v in content)
    return arrays[content] if kind == "array" else content


def restore_state(fresh: Any, stored: Any) -> Any:
    """Give a stored state the NamedTuple types of a fresh state of the same optimizer.

    Example:
        >>> from minisam.optim import sgd
        >>> restore_state(sgd(lr=0.1).init({}), (3, None))
        SGDState(count=3, velocity=None)
    """
    if isinstance(fresh, tuple):
        if not isinstance(stored, tuple) or len(fresh) != len(stored):
            raise ValueError("the checkpoint's optimizer state is of another optimizer")
        parts = [restore_state(f, s) for f, s in zip(fresh, stored, strict=True)]
        return type(fresh)(*parts) if hasattr(fresh, "_fields") else tuple(parts)
    return stored


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint; a kill at any moment leaves the previous one or this one, whole.

    Example:
        >>> import tempfile
        >>> saved = Checkpoint({"w": np.ones(2)}, (1, None), {}, [{"loss": 0.5}], {"lr": 0.1})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     load_checkpoint(save_checkpoint(f"{folder}/run.npz", saved)).history
        [{'loss': 0.5}]
    """
    arrays: dict[str, np.ndarray] = {}
    skeletons = {
        name: _pack(getattr(checkpoint, name), name, arrays)
        for name in ("params", "state", "statistics")
    }
    text = json.dumps(
        {
            "format": FORMAT,
            **skeletons,
            "history": checkpoint.history,
            "settings": checkpoint.settings,
        }
    )
    arrays["json"] = np.frombuffer(text.encode(), np.uint8)
    # NumPy's types fear an array called allow_pickle.
    return write_atomically(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a checkpoint of this format.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        content = json.loads(arrays.pop("json").tobytes())
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, this version reads format {FORMAT}")
        params, state, statistics = (
            _unpack(content[name], arrays) for name in ("params", "state", "statistics")
        )
        return Checkpoint(params, state, statistics, content["history"], content["settings"])
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a minisam checkpoint: {error}") from None


def fingerprint(arrays: Params) -> str:
    """Return a short checksum of arrays, by which a run knows its data and its start again.

    Example:
        >>> fingerprint({"w": np.zeros(2)}) == fingerprint({"w": np.array([0.0, 1.0])})
        False
    """
    checksum = 0
    for name, leaf in arrays.items():
        leaf = np.ascontiguousarray(leaf)
        checksum = zlib.crc32(f"{name}{leaf.dtype}{leaf.shape}".encode(), checksum)
        checksum = zlib.crc32(leaf.reshape(-1).view(np.uint8).data, checksum)
    return f"{checksum:08x}"


def check_same_run(stored: dict[str, Any], asked: dict[str, Any], path: Any) -> None:
    """Raise ValueError naming every setting in which a run differs from a checkpoint's.

    The number of epochs may differ: a longer run may go on from a shorter one.

    Example:
        >>> check_same_run({"seed": 0}, {"seed": 1}, "run.npz")
        Traceback (most recent call last):
        ...
        ValueError: checkpoint run.npz is of another run: seed was 0, now 1
    """
    different = {
        key: (stored.get(key), asked.get(key))
        for key in sorted({*stored, *asked} - {"epochs"})
        if stored.get(key) != asked.get(key)
    }
    if different:
        listed = "; ".join(f"{k} was {was!r}, now {now!r}" for k, (was, now) in different.items())
        raise ValueError(f"checkpoint {path} is of another run: {listed}")
