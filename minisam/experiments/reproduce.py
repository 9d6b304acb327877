"""`minisam reproduce`: each claim as something one can run."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from minisam.experiments.options import (
    EXIT_CODES,
    MOST_SEEDS,
    check_whole_options,
    look_for_data_in,
)
from minisam.files import expanded

HELP = "Run the experiment behind a claim: its results as JSON, as a table, as a picture."
STUDIES = {
    "table1": "minisam.experiments.claims.table1",
    "table2": "minisam.experiments.claims.table2",
    "table3": "minisam.experiments.claims.table3",
    "table4": "minisam.experiments.claims.table4",
    "width": "minisam.experiments.claims.width",
    "inductive_bias": "minisam.experiments.claims.inductive_bias",
    "rho_transfer": "minisam.experiments.claims.rho_transfer",
    "flatness": "minisam.experiments.claims.flatness",
    "landscape": "minisam.experiments.claims.landscape",
    "curvature": "minisam.experiments.claims.curvature",
    "m_sharpness": "minisam.experiments.claims.m_sharpness",
}
SEEDS = 3
DRAWINGS = {  # pictures of the specification: a module with draw(path, smoke)
    "figure1": "minisam.experiments.pictures.figure1",
    "figure2": "minisam.experiments.pictures.figure2",
    "bounce": "minisam.experiments.pictures.bounce",
    "escape": "minisam.experiments.pictures.escape",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.epilog = EXIT_CODES
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join([*STUDIES, *DRAWINGS]) + "; or --all"
    )
    parser.add_argument("--all", action="store_true", help="run every one of them")
    parser.add_argument("--data", choices=("toy", "cifar10", "cifar100"), help="default: toy")
    parser.add_argument("--data-dir", help="where CIFAR is; $MINISAM_DATA by default")
    parser.add_argument("--out", default="runs/reproduce", help="folder of the results")
    parser.add_argument("--seeds", type=int, help=f"number of seeds (default {SEEDS})")
    parser.add_argument("--jobs", type=int, help="local processes (default 1)")
    parser.add_argument("--smoke", action="store_true", help="smallest size: does it run at all?")
    parser.add_argument(
        "--summary", action="store_true", help="run nothing: one table of all results below --out"
    )
    parser.add_argument(
        "--headlines", action="store_true", help="run nothing: one word and one number a claim"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the experiments that were asked for, one after the other."""
    arguments.names = [name.replace("-", "_") for name in arguments.names]
    check_options_fit(arguments)
    if arguments.summary or arguments.headlines:
        print((summary if arguments.summary else headlines)(expanded(arguments.out)))
        return 0
    known = [*STUDIES, *DRAWINGS]
    names = known if arguments.all else arguments.names
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        wrong = f"unknown experiment {unknown[0]!r}" if unknown else "no experiment named"
        raise ValueError(f"{wrong}; there are {', '.join(known)}, or --all")
    check_whole_options(arguments, ["seeds"], high=MOST_SEEDS)
    check_whole_options(arguments, ["jobs"])
    data, seeds, jobs = arguments.data or "toy", arguments.seeds or SEEDS, arguments.jobs or 1
    look_for_data_in(arguments.data_dir, data)
    for name in names:
        out = expanded(arguments.out) / name
        if name in DRAWINGS:
            out.mkdir(parents=True, exist_ok=True)
            importlib.import_module(DRAWINGS[name]).draw(out / f"{name}.png", arguments.smoke)
            print(f"picture: {out / name}.png\n")
        else:
            reproduce(name, out, data, seeds, jobs, arguments.smoke)
    return 0


def check_options_fit(arguments: argparse.Namespace) -> None:
    """Raise ValueError naming options of which one would make the other do nothing."""
    given = [
        f"--{name.replace('_', '-')}" for name in ("data", "data_dir", "seeds", "jobs")
        if getattr(arguments, name) is not None
    ]  # fmt: skip
    small = ["--smoke"] if arguments.smoke else []
    named = ["--all", *arguments.names] if arguments.all else arguments.names
    reading = [f"--{name}" for name in ("summary", "headlines") if getattr(arguments, name)]
    beside = [*reading[1:], *named, *given, *small]
    if reading and beside:
        raise ValueError(f"{reading[0]} runs nothing, and goes without {', '.join(beside)}")
    if arguments.all and arguments.names:
        raise ValueError(f"--all runs every one of them, and goes without {', '.join(named[1:])}")
    if arguments.smoke and "--seeds" in given:
        raise ValueError("--smoke runs two seeds, and goes without --seeds")
    if given and named and all(name in DRAWINGS for name in named):
        raise ValueError(
            f"{', '.join(named)}: drawn without training, and without {', '.join(given)}"
        )


def reproduce(
    name: str, out: Path, data: str = "toy", seeds: int = SEEDS, jobs: int = 1, smoke: bool = False,
    executor: Any = None, progress: Any = "stderr",
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

    Returns:
        What was written to ``NAME.json``.
    """
    from minisam.experiments.study import Scale
    from minisam.experiments.sweep import sweep
    from minisam.files import plain, write_json

    progress = sys.stderr if progress == "stderr" else progress  # as it is at the call
    study = importlib.import_module(STUDIES[name])
    scale = Scale(data, tuple(range(2 if smoke else seeds)), smoke)
    spent = {"cells": 0, "seconds": 0.0, "cpu_seconds": 0.0}
    diverged: list[str] = []

    def cells(grid: Sequence[dict], function: Callable | None = None) -> list[Any]:
        from minisam.experiments.trial import trial

        if progress is not None:
            print(f"{name}: {len(grid)} runs", file=progress)
        records = sweep(function or trial, list(grid), out, executor, jobs, cost, progress)
        spent["cells"] += len(records)
        for unit in ("seconds", "cpu_seconds"):
            spent[unit] += sum(record[unit] or 0.0 for record in records)
        versions.update(records[0]["versions"] if records else {})
        found = [record["result"] for record in records]
        diverged.extend(r["diverged"] for r in found if isinstance(r, dict) and "diverged" in r)
        return found

    versions: dict[str, str] = {}
    results = plain(study.run(cells, scale))
    record = {
        "name": name,
        "claim": study.CLAIM,
        "published": study.PUBLISHED,
        "verdict": "none: a smoke test" if smoke else study.verdict(results),
        "command": command_line(name, data, seeds, jobs, smoke),
        "data": data,
        "seeds": list(scale.seeds),
        "smoke": smoke,
        "run_seconds": round(spent["seconds"], 1),
        "cpu_seconds": round(spent["cpu_seconds"], 1),
        "runs": spent["cells"],
        **({"diverged": diverged} if diverged else {}),
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "versions": versions,
        "results": results,
    }
    write_json(out / f"{name}.json", record)
    render(out / f"{name}.json")
    return record


def render(path: Path) -> None:
    """Make the table and the picture again from an experiment's JSON."""
    from minisam.files import write_atomically
    from minisam.plots import picture

    record = json.loads(path.read_text(encoding="utf-8"))
    study = importlib.import_module(STUDIES[record["name"]])
    text = report(record, study.table(record["results"]))
    print(text)
    write_atomically(path.with_suffix(".md"), lambda file: file.write(text.encode()))
    with picture(path.with_suffix(".png"), *getattr(study, "SIZE", (10.0, 5.6))) as figure:
        study.draw(record["results"], figure)
    print(f"picture: {path.with_suffix('.png')}\n")


def report(record: dict[str, Any], rows: Sequence[Sequence[str]]) -> str:
    """Write an experiment's outcome as Markdown that also reads well in a terminal."""
    from minisam.experiments.search import at_the_edge
    from minisam.progress import clock

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
        f"{record['runs']} runs, together {clock(record['cpu_seconds'])} of one core's time, on a "
        f"machine with {record['machine']['cpus']} cores.",
        "",
    ]
    if diverged := record.get("diverged", []):
        lines += [f"{len(diverged)} of them diverged and count as a guess: {diverged[0]}.", ""]
    edge = at_the_edge(record["results"].get("search", []))
    if edge:
        lines += [f"Best at the edge of what was searched: {'; '.join(edge)}.", ""]
    return "\n".join(lines)


def kept(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Return every result below a folder, with the file that it is in.

    Raises:
        ValueError: if a file is no JSON, or there is none.
    """

    def stored(path: Path) -> Any:
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON: {error}") from None

    needed = {"name", "claim", "published", "verdict", "data", "seeds"}
    found = sorted(path for path in folder.rglob("*.json") if path.stem in STUDIES)
    records = [(path, stored(path)) for path in found]
    records = [(path, r) for path, r in records if isinstance(r, dict) and needed <= r.keys()]
    if not records:
        raise ValueError(f"no results below {folder}: run `minisam reproduce NAME --out …` first")
    return records


def headlines(folder: Path) -> str:
    """Return each claim with one word and one number a data set, as Markdown."""
    columns = {"cifar10": "CIFAR-10", "toy": "toy images"}
    records = {(r["name"], r["data"]): r for _, r in kept(folder)}
    lines = [f"| claim | {' | '.join(columns.values())} |", "|---|---|---|"]
    for name, home in STUDIES.items():
        found = {data: records[name, data] for data in columns if (name, data) in records}
        told = {d: importlib.import_module(home).headline(r["results"]) for d, r in found.items()}
        if told:
            claim = next(iter(found.values()))["claim"]
            cells = [f"**{told[d].word}** {told[d].number}" if d in told else "" for d in columns]
            lines.append(f"| {claim} | {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(folder: Path) -> str:
    """Return claim, published figure and our verdicts of every result in a folder, as Markdown."""
    from minisam.experiments.study import VERDICTS

    records = kept(folder)
    lines = ["| | claim | published | here |", "|---|---|---|---|"]
    for name in STUDIES:
        results = []
        for path, r in records:
            if r["name"] == name:
                verdict = r["verdict"].replace(f" (n={len(r['seeds'])})", "")
                verdict = re.sub(rf"\b({'|'.join(VERDICTS)})\b", r"**\1**", verdict)
                link = f"[{r['data']}]({path.with_suffix('.md').as_posix()})"
                results.append(f"{link}, {len(r['seeds'])} seeds: {verdict}")
                claim, published = r["claim"], r["published"]
        if results:
            lines.append(f"| `{name}` | {claim} | {published} | {'<br>'.join(results)} |")
    return "\n".join(lines)


def command_line(name: str, data: str, seeds: int, jobs: int, smoke: bool) -> str:
    """Return the command that makes this result.

    Example:
        >>> command_line("width", "cifar10", seeds=3, jobs=2, smoke=False)
        'minisam reproduce width --data cifar10 --seeds 3 --jobs 2'
    """
    size = "--smoke" if smoke else f"--seeds {seeds}"
    return f"minisam reproduce {name} --data {data} {size} --jobs {jobs}"


def cost(settings: dict[str, Any]) -> float:
    """Guess the relative cost of a trial, for the estimate of the time left."""
    gradients = 1.0 if settings.get("optimizer", "sgd") == "sgd" else 2.0
    hidden = settings.get("model_options", {}).get("hidden", [64])
    size = 3072 * hidden[0] + sum(hidden) ** 2 / 4 + 1e5
    repeats = 2.0 if settings.get("bootstrap") else 1.0
    return gradients * repeats * size * settings.get("epochs", 1) * settings.get("train_size", 1000)
