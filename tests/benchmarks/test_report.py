"""The benchmarks run: no time is asserted here, only that each section measures what it says."""

import json

import pytest
from benchmarks.report import SECTIONS, main
from benchmarks.timing import exponent, in_turn

SMALL = ["--seconds", "0.001", "--batch", "4", "--widths", "16"]


@pytest.mark.parametrize("section", ["autograd", "updates", "batches", "profile"])
def test_a_section_measures(section, capsys):
    results = main(["--only", section, *SMALL])
    printed = capsys.readouterr().out
    for line in results[section]:
        assert line["ms"] > 0
        assert line["name"] in printed


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


def test_exponent_of_a_power():
    assert abs(exponent([1, 2, 4, 8], [3, 12, 48, 192]) - 2) < 1e-12
