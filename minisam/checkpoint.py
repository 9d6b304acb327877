"""A training run in one file: parameters, optimizer state, statistics, history, settings.

The file is a plain ``.npz`` without pickles: every array under its dotted path, one JSON text for
all that is not an array, and the SHA-256 of all these. An optimizer's state is a nest of
NamedTuples, dicts and None; its shape is stored in the JSON, its types are taken from a fresh state
of the same optimizer.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from minisam.files import expanded, write_atomically
from minisam.same_run import check_same_run
from minisam.trees import Params

FORMAT = 2  # 1 had no hash; it is still read
HASH = "sha256"


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
        if tree.dtype.kind in "OV":
            raise ValueError(f"{path} must be an array of NumPy's numbers, got {tree.dtype}")
        while path in arrays:  # {"a": {"b": …}, "a/b": …}
            path += "'"
        arrays[path] = np.asarray(tree)
        return {"array": path}
    if tree is None or isinstance(tree, bool | int | float | str):
        return {"value": tree}
    raise ValueError(f"{path} must be arrays, numbers, text or None, got {type(tree).__name__}")


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

    Raises:
        ValueError: if it is a state of another optimizer.
    """
    if isinstance(fresh, dict) and isinstance(stored, dict) and fresh.keys() == stored.keys():
        return {key: restore_state(fresh[key], stored[key]) for key in fresh}
    if isinstance(fresh, tuple) and isinstance(stored, tuple) and len(fresh) == len(stored):
        parts = [restore_state(f, s) for f, s in zip(fresh, stored, strict=True)]
        return type(fresh)(*parts) if hasattr(fresh, "_fields") else tuple(parts)
    if isinstance(fresh, dict | tuple) or isinstance(stored, tuple):
        raise ValueError("the checkpoint's optimizer state is of another optimizer")
    return stored  # a number or an array; or what is None before the first step


def encoded(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """Return the arrays of a checkpoint's file, by name.

    Raises:
        ValueError: naming what a file without pickles cannot hold.
    """
    arrays: dict[str, np.ndarray] = {}
    skeletons = {
        name: _pack(getattr(checkpoint, name), name, arrays)
        for name in ("params", "state", "statistics")
    }
    rest = {"history": checkpoint.history, "settings": checkpoint.settings}
    try:
        text = json.dumps({"format": FORMAT, **skeletons, **rest})
    except TypeError as error:
        raise ValueError(f"history and settings must be what JSON can hold: {error}") from None
    arrays["json"] = np.frombuffer(text.encode(), np.uint8)
    return {**arrays, HASH: _hash(arrays)}


def _hash(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return np.frombuffer(digest.digest(), np.uint8)


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> Path:
    """Write a checkpoint; a kill at any moment leaves the previous one or this one, whole.

    Raises:
        ValueError: naming what a file without pickles cannot hold.

    Example:
        >>> import tempfile
        >>> saved = Checkpoint({"w": np.ones(2)}, (1, None), {}, [{"loss": 0.5}], {"lr": 0.1})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     load_checkpoint(save_checkpoint(f"{folder}/run.npz", saved)).history
        [{'loss': 0.5}]
    """
    buffer = io.BytesIO()  # for a zip file on a full disk would complain again when it is collected
    # NumPy's stubs reserve the keyword `allow_pickle`.
    np.savez(buffer, **encoded(checkpoint))  # type: ignore[arg-type]
    return write_atomically(path, lambda file: file.write(buffer.getbuffer()))


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        OSError: if there is no such file, or it may not be read.
        ValueError: if it is not a whole checkpoint of this format, whatever else it is.
    """
    path = expanded(path)
    with open(path, "rb") as file:
        try:
            return _decoded(_read(file))
        except Exception as error:  # zipfile and NumPy raise a dozen kinds for bytes of all kinds
            raise ValueError(
                f"{path} is not a minisam checkpoint, or a damaged one: "
                f"{error or type(error).__name__}"
            ) from None


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    """Read every array of an ``.npz`` to its last byte, so that every checksum is looked at."""
    arrays = {}
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            content = io.BytesIO(archive.read(name))
            arrays[name.removesuffix(".npy")] = np.lib.format.read_array(
                content, allow_pickle=False
            )
            if content.read(1):
                raise ValueError(f"{name} has more bytes than it says")
    return arrays


def _decoded(arrays: dict[str, np.ndarray]) -> Checkpoint:
    expected = arrays.pop(HASH, np.empty(0))
    content = json.loads(arrays["json"].tobytes())
    if content["format"] not in (1, FORMAT):
        raise ValueError(f"format {content['format']}, this version reads format {FORMAT}")
    if content["format"] > 1 and not np.array_equal(expected, _hash(arrays)):
        raise ValueError("its content is not what was written")
    params, state, statistics = (
        _unpack(content[name], arrays) for name in ("params", "state", "statistics")
    )
    history, settings = content["history"], content["settings"]
    leaves = [*params.values(), *statistics.values()]
    if not all(isinstance(leaf, np.ndarray) for leaf in leaves):
        raise ValueError("params and statistics must be arrays")
    if not all(isinstance(part, dict) for part in [settings, *history]):
        raise ValueError("settings and every epoch of the history must be values by name")
    return Checkpoint(params, state, statistics, history, settings)


def resumed(path: str | os.PathLike[str], fresh: Any, settings: dict[str, Any]) -> Checkpoint:
    """Read the checkpoint of a run that is to go on.

    Args:
        path: of the file.
        fresh: the state in which the run's optimizer begins, whose types the stored one is given.
        settings: of the run, as `minisam.same_run.run_settings` makes them.

    Raises:
        ValueError: if the checkpoint is of another run, or past the end of this one.
    """
    stored = load_checkpoint(path)
    check_same_run(stored.settings, settings, path)
    if len(stored.history) > settings["epochs"]:
        raise ValueError(
            f"checkpoint {path} holds {len(stored.history)} epochs, and the run is to have "
            f"{settings['epochs']}: ask for as many at least, or write to another file"
        )
    return stored._replace(state=restore_state(fresh, stored.state))
