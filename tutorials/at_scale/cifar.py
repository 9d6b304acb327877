"""The claims on all of CIFAR-10, on one GPU: check a SAM, then use it.

    python cifar.py table4 table1 --minutes 10     # again and again, until nothing is left out

Each claim is a list of problems. For each of them SGD's learning rate and weight decay are chosen
first, on clean labels: with wrong ones the best SGD would be one that hardly trains. Then come the
radii of SAM and ASAM on top of them, by held-out labels that are as noisy as those to learn, on a
seed that is not reported; then the reported seeds. Every run is kept when it ends; what does not
fit into the minutes is left out, and said, and the next call goes on there.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from judge import judge
from kept import Kept, OutOfTime, machine, machines, note
from training import Settings

from minisam.checks import check_number, check_whole
from minisam.experiments.claims import table1, table4, width
from minisam.experiments.runs import by_seed, gain, labelled, mean, removed
from minisam.experiments.statistics import mean_interval
from minisam.experiments.study import Headline
from minisam.files import check_writable, expanded, given_path, jsonable, write_json, write_text
from minisam.plots import dots_by_method, picture

KEPT = Path(__file__).resolve().parent.parent / "results" / "at_scale"
SEARCH_SEED = 1000  # chooses the settings, and is never reported
GRID = [(lr, decay) for lr in (0.1, 0.2, 0.4) for decay in (5e-4, 2e-3)]
RADII = {"sam": (0.025, 0.05, 0.1, 0.2, 0.4, 0.8), "asam": (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)}
FIRST = 2  # the radius to begin with: 0.1 and 1
TITLES = {"sgd": "SGD", "twice": "SGD, twice the epochs", "sam": "SAM", "asam": "ASAM"}
Run = Callable[[Settings], dict[str, Any]]


class Claim(NamedTuple):
    """A claim, what was published, and where it is tried: ``{label: settings}``."""

    claim: str
    published: str
    problems: dict[str, Settings]
    judged: str
    seeds: int = 3


CLAIMS = {
    "table4": Claim(
        table4.CLAIM,
        "ResNet-32 at 40/60/80 % noise: SGD 68.8 48.2 26.2, SAM 93.4 90.5 77.9 %.",
        {f"{rate:.0%} noise": Settings(noise=rate) for rate in (0.4, 0.6, 0.8)},
        judged="40% noise",
    ),
    "table1": Claim(
        table1.CLAIM,
        "WideResNet-28-10 on CIFAR-10: SGD 96.5, SAM 97.3 %.",
        {
            "10,000 images": Settings(train_size=10_000, epochs=100),
            "45,000 images": Settings(),
        },
        judged="10,000 images",
        seeds=5,
    ),
    "width": Claim(
        width.CLAIM,
        "Figure 3 of Chen et al. 2021, and the review: over-parameterized networks gain more.",
        {f"width {w}": Settings(noise=0.4, width=w) for w in (8, 16, 32, 64)},
        judged="width 64",
    ),
}


def chosen(run: Run, base: Settings, method: str) -> Settings:
    """Choose learning rate and weight decay for SGD, and SAM's or ASAM's radius on top of them."""
    base = base._replace(seed=SEARCH_SEED)
    smoke = base.data == "toy"  # which tries one of each

    def score(settings: Settings) -> float:
        return run(settings)["validation"]

    grid = GRID[:1] if smoke else GRID
    clean = [base._replace(lr=lr, weight_decay=decay, noise=0.0) for lr, decay in grid]
    found = max(clean, key=score)._replace(noise=base.noise)
    if method == "twice":
        return found._replace(epochs=2 * base.epochs)
    if method == "sgd":
        return found
    radii = [found._replace(method=method, rho=rho) for rho in RADII[method]]
    return radii[FIRST] if smoke else uphill(radii, score, FIRST)


def uphill(options: list[Settings], score: Callable[[Settings], float], at: int) -> Settings:
    """Return the option that is better than both beside it, from one on to where it gets better."""
    while True:
        beside = (k for k in (at + 1, at - 1) if 0 <= k < len(options))
        better = next((k for k in beside if score(options[k]) > score(options[at])), None)
        if better is None:
            return options[at]
        at = better


def study(run: Run, problems: dict[str, Settings], methods: list[str], seeds: int) -> dict:
    """Run a claim as far as the time allows: SGD and SAM for every problem, then the others."""
    runs: list[dict[str, Any]] = []
    first = [method for method in ("sgd", "sam") if method in methods]
    left_out = []
    for some in (first, *([method] for method in methods if method not in first)):
        for problem, base in problems.items():
            labels = {"problem": problem, "width": base.width, "noise": base.noise}
            try:
                settings = {method: chosen(run, base, method) for method in some}
                for seed in range(seeds):  # a seed counts when all the methods have it
                    done = {m: run(one._replace(seed=seed)) for m, one in settings.items()}
                    for method, one in done.items():
                        found = {"method": TITLES[method], **labels, "seed": seed, **one}
                        runs.append({**found, "rho": one["settings"]["rho"]})
            except OutOfTime as stop:
                left_out.append(f"{problem}, {' and '.join(TITLES[m] for m in some)}: {stop}")
    return {"runs": runs, "left_out": left_out}


def table(runs: list[dict[str, Any]]) -> list[str]:
    """Return the rows of a Markdown table: accuracies, and what SAM and ASAM gain."""
    problems = list(dict.fromkeys(run["problem"] for run in runs))
    rows = ["| test accuracy (%), last epoch | " + " | ".join(problems) + " |"]
    rows.append("|---" * (len(problems) + 1) + "|")
    methods = [title for title in TITLES.values() if labelled(runs, method=title)]
    for method in methods:
        cells = []
        for problem in problems:
            there = labelled(runs, method=method, problem=problem)
            rho = {run["settings"]["rho"] for run in there}
            shown = f"{mean_interval([run['last'] for run in there]):.1f}" if there else "–"
            cells.append(shown + (f", ρ = {max(rho):g}" if any(rho) else ""))
        rows.append(f"| {method} | " + " | ".join(cells) + " |")
    for method in ("SAM", "ASAM"):
        cells = [difference(runs, method, problem) for problem in problems]
        rows.append(f"| {method} − SGD, paired | " + " | ".join(cells) + " |")
    return rows


def difference(runs: list[dict[str, Any]], method: str, problem: str) -> str:
    """Return what a method gains over SGD, with its interval; "–" if it was not run."""
    if not labelled(runs, method=method, problem=problem):
        return "–"
    return f"{gain(runs, method, problem=problem):+.1f}".partition(" (n=")[0]


def headline(name: str, runs: list[dict[str, Any]]) -> Headline:
    """Judge SAM's gain over SGD, or over SGD for twice the epochs where that is better.

    Where SGD has not learned its labels, a gain may be one of speed, unless twice the epochs ran.
    """
    if name == "width":
        return headline_of_widths(runs)
    problem = CLAIMS[name].judged
    sam, twice = (by_seed(runs, method=m, problem=problem) for m in ("SAM", TITLES["twice"]))
    if len(sam) < 2:
        return Headline("not run", "")
    sgd, train = (mean(runs, v, method="SGD", problem=problem).value for v in ("last", "train"))
    both = sam.keys() == twice.keys()
    longer = both and mean(runs, method=TITLES["twice"], problem=problem).value > sgd
    over = TITLES["twice"] if longer else "SGD"
    gained = gain(runs, "SAM", over, problem=problem)
    radii = sorted({run["rho"] for run in labelled(runs, method="SAM", problem=problem)})
    others = [one for one in CLAIMS[name].problems if one != problem]
    beside = [
        f"{difference(runs, 'SAM', one)}, {one}"
        for one in others
        if labelled(runs, method="SAM", problem=one)
    ]
    found = Headline.of(
        gained, f"points over {over}, {problem}", train=None if both else train,
        rho=", ".join(f"{rho:g}" for rho in radii),
        share=removed(runs, "SAM", over, problem=problem), beside="; ".join(beside),
    )  # fmt: skip
    return found._replace(train=train)


def headline_of_widths(runs: list[dict[str, Any]]) -> Headline:
    """Judge the slope of SAM's gain by the width, among the widths that have all the seeds."""
    found = {run["width"]: by_seed(runs, method="SAM", width=run["width"]) for run in runs}
    seeds = max((len(one) for one in found.values()), default=0)
    widths = sorted(w for w, one in found.items() if len(one) == seeds)
    if seeds < 2 or len(widths) < 2:
        return Headline("not run", "")
    rates = sorted({run["noise"] for run in runs})
    return width.headline({"runs": runs, "widths": widths, "rates": rates})


def draw(runs: list[dict[str, Any]], path: Path) -> None:
    """Draw a panel of accuracies for each problem."""
    problems = list(dict.fromkeys(run["problem"] for run in runs))
    with picture(path, 5.0 * len(problems), 4.0) as figure:
        panels = figure.subplots(1, len(problems), squeeze=False, sharex=True)[0]
        for panel, problem in zip(panels, problems, strict=True):
            methods = [t for t in TITLES.values() if labelled(runs, method=t, problem=problem)]
            last, best = (
                {method: mean(runs, value, method=method, problem=problem) for method in methods}
                for value in ("last", "best")
            )
            dots_by_method(panel, last, best)
            panel.set(title=problem, xlabel="test accuracy (%), ring: best epoch")


def page(record: dict[str, Any]) -> str:
    """Return what a claim gave as Markdown."""
    name, results = record["name"], record["results"]
    lines = [f"# {name}", "", record["claim"], ""]
    lines += [f"Published: {record['published']}", ""]
    here = " and ".join(machines(results["runs"])) or record["device"]
    lines += [f"Here ({here}): **{record['verdict']}**.", ""]
    if results["runs"]:
        lines += [*table(results["runs"]), "", *note(results["runs"])]
        lines += [f"![Accuracies by method]({name}.png)", ""]
    if results["left_out"]:
        lines += [f"Not run yet; `python cifar.py {name}` goes on:", ""]
        lines += [*(f"- {left}" for left in results["left_out"]), ""]
    return "\n".join([*lines, f"`{record['command']}`", ""])


def main(arguments: list[str] | None = None) -> int:
    """Judge the step, train what there is time for, and write JSON, table and picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("claims", choices=[*CLAIMS, "all"], nargs="*", default="all")
    parser.add_argument("--methods", choices=TITLES, nargs="+", default=list(TITLES))
    parser.add_argument(
        "--problem", help="of the claim, such as '40%% noise'; default: all of them"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to train")
    parser.add_argument("--seeds", type=int, help="default: 5 for table1, else 3")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--out", type=given_path, help="default: results/at_scale beside this folder"
    )
    parser.add_argument("--smoke", action="store_true", help="only see that everything runs")
    given = parser.parse_args(arguments)
    try:
        check_number("--minutes", given.minutes, high=1440)
        check_whole("--seeds", 1 if given.seeds is None else given.seeds, 1)
        names = list(CLAIMS) if "all" in given.claims else given.claims
        problems = [problem for name in names for problem in CLAIMS[name].problems]
        if given.problem not in (None, *problems):
            known = ", ".join(map(repr, problems))
            raise ValueError(f"--problem must be one of {known}, got {given.problem!r}")
        until = time.monotonic() + 60 * given.minutes
        out = expanded(given.out or ("at_scale" if given.smoke else KEPT))
        check_writable(out / "runs.json", "runs.json in --out")
        kept = Kept(out / "runs.json", given.device, until)
        reports = [judge(given.device)]
        if given.device.startswith("cuda"):  # the graph, which is replayed, has to conform, too
            reports.append(judge(given.device, "captured", ["float32"]))
    except ValueError as error:
        parser.error(str(error))
    for report in reports:
        if not report.conforms:
            print(report)
            return report.exit_code
    here = machine(given.device)
    about = {
        "command": shlex.join(["python", "cifar.py", *(arguments or sys.argv[1:])]),
        "data": "toy" if given.smoke else "cifar10",
        "device": here["device"],
        "oracle": {
            "verdict": reports[0].verdict,
            "ran": sum(report.ran for report in reports),
            "versions": reports[0].versions,
        },
        "versions": here["versions"],
        "smoke": given.smoke,
    }
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        claim = smallest(CLAIMS[name]) if given.smoke else CLAIMS[name]
        seeds = given.seeds or claim.seeds
        asked = {k: v for k, v in claim.problems.items() if given.problem in (None, k)}
        study(kept, asked, given.methods, seeds)
        results = study(kept.as_it_is(), claim.problems, list(TITLES), seeds)
        told = headline(name, results["runs"])
        record = {
            "name": name,
            "claim": claim.claim,
            "published": claim.published,
            "verdict": "none: a smoke test" if given.smoke else f"{told.word}: {told.number}",
            "headline": told._asdict(),
            **about,
            "seeds": list(range(seeds)),
            "results": results,
        }
        write_json(out / f"{name}.json", jsonable(record))
        if results["runs"]:
            draw(results["runs"], out / f"{name}.png")
        text = page(record)
        write_text(out / f"{name}.md", text)
        print(text)
    return 0


def smallest(claim: Claim) -> Claim:
    """Return a claim with its first problem alone, at the smallest size."""
    label, settings = next(iter(claim.problems.items()))
    tiny = settings._replace(data="toy", train_size=32, test_size=32, held_out=32)
    return claim._replace(problems={label: tiny._replace(epochs=1, width=2)}, seeds=2)


if __name__ == "__main__":
    raise SystemExit(main())
