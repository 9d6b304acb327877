"""Check a backend that differentiates by itself, on a whole network.

`check` owns the gradient, so it sees the optimizer alone. Here the backend has its own network, its
own derivatives and its own training loop; what it gives is compared with stored answers. The files
are made by `vector_generator.networks`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

DIRECTORY = Path(__file__).parent / "models"
NAMES = ("mlp", "cnn")
POLICIES = {
    "first": "by the first pass only",
    "second": "by the second pass only",
    "both": "by both passes",
    "neither": "by neither pass",
}
COARSER = {"float64": 1.0, "float32": 2.0**29}  # units in the last place against float64's

LossAndGrad = Callable[[dict, np.ndarray, np.ndarray], tuple[float, Mapping[str, Any]]]
Train = Callable[[str, dict, dict, list, dict], tuple[Mapping[str, Any], Mapping[str, Any]]]


class ModelReport(NamedTuple):
    """What came of the comparison.

    Attributes:
        verdict: begins with ``conforms`` only if everything that ran agrees.
        policy: which pass updates batch norm's running statistics: "first", "second", "both",
            "neither", None where no policy explains them or there are none.
        failures: what differs, in order, with the largest difference in tolerances.
        ran: the number of arrays compared.
    """

    verdict: str
    policy: str | None
    failures: tuple[tuple[str, float], ...]
    ran: int


class ModelVectors(NamedTuple):
    """One network's file: its arrays by name, and what is said about them."""

    arrays: dict[str, np.ndarray]
    about: dict[str, Any]

    def under(self, place: str) -> dict[str, np.ndarray]:
        """Return the tensors under a place such as ``"A/gradient"``, by their own names."""
        start = f"{place}/"
        return {k.removeprefix(start): x for k, x in self.arrays.items() if k.startswith(start)}

    @property
    def batches(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The batch of every step: images and labels."""
        return [
            (self.arrays[f"batch{k}/images"], self.arrays[f"batch{k}/labels"])
            for k in self.about["batches"]
        ]


def load_model(name: str) -> ModelVectors:
    """Return a network's vectors.

    Args:
        name: "mlp" or "cnn" (which has batch norm).

    Raises:
        ValueError: for another name.

    Example:
        >>> vectors = load_model("cnn")
        >>> vectors.under("params")["conv1.weight"].shape, float(vectors.arrays["A/loss"]) > 0
        ((3, 3, 2, 4), True)
    """
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(map(repr, NAMES))}, got {name!r}")
    about = json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))
    del about["arrays"]
    with np.load(DIRECTORY / f"{name}.npz") as file:
        return ModelVectors({key: file[key] for key in file.files}, about)


def check_model(
    name: str,
    loss_and_grad: LossAndGrad | None = None,
    train: Train | None = None,
    dtype: str = "float64",
    policy: str = "first",
) -> ModelReport:
    """Compare a backend's network, derivatives and training with the stored answers.

    Args:
        name: "mlp" or "cnn"; ``load_model(name).about["network"]`` says how it is built.
        loss_and_grad: ``(params, images, labels) -> (loss, grads)``, in training mode.
        train: ``(method, params, statistics, batches, hyperparameters) -> (params, statistics)``,
            one step of the method "sgd", "sam" or "asam" for each of the batches.
        dtype: "float64" or "float32", the backend's.
        policy: which pass is meant to update batch norm's running statistics.

    Returns:
        A `ModelReport`.

    Raises:
        ValueError: if nothing is given to check, or an argument is none of its choices.

    Example:
        >>> vectors = load_model("mlp")
        >>> def answers_by_heart(params, images, labels):
        ...     return vectors.arrays["A/loss"], vectors.under("A/gradient")
        >>> check_model("mlp", answers_by_heart).verdict
        'bug: B/loss differs by ... tolerances'
    """
    if loss_and_grad is None and train is None:
        raise ValueError("loss_and_grad or train must be given: there is nothing to check")
    for argument, value, choices in (("dtype", dtype, COARSER), ("policy", policy, POLICIES)):
        if value not in choices:
            allowed = ", ".join(map(repr, choices))
            raise ValueError(f"{argument} must be one of {allowed}, got {value!r}")
    vectors = load_model(name)
    failures: list[tuple[str, float]] = []
    ran = 0

    def distance(place: str, value: Any) -> float:
        """How far a value is from the answer, in tolerances; infinity for another shape or NaN."""
        right, got = vectors.arrays[place], np.asarray(value, np.float64)
        if right.shape != got.shape:
            return np.inf
        tolerance = vectors.about["tolerances"][place] * COARSER[dtype]
        return float(np.nan_to_num(np.max(np.abs(right - got)) / tolerance, nan=np.inf))

    def compare(place: str, tensors: Any) -> None:
        nonlocal ran
        if place in vectors.arrays:
            pairs = {place: tensors}
        else:
            pairs = {f"{place}/{key}": tensors.get(key, np.nan) for key in vectors.under(place)}
        for key, value in pairs.items():
            ran += 1
            if distance(key, value) > 1:
                failures.append((key, distance(key, value)))

    def given() -> tuple[dict, dict]:
        params, statistics = (
            {key: x.astype(np.dtype(dtype)) for key, x in vectors.under(place).items()}
            for place in ("params", "statistics/before")
        )
        return params, statistics

    params, statistics = given()
    if loss_and_grad is not None:
        for point in ("A", "B"):
            weights = params if point == "A" else vectors.under("B/params")
            weights = {key: x.astype(dtype) for key, x in weights.items()}
            images, labels = vectors.batches[0]
            loss, grads = loss_and_grad(weights, images.astype(dtype), labels)
            compare(f"{point}/loss", loss)
            compare(f"{point}/gradient", grads)
    found = None
    if train is not None:
        batches = [(images.astype(dtype), labels) for images, labels in vectors.batches]
        hyperparameters = dict(vectors.about["hyperparameters"])
        if statistics:
            _, after = train("sam", *given(), batches[:1], hyperparameters)
            distances = {
                one: max(
                    distance(f"statistics/{one}/{key}", after.get(key, np.nan))
                    for key in statistics
                )
                for one in POLICIES
            }
            ran += len(statistics)
            best = min(distances, key=distances.__getitem__)
            found = best if distances[best] <= 1 else None
        for method in ("sgd", "sam", "asam"):
            extra = vectors.about["asam"] if method == "asam" else {}
            for steps in (1, len(batches)):
                after, _ = train(method, *given(), batches[:steps], {**hyperparameters, **extra})
                compare(f"{method}/{steps}/params", after)
    return ModelReport(_verdict(failures, train, statistics, found, policy), found,
                       tuple(failures), ran)  # fmt: skip


def _verdict(failures: list, train: Any, statistics: dict, found: str | None, policy: str) -> str:
    """Return the verdict in words."""
    if failures:
        place, distance = failures[0]
        return f"bug: {place} differs by {distance:.2g} tolerances"
    if train is None or not statistics:
        return "conforms"
    if found is None:
        return "bug: batch norm's running statistics are those of no known policy"
    if found != policy:
        meant = POLICIES[policy]
        return f"bug: batch norm's running statistics are updated {POLICIES[found]}, not {meant}"
    return "conforms" if policy == "first" else f"conforms as declared (policy={policy!r})"
