"""Pictures of the specification: numbers first, as JSON, then the picture drawn from that JSON."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minisam.files import plain, write_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that every picture has."""
    parser.add_argument("--out", default="runs/reproduce", help="folder for the JSON and the PNG")
    parser.add_argument("--smoke", action="store_true", help="smallest size: does it run at all?")


def draw_record(
    path: str | Path,
    compute: Callable[[bool], dict[str, Any]],
    paint: Callable[[Any, dict[str, Any]], None],
    size: tuple[float, float],
    smoke: bool = False,
) -> dict[str, Any]:
    """Compute, write ``path`` with the ending .json, read that and paint it to ``path``.

    Args:
        path: of the picture.
        compute: smoke -> results, with their settings in them.
        paint: draws the results that were read back on a Matplotlib figure.
        size: of the picture in inches, (width, height).
        smoke: whether to compute at the smallest size.

    Returns:
        What was written.
    """
    from minisam.plots import picture

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    versions = {"python": platform.python_version()}
    versions |= {
        name: importlib.metadata.version(name) for name in ("minisam", "numpy", "autograd")
    }
    record = {"name": path.stem, "smoke": smoke, "versions": versions, **plain(compute(smoke))}
    write_json(path.with_suffix(".json"), record)
    written = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    with picture(path, *size) as figure:
        paint(figure, written)
    return written
