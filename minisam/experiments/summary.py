"""Gather all the results that are kept in a folder into one table."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

from minisam.experiments.reproduce import STUDIES
from minisam.experiments.study import VERDICTS


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
