"""Pre-training on some classes, fine-tuning on few examples of others: a cell for both stages."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import numpy as np

from minisam.experiments.training import records
from minisam.experiments.trial import Fitted, fit, outcome, trial
from minisam.trees import Params

FIRST, SECOND = [0, 1, 2, 3, 4], [5, 6, 7, 8, 9]  # the classes of either stage
FEW = 0.2  # share of the first stage's number of training images that the second has


@lru_cache(maxsize=16)
def _pretrained(settings: str) -> Fitted:
    return fit(*records(json.loads(settings)))


def pretrained(settings: dict[str, Any], seed: int) -> Fitted:
    """Return a network trained on the first classes; asked again, it is not trained again."""
    return _pretrained(json.dumps({**settings, "classes": FIRST, "seed": seed}, sort_keys=True))


def with_new_head(start: Fitted, seed: int) -> Params:
    """Return a network's parameters with their last dense layer drawn again."""
    fresh = start.model.init(np.random.default_rng([seed, 2]))  # as many classes in either stage
    head = list(fresh)[-1].rsplit(".", 1)[0]
    return {key: fresh[key] if key.startswith(f"{head}.") else w for key, w in start.params.items()}


def two_stages(
    seed: int, first: dict[str, Any], second: dict[str, Any], frozen: bool = False
) -> dict[str, Any]:
    """Pre-train as ``first`` says, then fine-tune as ``second`` says.

    Args:
        seed: of both stages.
        first: settings of `minisam.experiments.trial.trial`.
        second: those that are different in the second stage, which has a fifth of the images if
            nothing else is said.
        frozen: whether batch norm keeps the statistics of the first stage.

    Returns:
        What `trial` returns of the second stage, and ``first``, the same of the first.
    """
    start = pretrained(first, seed)
    settings = {**first, "optimizer": "sgd", "rho": 0.0, **second, "classes": SECOND, "seed": seed}
    if "train_size" not in second:
        settings["train_size"] = int(FEW * first["train_size"])
    kept = start.statistics if frozen else None
    result = trial(with_new_head(start, seed), kept, **settings)
    return {**result, "first": outcome(start.history)}
