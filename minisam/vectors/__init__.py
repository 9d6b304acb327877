"""Exact vectors: what a right implementation must give, to the last bit.

Each vector is a starting point, hyper-parameters, and the gradients that are handed out whatever
the point at which they are asked for. It says at which points a right implementation asks, and
where it ends. Every number on the way is a short binary fraction, so that all orders of operations
agree, in float64, in float32 and in bfloat16, and no tolerance is needed.

`load_vectors` reads them, `replay` runs one of them on an adapter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minisam.vectors.replay import replay

__all__ = ["DIRECTORY", "load_vectors", "manifest", "replay"]

DIRECTORY = Path(__file__).parent


def manifest() -> dict[str, Any]:
    """Return the manifest: version, schema, the files with their hashes, every slug with its own.

    Example:
        >>> manifest()["name"]
        'minisam exact vectors'
    """
    return json.loads((DIRECTORY / "manifest.json").read_text(encoding="utf-8"))


def load_vectors(methods: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return the vectors, all or those of some methods.

    Args:
        methods: such as ``["sgd", "sam"]``.

    Returns:
        The vectors as the files hold them.

    Example:
        >>> load_vectors(["sam"])[0]["slug"]
        'sam-norm-4'
    """
    wanted = None if methods is None else set(methods)
    vectors = []
    for entry in manifest()["files"]:
        text = (DIRECTORY / entry["file"]).read_text(encoding="utf-8")
        vectors += json.loads(text)["vectors"]
    return [v for v in vectors if wanted is None or v["hyperparameters"]["method"] in wanted]
