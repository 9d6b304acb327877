import functools
import importlib
import json
from pathlib import Path

import pytest

from minisam.experiments.reproduce import (
    DRAWINGS,
    STUDIES,
    command_line,
    cost,
    draw_specification,
    render,
    report,
    reproduce,
)
from minisam.experiments.search import TUNING_SEEDS
from minisam.experiments.study import VERDICTS
from minisam.experiments.trial import fit
from minisam.train import NonFiniteError


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_runs_at_its_smallest(name, tmp_path, capsys):
    record = reproduce(name, tmp_path / name, smoke=True, progress=None)
    stored = json.loads((tmp_path / name / f"{name}.json").read_text())
    assert stored == record
    assert stored["verdict"] == "none: a smoke test"
    assert stored["seeds"] == [0, 1]
    assert stored["versions"]["numpy"]
    assert (tmp_path / name / f"{name}.png").stat().st_size > 10_000
    text = (tmp_path / name / f"{name}.md").read_text()
    assert text in capsys.readouterr().out
    assert STUDIES[name].rsplit(".", 1)[1] == name
    study = importlib.import_module(STUDIES[name])
    assert study.verdict(stored["results"]).startswith(VERDICTS)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / name / "cells").iterdir()}
    reproduce(name, tmp_path / name, smoke=True, progress=None)
    assert files == {
        path: path.stat().st_mtime_ns for path in (tmp_path / name / "cells").iterdir()
    }


def test_table_and_picture_are_made_again_from_the_json(tmp_path):
    reproduce("width", tmp_path, smoke=True, progress=None)
    before = (tmp_path / "width.md").read_text()
    (tmp_path / "width.md").unlink()
    (tmp_path / "width.png").unlink()
    render(tmp_path / "width.json")
    assert (tmp_path / "width.md").read_text() == before
    assert (tmp_path / "width.png").exists()


@pytest.mark.fault("said-of-the-data", "reproduce")
def test_runs_that_diverge_are_counted_in_the_report(tmp_path, monkeypatch, capsys):
    @functools.wraps(fit)
    def diverging(data, training, *options, **named):
        if data.seed == 1 and training.optimizer == "sam":
            raise NonFiniteError("step 3 (epoch 1), at B: the loss is nan")
        return fit(data, training, *options, **named)

    monkeypatch.setattr("minisam.experiments.trial.fit", diverging)
    record = reproduce("width", tmp_path, smoke=True, progress=None)
    guesses = [run for run in record["results"]["runs"] if "diverged" in run]
    assert guesses
    assert {run["last"] for run in guesses} == {10.0}  # of ten classes
    cells = [json.loads(path.read_text()) for path in (tmp_path / "cells").iterdir()]
    gone = [cell for cell in cells if "diverged" in cell["result"]]
    assert len(record["diverged"]) == len(gone) > len(guesses)  # those at other radii, too
    assert record["runs"] == len(cells)  # however often each was asked for
    told = f"{len(gone)} of them diverged and count as a guess: step 3 (epoch 1), at B: the l"
    assert told in (tmp_path / "width.md").read_text()
    assert told in capsys.readouterr().out


KEPT = sorted(
    path for path in (Path(__file__).parents[2] / "tutorials" / "results").rglob("*.json")
    if path.stem in STUDIES and "device" not in json.loads(path.read_text(encoding="utf-8"))
)  # fmt: skip


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_tables_and_verdicts_that_are_kept_follow_from_the_runs_beside_them(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    study = importlib.import_module(STUDIES[path.stem])
    text = report(record, study.table(record["results"]))
    assert path.with_suffix(".md").read_text(encoding="utf-8") == text
    assert record["verdict"] == study.verdict(record["results"])
    assert (record["claim"], record["published"]) == (study.CLAIM, study.PUBLISHED)


def test_the_report_is_a_markdown_table():
    record = {
        "name": "n", "claim": "c", "published": "p", "verdict": "shows", "data": "toy",
        "seeds": [0, 1], "command": "minisam …", "runs": 4, "run_seconds": 3.0, "cpu_seconds": 2.0,
        "machine": {"cpus": 2},
        "results": {
            "search": [
                {"method": "SAM", "settings": {"rho": rho}, "validation": v}
                for rho, v in ((0.1, 1.0), (0.2, 3.0), (0.4, 2.0))
            ]
        },
    }  # fmt: skip
    lines = report(record, [["a", "long"], ["longer", "b"]]).splitlines()
    assert lines[6:9] == ["| a      | long |", "|--------|------|", "| longer | b    |"]
    assert "Here (toy data, 2 seeds): shows." in lines
    assert "edge" not in lines[-2]
    record["results"]["search"][0]["validation"] = 4.0
    lines = report(record, [["a", "long"], ["longer", "b"]]).splitlines()
    assert lines[-1] == "Best at the edge of what was searched: SAM: rho = 0.1."


def test_progress_goes_to_the_standard_error_of_the_moment(tmp_path, capsys):
    reproduce("landscape", tmp_path, smoke=True)
    assert "landscape: 4 runs" in capsys.readouterr().err


@pytest.mark.fault("test-data", "reproduce")
def test_other_seeds_are_reported_and_never_those_of_the_search(tmp_path):
    record = reproduce("landscape", tmp_path, smoke=True, progress=None, first_seed=7)
    assert record["seeds"] == [7, 8]
    assert {run["seed"] for run in record["results"]["runs"]} == {7, 8}
    assert record["command"].endswith("--first-seed 7 --jobs 1")
    for first in TUNING_SEEDS:
        with pytest.raises(ValueError, match=f"first_seed must leave seed {first} to the search"):
            reproduce("landscape", tmp_path, smoke=True, progress=None, first_seed=first)


def test_costs_order_the_cells_sensibly():
    sgd = {"epochs": 2, "model_options": {"hidden": [64, 64]}}
    assert cost({**sgd, "optimizer": "sam"}) == 2 * cost(sgd)
    assert cost({**sgd, "bootstrap": True}) == 2 * cost(sgd)
    assert cost({**sgd, "model_options": {"hidden": [256, 256]}}) > cost(sgd)
    assert command_line("width", "toy", 5, 2, True).endswith("--smoke --jobs 2")


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_picture_is_drawn_from_its_json(name, tmp_path):
    record = draw_specification(name, tmp_path / name, smoke=True)
    assert json.loads((tmp_path / name / f"{name}.json").read_text(encoding="utf-8")) == record
    assert record["name"] == name
    assert record["versions"].keys() == {"python", "minisam", "numpy", "autograd"}
    assert (tmp_path / name / f"{name}.png").stat().st_size > 10_000
