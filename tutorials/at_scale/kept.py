"""Keep every run, with the device and the versions it was done with, so that none is done twice.

The files of several machines are lists, and one after the other make one: of two runs with the same
settings the first one counts.
"""

from __future__ import annotations

import json
import math
import platform
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from training import Settings, train

import minisam
from minisam.checks import check_number
from minisam.files import jsonable, write_json
from minisam.progress import clock
from minisam.sweeps.workers import versions

NUMBERS = ("seconds", "last", "best", "train", "validation")  # which every run has
UNKNOWN = "a device that was not written down"  # as it was not, once
PROCESSOR = Path("/proc/cpuinfo")


class OutOfTime(Exception):
    """There is no time for the next run."""


class Kept:
    """Runs by their settings: what is done is read, and what is not is done while there is time.

    Args:
        path: the JSON file that holds them.
        device: where to run.
        until: when the time is over, by ``time.monotonic()``.

    Raises:
        ValueError: if the file holds something else.
    """

    def __init__(self, path: Path, device: str, until: float):
        self.path, self.device, self.until = path, device, until
        try:
            self.done = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
            check_runs(self.done)
        except (ValueError, TypeError, KeyError, OSError) as error:
            raise ValueError(f"{path} must hold the runs of this trial: {error!r}") from None

    def as_it_is(self) -> Kept:
        """Return the runs that are done, for which there is no time to do another."""
        return Kept(self.path, self.device, -math.inf)

    def pace(self) -> float:
        """Return the seconds that a pass over the images takes here; 0 if nobody knows.

        Other devices take others. A run that does not say its device counts where no other does.
        """
        here = machine(self.device)["device"]
        for name in (here, None):
            runs = [run for run in self.done if run.get("device") == name][-5:]
            if runs:
                return max(run["seconds"] / Settings(**run["settings"]).cost for run in runs)
        return 0.0

    def __call__(self, settings: Settings) -> dict[str, Any]:
        """Return what a run gave.

        Raises:
            OutOfTime: if it is not done, and there is no time for it.
        """
        for run in self.done:
            if run["settings"] == settings._asdict():
                return run
        expected = settings.cost * self.pace()
        left = self.until - time.monotonic()
        if left <= expected:
            raise OutOfTime(f"needs {clock(expected)}" if expected else "no time is left")
        what = f"{settings.method} ρ={settings.rho:g} seed {settings.seed} noise {settings.noise:g}"
        result = train(settings, self.device, lambda epoch: self.show(what, epoch, settings))
        self.done.append({"settings": settings._asdict(), **result, **machine(self.device)})
        write_json(self.path, jsonable(self.done))
        return self.done[-1]

    def show(self, what: str, epoch: int, settings: Settings) -> None:
        """Show how far a run is."""
        left = clock(max(0.0, self.until - time.monotonic()))
        end = "\n" if epoch == settings.epochs else ""
        print(
            f"\r{what}: epoch {epoch}/{settings.epochs}, {left} left ",
            end=end,
            file=sys.stderr,
            flush=True,
        )


def check_runs(runs: Any) -> None:
    """Refuse what is no list of runs; one that says nothing of its device is an old one.

    Raises:
        ValueError, TypeError, KeyError: if it is none.
    """
    if not isinstance(runs, list):
        raise ValueError("it is no list")
    for run in runs:
        if not Settings(**run["settings"]).cost > 0:
            raise ValueError("a run has no epochs")
        for name in NUMBERS:
            check_number(name, run[name], open_high=True)
        told = run.get("device", ""), run.get("versions", {})
        if not isinstance(told[0], str) or not isinstance(told[1], dict):
            raise ValueError(f"its device and versions are none: {told}")


def machine(device: str) -> dict[str, Any]:
    """Return the name of a device, and the versions of what runs there, as a run keeps them."""
    if device.startswith("cuda"):
        name = torch.cuda.get_device_name(device)
    else:
        name = processor() if device == "cpu" else device
    ours = {"minisam": minisam.__version__, "torch": torch.__version__}
    return {"device": name, "versions": {**versions(), **ours}}


def processor() -> str:
    """Return the name of the processor, or what is known of it."""
    text = PROCESSOR.read_text(encoding="utf-8") if PROCESSOR.exists() else ""
    found = re.search(r"^model name\s*: *(\S.*)$", text, re.MULTILINE)
    return (found[1] if found else "") or platform.processor() or platform.machine() or "cpu"


def machines(runs: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return runs by their device, with the versions in which they differ."""
    told = [run["versions"] for run in runs if "versions" in run]
    names = dict.fromkeys(name for one in told for name in one)
    differ = [name for name in names if len({one.get(name) for one in told}) > 1]
    found: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        have = run.get("versions", {})
        words = [run.get("device", UNKNOWN), *(f"{name} {have[name]}" for name in differ
                                               if name in have)]  # fmt: skip
        found.setdefault(", ".join(words), []).append(run)
    return found


def note(runs: Sequence[dict[str, Any]]) -> list[str]:
    """Return lines that say which runs were done where, if not all were in one place."""
    found = machines(runs)
    if len(found) < 2:
        return []
    lines = ["Not all runs are of one machine:", ""]
    for name, some in found.items():
        cells = dict.fromkeys(f"{run['method']} at {run['problem']}" for run in some)
        lines.append(f"- {name} ({len(some)} of {len(runs)}): {', '.join(cells)}")
    return [*lines, ""]
