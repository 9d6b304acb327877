"""Gather all the results that are kept in a folder into one table."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from minisam.experiments.reproduce import STUDIES
from minisam.experiments.statistics import Interval, holm, p_value
from minisam.experiments.study import Headline

PLACES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "toy": "toy images"}
UNJUDGED = ("under-fitted", "not run")


class Row(NamedTuple):
    """A kept result and its headline.

    Attributes:
        path: of its JSON.
        record: what the JSON holds.
        headline: what was declared before as the one number that is judged; None of a smoke test.
        stands: whether it differs from 0 when all rows of the table are asked at once (Holm).
    """

    path: Path
    record: dict[str, Any]
    headline: Headline | None
    stands: bool

    @property
    def word(self) -> str:
        """The verdict's word, with a star where it stands among all rows."""
        if self.headline is None:
            return self.record["verdict"]
        star = "*" if self.stands and self.headline.word in ("shows", "opposite") else ""
        return f"{self.headline.word}{star}"

    @property
    def place(self) -> str:
        """On which data it was found, and on what if not on the cores of a small machine."""
        device = self.record.get("device")
        return PLACES[self.record["data"]] + (f", {device}" if device else "")

    @property
    def told(self) -> str:
        """The word and the number."""
        number = self.headline.number if self.headline else ""
        device = f" ({self.record['device']})" if self.record.get("device") else ""
        return f"**{self.word}** {number}{device}"


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


def headline_of(record: Mapping[str, Any]) -> Headline | None:
    """Return the headline of a kept result; None of a smoke test."""
    if record.get("smoke") or "results" not in record:
        return None
    if "headline" in record:  # of what a device trained: there is no study of it here
        told = dict(record["headline"])
        intervals = {key: Interval(**told[key]) for key in ("difference", "share") if told[key]}
        return Headline(**{**told, **intervals})
    return importlib.import_module(STUDIES[record["name"]]).headline(record["results"])


def rows(folder: Path) -> list[Row]:
    """Return all results below a folder with their headlines, in the order of the claims."""
    order = list(STUDIES)
    records = sorted(kept(folder), key=lambda pair: (order.index(pair[1]["name"]), pair[0]))
    told = [headline_of(record) for _, record in records]
    chances = [p_value(h.difference) if h and h.difference else math.nan for h in told]
    return [
        Row(path, record, headline, stands)
        for (path, record), headline, stands in zip(records, told, holm(chances), strict=True)
    ]


def headlines(folder: Path) -> str:
    """Return each claim's words and numbers as Markdown, a column for each data set.

    A result that judges nothing (under-fitted, not run) is told where the claim has no other.
    """
    found = [row for row in rows(folder) if row.headline]
    places = {
        key: name for key, name in PLACES.items() if any(r.record["data"] == key for r in found)
    }
    lines = [f"| {' | '.join(['claim', *places.values()])} |", "|---" * (1 + len(places)) + "|"]
    for name in STUDIES:
        ours = [row for row in found if row.record["name"] == name]
        judged = [row for row in ours if row.word not in UNJUDGED] or ours[:1]
        if judged:
            cells = ["; ".join(r.told for r in judged if r.record["data"] == key) for key in places]
            lines.append(f"| {' | '.join([ours[0].record['claim'], *cells])} |")
    return "\n".join(lines)


def summary(folder: Path) -> str:
    """Return the headline of every result in a folder, with what it was judged by, as Markdown."""
    lines = [
        "| claim | data | headline | seeds | ρ | SGD learned | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows(folder):
        record, headline = row.record, row.headline
        link = f"[{record['name']}]({row.path.with_suffix('.md').as_posix()})"
        number, rho, train = ("", "", "") if headline is None else (
            "; ".join(filter(None, (headline.number, headline.beside))), headline.rho,
            "" if headline.train is None else f"{headline.train:.0f} %",
        )  # fmt: skip
        cells = [f"{link}: {record['claim']}", row.place, number, str(len(record["seeds"]))]
        lines.append(f"| {' | '.join([*cells, rho, train, f'**{row.word}**'])} |")
    return "\n".join(lines)
