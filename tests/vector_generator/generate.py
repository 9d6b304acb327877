"""Write the exact vectors: ``cd tests && python -m vector_generator.generate [DIRECTORY]``.

Deterministic: a test runs it and compares every byte with what is stored.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

from vector_generator import derivation
from vector_generator.cases import BIG, NOTES, build
from vector_generator.kills import kills

from minisam.vectors import DIRECTORY

VERSION = "1.1.0"  # semantic: new vectors raise the second number, a changed one the first
EPSILON_PROOF = 2 * BIG  # above this norm a 1e-12 is less than half a unit in the last place


def number(x: Fraction | None) -> float | int | None:
    """Return a JSON number that reads back as exactly x."""
    if x is None:
        return None
    x = Fraction(x)
    if x.denominator == 1 and abs(x) < 2**53:
        return x.numerator
    value = float(x)
    if Fraction(value) != x:
        raise ValueError(f"{x} is no float64")
    return value


def numbers(tensors: Sequence[Sequence[Any]]) -> list[list[Any] | None]:
    """Return a point or gradient as JSON: one flat list per tensor, null for a missing one."""
    return [None if None in one else [number(x) for x in one] for one in tensors]


def expected(spec: dict[str, Any]) -> dict[str, Any]:
    """Derive one vector: points, ends, flags, needs and formats."""
    shapes, frozen = spec["tensors"], set(spec["frozen"])
    sizes = [[0] * prod(shape) for shape in shapes.values()]
    active = [name not in frozen for name in shapes]
    h = dict(spec["hyperparameters"], names=[n for n in shapes if n not in frozen])

    def awake(tensors: list) -> list:
        return [one for one, keep in zip(tensors, active, strict=True) if keep]

    def fractions(values: list) -> list[list[Fraction]]:
        tensors = derivation.split((None if x is None else Fraction(x) for x in values), sizes)
        return [[x if x is not None else Fraction(0) for x in one] for one in awake(tensors)]

    def whole(tensors: list) -> list:
        """Put the frozen tensors back in their places."""
        moving = iter(tensors)
        return numbers([next(moving) if keep else A[k] for k, keep in enumerate(active)])

    A = derivation.split(map(Fraction, spec["start"]), sizes)
    ledger, state, w = derivation.Ledger(), derivation.State(), awake(A)
    ledger.enter(derivation.flat(A))
    used, steps = awake(list(shapes.values())), []
    for script in spec["steps"]:
        now = {**h, "lr": script.get("lr", h["lr"]), "rho": script.get("rho", h["rho"])}
        told: dict[str, Any] = {"lr": number(now["lr"]), "rho": number(now["rho"])}
        exact = dict(script)
        if "shards" in script:
            exact["shards"] = [[fractions(g) for g in shard] for shard in script["shards"]]
            told["shards"] = [
                [numbers(derivation.split(map(Fraction, g), sizes)) for g in shard]
                for shard in script["shards"]
            ]
        else:
            exact["gradients"] = [fractions(g) for g in script["gradients"]]
            told["gradients"] = [numbers(derivation.split(g, sizes)) for g in script["gradients"]]
        if "hessian" in script:
            told["hessian"] = script["hessian"]
        points, w, state = derivation.step(ledger, w, state, exact, used, now)
        check_honest(spec["slug"], points, exact)
        told["points"], told["end"] = [whole(point) for point in points], whole(w)
        steps.append(told)

    flags, needs = set(spec["flags"]), requirements(spec)
    formats = ledger.formats("coefficient")
    if not formats:
        raise ValueError(f"{spec['slug']} is exact in no format")
    if any(not set(formats) <= set(ledger.formats(order)) for order in ledger.either):
        flags.add("OneOrder")
    if any(0 < n < EPSILON_PROOF for n in ledger.norms):
        flags.add("NormEpsilon")
    del h["names"]
    plain = {k: number(v) if isinstance(v, Fraction) else v for k, v in h.items() if k != "extreme"}
    bug, effect, link = NOTES[spec["note"]]
    notes = {"bug": bug, "effect": effect} | ({"link": link} if link else {})
    return {
        "slug": spec["slug"],
        "comment": spec["comment"],
        "notes": notes,
        "flags": sorted(flags),
        "since": spec["since"],
        "requires": needs,
        "dtypes": formats,
        "kills": [],
        "hyperparameters": plain,
        "names": list(shapes),
        "shapes": [list(shape) for shape in shapes.values()],
        "frozen": spec["frozen"],
        "start": numbers(A),
        "steps": steps,
    }


def check_honest(slug: str, points: list, script: dict[str, Any]) -> None:
    """Raise where one point is given two gradients: no loss has them."""
    gradients = script.get("gradients") or [g for shard in script["shards"] for g in shard]
    shards = [k // 2 for k in range(len(points))] if "shards" in script else [0] * len(points)
    if len(gradients) != len(points):
        raise ValueError(f"{slug}: {len(gradients)} gradients for {len(points)} points")
    answers: dict[str, list] = {}
    for shard, point, gradient in zip(shards, points, gradients, strict=True):
        if answers.setdefault(repr((shard, point)), gradient) != gradient:
            raise ValueError(f"{slug}: two gradients at one point")


def requirements(spec: dict[str, Any]) -> list[str]:
    """Return what an implementation must have for the vector to apply to it."""
    h = spec["hyperparameters"]
    needs = [f"method:{h['method']}"]
    if h["momentum"]:
        needs.append("nesterov" if h["nesterov"] else "momentum")
    if h["weight_decay"]:
        needs.append(f"decay:{h['decay']}")
    if h["p"] != 2:
        needs.append(f"p:{h['p']}")
    if h["method"] == "asam":
        needs.append(f"scope:{h['scope']}")
    if "granularity" in h:
        needs.append(f"granularity:{h['granularity']}")
    if any("lr" in step or "rho" in step for step in spec["steps"]):
        needs.append("schedule")
    named = {"Frozen": "frozen", "MissingGradient": "missing-gradient", "Shards": "shards"}
    named["HessianProduct"] = "hessian-product"
    needs += [need for flag, need in named.items() if flag in spec["flags"]]
    return needs


def dump(value: Any, indent: str = "") -> str:
    """Return canonical JSON in which lists of plain values, and lists of those, take one line.

    Example:
        >>> print(dump({"start": [[1, 2], [3]], "steps": [{"lr": 0.5}]}))
        {
         "start": [[1, 2], [3]],
         "steps": [
          {
           "lr": 0.5
          }
         ]
        }
    """

    def holds_objects(one: Any) -> bool:
        if isinstance(one, list):
            return any(map(holds_objects, one))
        return isinstance(one, dict)

    if not holds_objects(value):
        return json.dumps(value)
    inner = indent + " "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {dump(one, inner)}" for key, one in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + indent + "}"
    return "[\n" + ",\n".join(inner + dump(one, inner) for one in value) + "\n" + indent + "]"


def generate(kills: dict[str, list[str]] | None = None) -> dict[str, str]:
    """Return the text of every generated file, by name.

    Args:
        kills: names of the mutants that each vector rejects, by slug.
    """
    files: dict[str, str] = {}
    entries: list[dict[str, Any]] = []
    slugs: dict[str, str] = {}
    for name, cases in build().items():
        vectors = [expected(case) for case in cases]
        for vector in vectors:
            vector["kills"] = (kills or {}).get(vector["slug"], [])
            if slugs.setdefault(vector["slug"], digest(vector)) != digest(vector):
                raise ValueError(f"the slug {vector['slug']} is used twice")
        document = {"schema": "schema.json", "version": VERSION, "algorithm": name}
        files[f"{name}.json"] = dump({**document, "vectors": vectors}) + "\n"
        sha = hashlib.sha256(files[f"{name}.json"].encode()).hexdigest()
        entries.append({"file": f"{name}.json", "count": len(vectors), "sha256": sha})
    manifest = {
        "name": "minisam exact vectors",
        "version": VERSION,
        "schema": "schema.json",
        "schema_sha256": hashlib.sha256((DIRECTORY / "schema.json").read_bytes()).hexdigest(),
        "count": sum(entry["count"] for entry in entries),
        "files": entries,
        "slugs": slugs,
    }
    files["manifest.json"] = dump(manifest) + "\n"
    return files


def digest(vector: dict[str, Any]) -> str:
    """Return a hash of a vector's numbers, which a slug stands for and which never change."""
    meaning = {k: vector[k] for k in ("hyperparameters", "names", "shapes", "start", "steps")}
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:16]


def main(arguments: list[str]) -> int:
    """Write the files into the directory that is given, or into the package."""
    directory = Path(arguments[0]) if arguments else DIRECTORY
    texts = generate()
    files = (json.loads(text) for name, text in texts.items() if name != "manifest.json")
    vectors = [vector for file in files for vector in file["vectors"]]
    for name, text in generate({vector["slug"]: kills(vector) for vector in vectors}).items():
        (directory / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
