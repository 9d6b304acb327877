"""Say how large an experiment is made, and run its grid with every seed.

All experiments share a scale: the data set, the seeds, the settings of a trial, and every ρ that is
tried. A smoke test is the same at the smallest size, only to see that everything runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minisam.experiments.trial import trial

# Every ρ that is tried, ascending, in steps of √2 to 2. The toy problem's loss is smoother, so its
# radii are larger; a search whose best value lies at the edge of its grid has not found it.
TOY_RADII = {"sam": (0.05, 0.1, 0.2, 0.28, 0.4, 0.57), "asam": (0.5, 1.0, 2.0, 2.8, 4.0, 5.7)}
RADII = {"sam": (0.05, 0.1, 0.14, 0.2, 0.28, 0.4), "asam": (0.5, 1.0, 1.4, 2.0, 2.8, 4.0)}
# `minisam compare` tries few, so that its default run takes less than 90 s on two cores. They are
# SAM's; another method's are as many times larger as its row in `minisam.optim.METHODS` says.
FEW_TOY_RADII = (0.2, 0.4, 0.6)
FEW_RADII = (0.025, 0.05, 0.1, 0.2)
LR = 0.02  # in the middle of what SGD tries, in an experiment that does not say another
Cells = Callable[..., list[Any]]  # (list of settings, function=trial) -> list of results


class Scale(NamedTuple):
    """How large to make an experiment.

    Attributes:
        data: ``"toy"``, ``"cifar10"`` or ``"cifar100"``.
        seeds: the seeds of the reported runs.
        smoke: only to see that everything runs: one epoch of a small network on a hundred images.
    """

    data: str
    seeds: tuple[int, ...]
    smoke: bool = False

    def radii(self, optimizer: str) -> tuple[float, ...]:
        """Return the values of ρ to try with ``"sam"`` or ``"asam"`` on this data, ascending.

        Example:
            >>> Scale("toy", (0,)).radii("sam")
            (0.05, 0.1, 0.2, 0.28, 0.4, 0.57)
        """
        return (TOY_RADII if self.data == "toy" else RADII)[optimizer]

    def settings(self, **special: Any) -> dict[str, Any]:
        """Return the settings that every trial of this scale shares, with the experiment's own.

        Images are 16 × 16. The learning rate warms up in a tenth of the steps, ρ in a quarter, and
        SGD looks ahead (Nesterov). Thousands of held-out images choose, 10,000 judge.

        Example:
            >>> Scale("toy", (0,)).settings(epochs=3)["epochs"]
            3
        """
        sizes: dict[str, Any] = {"train_size": 4000, "validation_size": 10_000}
        if self.data == "toy":
            sizes = {"train_size": 2000, "validation_size": 5000}
        sizes |= {"test_size": 10_000, "side": 16, "epochs": 20, "batch_size": 64}
        hidden = [8, 8] if self.smoke else [128, 128]
        model = {"model": "mlp", "model_options": {"hidden": hidden}, "lr": LR}
        model |= {"nesterov": True, "lr_warmup": 0.1, "rho_warmup": 0.25}
        if self.smoke:
            special |= {"train_size": 100, "test_size": 100, "validation_size": 50, "epochs": 1}
        return {"data": self.data} | sizes | model | special

    def learned(self, **special: Any) -> dict[str, Any]:
        """Return `settings` with which SGD, SAM and ASAM learn all labels, also a fifth wrong ones.

        Of real images that takes longer, so there are fewer: less fitted is flatter in any case.

        Example:
            >>> [Scale(data, (0,)).learned()["epochs"] for data in ("toy", "cifar10")]
            [20, 60]
        """
        real = {"train_size": 2000, "batch_size": 32, "epochs": 60}
        return self.settings(**({} if self.data == "toy" else real) | special)


def over_seeds(
    cells: Cells, scale: Scale, entries: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    function: Callable[..., Any] = trial,
) -> list[dict[str, Any]]:  # fmt: skip
    """Run each (label, settings) with every seed of the scale; return label + seed + result."""
    grid = [{**settings, "seed": seed} for seed in scale.seeds for _, settings in entries]
    results = cells(grid, function)  # seed by seed, so that its data need be made but once
    return [
        {**label, "seed": seed, **results[row * len(entries) + column]}
        for column, (label, _) in enumerate(entries)
        for row, seed in enumerate(scale.seeds)
    ]
