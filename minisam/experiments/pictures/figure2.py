"""The two-step update, from the side and from above: A, d1, B, d2.

SGD would go from A straight down d1. SAM climbs to B first, reads the slope d2 there, goes back to
A and descends along d2, which points more steeply across the valley than d1 does.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from minisam.experiments.drawing import configure as configure
from minisam.experiments.drawing import draw_record
from minisam.landscapes import quadratic
from minisam.optim import Step, sam, sgd
from minisam.plots import two_step_update

HELP = "draw SAM's two-step update from the side and from above"
SETTINGS: dict[str, Any] = {
    "spectrum": [6.0, 1.0],
    "angle": -0.5,
    "coordinates": [0.25, 1.3],
    "lr": 0.21,
    "rho": 0.55,
}


def valley(settings: dict[str, Any]) -> tuple[Any, np.ndarray]:
    """The bowl that the settings describe, and its rotation."""
    c, s = np.cos(settings["angle"]), np.sin(settings["angle"])
    rotation = np.array([[c, -s], [s, c]])
    return quadratic(settings["spectrum"], rotation), rotation


def compute(smoke: bool = False) -> dict[str, Any]:
    """One step of SAM on a tilted bowl, with everything that it saw."""
    bowl, rotation = valley(SETTINGS)
    params = {"w": rotation @ np.array(SETTINGS["coordinates"])}
    opt = sam(sgd(lr=SETTINGS["lr"]), rho=SETTINGS["rho"])
    end, _, step = opt.step(params, opt.init(params), bowl.value_and_grad)
    seen = {
        key: value for key, value in step._asdict().items() if key != "shards" and value is not None
    }
    return {"settings": SETTINGS, "step": seen, "start": params, "end": end}


def paint(figure: Any, record: dict[str, Any]) -> None:
    """Draw the step that a record holds."""
    bowl, _ = valley(record["settings"])
    seen: dict[str, Any] = {
        key: {"w": np.array(value["w"])} if isinstance(value, dict) else value
        for key, value in record["step"].items()
    }
    two_step_update(figure, bowl.loss, Step(**seen), {"w": np.array(record["end"]["w"])})


def draw(path: str | Path, smoke: bool = False) -> dict[str, Any]:
    """Compute, write the JSON beside the picture, draw the picture from it."""
    return draw_record(path, compute, paint, (13, 5.6), smoke)


def run(arguments: argparse.Namespace) -> int:
    """Draw to ``--out``."""
    draw(Path(arguments.out) / "figure2.png", arguments.smoke)
    return 0
