"""Run the experiment behind a claim, and draw the pictures of the specification."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minisam.experiments.edges import at_the_edge
from minisam.experiments.scale import Scale
from minisam.experiments.search import TUNING_SEEDS
from minisam.experiments.trial import trial
from minisam.files import jsonable, write_json, write_text
from minisam.plots import picture
from minisam.progress import clock
from minisam.sweeps.sweep import sweep
from minisam.sweeps.workers import versions

STUDIES = {name: f"minisam.experiments.claims.{name}" for name in (
    "table1", "table2", "table3", "table4", "width", "inductive_bias", "rho_transfer", "flatness",
    "landscape", "curvature", "m_sharpness",
)}  # fmt: skip
SEEDS = 3
# Pictures of the specification: a module with SIZE, compute(smoke), paint(…).
DRAWINGS = {n: f"minisam.pictures.{n}" for n in ("figure1", "figure2", "bounce", "escape")}


def reproduce(
    name: str, out: Path, data: str = "toy", seeds: int = SEEDS, jobs: int = 1, smoke: bool = False,
    executor: Any = None, progress: Any = "stderr", first_seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Run one experiment; write ``NAME.json``, ``NAME.md`` and ``NAME.png`` to a folder.

    Args:
        name: of the experiment.
        out: folder; finished runs in it are not run again.
        data: ``"toy"``, ``"cifar10"`` or ``"cifar100"``.
        seeds: number of seeds.
        jobs: local processes.
        smoke: at the smallest size.
        executor: any `concurrent.futures.Executor`, instead of local processes.
        progress: a stream to show progress on, None for silence; by default standard error.
        first_seed: of the reported seeds, which follow each other.

    Returns:
        What was written to ``NAME.json``.

    Raises:
        ValueError: if a reported seed is one of those that the search uses.
    """
    progress = sys.stderr if progress == "stderr" else progress  # as it is at the call
    study = importlib.import_module(STUDIES[name])
    reported = range(first_seed, first_seed + (2 if smoke else seeds))
    if used := [seed for seed in TUNING_SEEDS if seed in reported]:
        raise ValueError(f"first_seed must leave seed {used[0]} to the search, got {first_seed}")
    scale = Scale(data, tuple(reported), smoke)
    known: dict[str, dict[str, Any]] = {}  # a run that is asked for twice is run and counted once

    def cells(grid: Sequence[dict], function: Callable = trial) -> list[Any]:
        if progress is not None:
            print(f"{name}: {len(grid)} runs", file=progress)
        found = sweep(function, list(grid), out, executor, jobs, cost, progress)
        for record in found:
            known[json.dumps([record["function"], record["settings"]], sort_keys=True)] = record
        return [record["result"] for record in found]

    results = jsonable(study.run(cells, scale))
    records = list(known.values())
    diverged = [
        result["diverged"] for result in (record["result"] for record in records)
        if isinstance(result, dict) and "diverged" in result
    ]  # fmt: skip
    record = {
        "name": name,
        "claim": study.CLAIM,
        "published": study.PUBLISHED,
        "verdict": "none: a smoke test" if smoke else study.verdict(results),
        "command": command_line(name, data, seeds, jobs, smoke, first_seed),
        "data": data,
        "seeds": list(scale.seeds),
        "smoke": smoke,
        "run_seconds": round(sum(record["seconds"] or 0 for record in records), 1),
        "cpu_seconds": round(sum(record["cpu_seconds"] or 0 for record in records), 1),
        "runs": len(records),
        **({"diverged": diverged} if diverged else {}),
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "cores": sorted({record["machine"]["cpus"] for record in records}),
        "versions": records[-1]["versions"] if records else {},
        "results": results,
    }
    write_json(out / f"{name}.json", record)
    render(out / f"{name}.json")
    return record


def render(path: Path) -> None:
    """Make the table and the picture again from an experiment's JSON."""
    record = json.loads(path.read_text(encoding="utf-8"))
    study = importlib.import_module(STUDIES[record["name"]])
    text = report(record, study.table(record["results"]))
    print(text)
    write_text(path.with_suffix(".md"), text)
    with picture(path.with_suffix(".png"), *getattr(study, "SIZE", (10.0, 5.6))) as figure:
        study.draw(record["results"], figure)
    print(f"picture: {path.with_suffix('.png')}\n")


def draw_specification(name: str, out: Path, smoke: bool = False) -> dict[str, Any]:
    """Compute what a picture shows, write ``NAME.json``, read that and draw it as ``NAME.png``.

    Args:
        name: of the picture.
        out: folder; made if it is not there.
        smoke: at the smallest size.

    Returns:
        What was written to ``NAME.json``.
    """
    drawing = importlib.import_module(DRAWINGS[name])
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.json"
    computed = jsonable(drawing.compute(smoke))
    write_json(path, {"name": name, "smoke": smoke, "versions": versions(), **computed})
    record = json.loads(path.read_text(encoding="utf-8"))
    with picture(path.with_suffix(".png"), *drawing.SIZE) as figure:
        drawing.paint(figure, record)
    print(f"picture: {path.with_suffix('.png')}\n")
    return record


def report(record: dict[str, Any], rows: Sequence[Sequence[str]]) -> str:
    """Write an experiment's outcome as Markdown that also reads well in a terminal."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    heading, *body = (
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    lines = [
        f"## {record['name']}",
        "",
        f"Claim: {record['claim']}",
        f"Published: {record['published']}",
        f"Here ({record['data']} data, {len(record['seeds'])} seeds): {record['verdict']}.",
        "",
        heading,
        rule,
        *body,
        "",
        f"± is the half-width of a 95 % Student interval over n seeds. `{record['command']}`: "
        f"{record['runs']} runs, together {clock(record['cpu_seconds'])} of one core's time, on "
        f"{machines_told(record)}.",
        "",
    ]
    if diverged := record.get("diverged", []):
        lines += [f"{len(diverged)} of them diverged and count as a guess: {diverged[0]}.", ""]
    edge = at_the_edge(record["results"].get("search", []))
    if edge:
        lines += [f"Best at the edge of what was searched: {'; '.join(edge)}.", ""]
    return "\n".join(lines)


def machines_told(record: Mapping[str, Any]) -> str:
    """Say how many cores the machine that ran a claim had, or how many a run could use on each.

    Example:
        >>> machines_told({"machine": {"cpus": 2}}), machines_told({"cores": [16]})
        ('a machine with 2 cores', 'a machine with 16 cores')
        >>> machines_told({"cores": [1, 16]})
        'machines with 1 and 16 usable cores'
    """
    cores = record.get("cores") or [record["machine"]["cpus"]]
    if len(cores) == 1:
        return f"a machine with {cores[0]} core{'s' * (cores[0] != 1)}"
    return f"machines with {', '.join(map(str, cores[:-1]))} and {cores[-1]} usable cores"


def command_line(
    name: str, data: str, seeds: int, jobs: int, smoke: bool, first_seed: int = 0
) -> str:
    """Return the command that makes this result.

    Example:
        >>> command_line("width", "cifar10", seeds=3, jobs=2, smoke=False)
        'minisam reproduce width --data cifar10 --seeds 3 --jobs 2'
    """
    size = "--smoke" if smoke else f"--seeds {seeds}"
    size += f" --first-seed {first_seed}" if first_seed else ""
    return f"minisam reproduce {name} --data {data} {size} --jobs {jobs}"


def cost(settings: dict[str, Any]) -> float:
    """Guess the relative cost of a trial, for the estimate of the time left."""
    gradients = 1.0 if settings.get("optimizer", "sgd") == "sgd" else 2.0
    hidden = settings.get("model_options", {}).get("hidden", [64])
    size = 3072 * hidden[0] + sum(hidden) ** 2 / 4 + 1e5
    repeats = 2.0 if settings.get("bootstrap") else 1.0
    return gradients * repeats * size * settings.get("epochs", 1) * settings.get("train_size", 1000)
