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

from minisam.checks import check_choice

FOLDER = Path(__file__).parent / "models"
MODEL_NAMES = ("mlp", "cnn")
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
    """The outcome of a comparison.

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
    """One network's file: its arrays by name, and what is known about them."""

    arrays: dict[str, np.ndarray]
    about: dict[str, Any]

    def under(self, place: str) -> dict[str, np.ndarray]:
        """Return the tensors under a place such as ``"A/gradient"``, by their own names."""
        start = f"{place}/"
        return {k.removeprefix(start): x for k, x in self.arrays.items() if k.startswith(start)}

    @property
    def batches(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the batch of every step: images and labels."""
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
    check_choice("name", name, MODEL_NAMES)
    about = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    del about["arrays"]
    with np.load(FOLDER / f"{name}.npz") as file:
        return ModelVectors({key: file[key] for key in file.files}, about)


class Comparison:
    """A backend's numbers against a network's stored answers.

    Args:
        vectors: the stored answers.
        dtype: "float64" or "float32", the backend's.

    Attributes:
        failures: what differs, in order, with the difference in tolerances.
        ran: the number of arrays compared.
    """

    def __init__(self, vectors: ModelVectors, dtype: str) -> None:
        self.vectors, self.dtype = vectors, dtype
        self.failures: list[tuple[str, float]] = []
        self.ran = 0

    def given(self, place: str) -> dict[str, np.ndarray]:
        """Return copies of stored tensors as the backend wants them."""
        return {key: x.astype(self.dtype) for key, x in self.vectors.under(place).items()}

    def distance(self, place: str, value: Any) -> float:
        """Return how many tolerances a value is away; infinity for another shape or NaN."""
        right, got = self.vectors.arrays[place], np.asarray(value, np.float64)
        if right.shape != got.shape:
            return np.inf
        tolerance = self.vectors.about["tolerances"][place] * COARSER[self.dtype]
        return float(np.nan_to_num(np.max(np.abs(right - got)) / tolerance, nan=np.inf))

    def compare(self, place: str, value: Any) -> None:
        """Compare an array, or a dict of all tensors that are stored under a place."""
        pairs = {place: value}
        if place not in self.vectors.arrays:
            stored = self.vectors.under(place)
            pairs = {f"{place}/{key}": value.get(key, np.nan) for key in stored}
        self.ran += len(pairs)
        distances = {key: self.distance(key, one) for key, one in pairs.items()}
        self.failures += [(key, far) for key, far in distances.items() if far > 1]

    def trained(self, train: Train, method: str, steps: int) -> tuple[Mapping, Mapping]:
        """Return the weights and running statistics after some steps of a backend's training."""
        about = self.vectors.about
        settings = {**about["hyperparameters"], **(about["asam"] if method == "asam" else {})}
        batches = [(images.astype(self.dtype), y) for images, y in self.vectors.batches[:steps]]
        params, statistics = self.given("params"), self.given("statistics/before")
        return train(method, params, statistics, batches, settings)

    def policy(self, train: Train) -> str | None:
        """Return which pass updates the running statistics; None if no policy explains them."""
        after = self.trained(train, "sam", 1)[1]
        names = self.vectors.under("statistics/before")
        self.ran += len(names)
        distances = {
            one: max(
                self.distance(f"statistics/{one}/{key}", after.get(key, np.nan)) for key in names
            )
            for one in POLICIES
        }
        best = min(distances, key=distances.__getitem__)
        return best if distances[best] <= 1 else None


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
    check_choice("dtype", dtype, tuple(COARSER))
    check_choice("policy", policy, tuple(POLICIES))
    vectors = load_model(name)
    seen = Comparison(vectors, dtype)
    found, statistics = None, bool(train and vectors.under("statistics/before"))
    if loss_and_grad is not None:
        images, labels = vectors.batches[0]
        for point, place in (("A", "params"), ("B", "B/params")):
            loss, grads = loss_and_grad(seen.given(place), images.astype(dtype), labels)
            seen.compare(f"{point}/loss", loss)
            seen.compare(f"{point}/gradient", grads)
    if train is not None:
        found = seen.policy(train) if statistics else None
        for method in ("sgd", "sam", "asam"):
            for steps in (1, len(vectors.batches)):
                seen.compare(f"{method}/{steps}/params", seen.trained(train, method, steps)[0])
    verdict = _verdict(seen.failures, statistics, found, policy)
    return ModelReport(verdict, found, tuple(seen.failures), seen.ran)


def _verdict(failures: list, statistics: bool, found: str | None, policy: str) -> str:
    """Return the verdict in words."""
    if failures:
        place, distance = failures[0]
        return f"bug: {place} differs by {distance:.2g} tolerances"
    if not statistics:
        return "conforms"
    if found is None:
        return "bug: batch norm's running statistics are those of no known policy"
    if found != policy:
        meant = POLICIES[policy]
        return f"bug: batch norm's running statistics are updated {POLICIES[found]}, not {meant}"
    return "conforms" if policy == "first" else f"conforms as declared (policy={policy!r})"
