"""The benchmarks run: no time is asserted here, only that each section measures what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks import report
from benchmarks.report import SECTIONS, against_the_best, main
from benchmarks.timing import Times, exponent, in_turn

SMALL = ["--seconds", "0.001", "--batch", "4", "--widths", "16"]


@pytest.mark.parametrize("section", ["autograd", "updates", "batches", "profile"])
def test_a_section_measures(section, capsys):
    results = main(["--only", section, *SMALL])
    printed = capsys.readouterr().out
    for line in results[section]:
        assert line["ms"] > 0
        assert line["name"] in printed


def test_each_network_is_held_against_the_best_rival_in_its_own_process(monkeypatch):
    for has in "HAS_TORCH", "CAN_COMPILE", "HAS_JAX":  # compiling takes longer than the rest
        monkeypatch.setattr(report, has, False)
    arguments = ["--only", "best", *SMALL]
    (single, double) = main([*arguments, "--network", "mlp 16"])["best"]
    assert (single["name"], double["name"]) == ("mlp 16, sam, float32", "mlp 16, sam, float64")
    assert single["gradients"] > 0
    asked = []

    def run(command, check, capture_output):
        asked.append(command[command.index("--network") + 1])
        Path(command[command.index("--json") + 1]).write_text(json.dumps({"best": [single]}))

    monkeypatch.setattr(report.subprocess, "run", run)
    assert main(arguments)["best"] == [single, single]
    assert asked == ["mlp 16", "cnn 32-32-pool-64"]


def test_each_number_of_threads_has_its_own_run(tmp_path):
    file = tmp_path / "ratios.json"
    results = main(["--only", "batches", "--threads", "1", "2", "--json", str(file), *SMALL])
    assert list(results) == ["1 threads", "2 threads"]
    assert all(len(run["batches"]) == 1 for run in results.values())
    assert json.loads(file.read_text()) == results


def test_every_section_says_what_it_measures():
    assert all(section.__doc__ for section in SECTIONS.values())


def test_ratios_are_of_neighbours_in_time():
    ticks = iter(range(10**6))
    work = {"ours": lambda: [next(ticks) for _ in range(6)], "half": lambda: [next(ticks)] * 3}
    times = in_turn(work, seconds=0, clock=lambda: next(ticks), pause=0, turn=1e-9)
    assert len(times.rounds["ours"]) == len(times.rounds["half"]) == 3
    assert times.ratio("ours", "half") == times.best_ratio("ours", "half") == 7 / 2


def test_the_best_rival_is_the_one_with_the_smallest_median_and_is_named():
    rounds = {"ours": [6, 6, 6], "gradient": [3, 3, 2], "a": [1, 5, 5], "b": [4, 4, 9]}
    times = Times({name: np.array(values, float) for name, values in rounds.items()})
    line = against_the_best("mlp", times, ["a", "b"])
    assert (line["best"], line["of the best"], line["gradients"]) == ("b", 1.5, 2)


def test_exponent_of_a_power():
    assert abs(exponent([1, 2, 4, 8], [3, 12, 48, 192]) - 2) < 1e-12
