import argparse
import json

import pytest

from minisam.cli import compare as command
from minisam.experiments import compare, compared


def arguments(text):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return parser.parse_args(text.split())


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    out = tmp_path_factory.mktemp("compare")
    text = f"--epochs 2 --train-size 100 --test-size 50 --seeds 2 --jobs 1 --out {out}"
    assert command.run(arguments(text)) == 0
    return out, json.loads((out / "results.json").read_text())


def test_results_say_what_was_run(outcome):
    _, results = outcome
    assert results["settings"]["train_size"] + results["settings"]["validation_size"] == 100
    assert {"numpy", "autograd"} <= results["versions"].keys()
    assert [(r["method"], r["seed"]) for r in results["runs"]] == [
        (method, seed) for seed in (0, 1) for method in ("SGD", "SAM", "ASAM")
    ]
    for run in results["runs"]:
        assert len(run["history"]) == 2
        assert run["last"] == pytest.approx(100 * run["history"][-1]["test"])
        assert run["best"] >= run["last"]
        assert run["curvature"] > 0


def test_rho_has_the_best_validation_accuracy(outcome):
    _, results = outcome
    for method in ("sam", "asam"):
        tried = [entry for entry in results["search"] if entry["method"] == method]
        assert [entry["rho"] for entry in tried] == compare.radii("toy", method)
        chosen = next(e for e in tried if e["rho"] == results["settings"]["rho"][method])
        assert chosen["validation"] == max(entry["validation"] for entry in tried)


def test_methods_start_alike_and_differ_in_the_end(outcome):
    _, results = outcome
    first = {run["method"]: run for run in results["runs"] if run["seed"] == 0}
    assert first["SGD"]["history"][-1]["loss"] != first["SAM"]["history"][-1]["loss"]
    assert first["SGD"]["history"][0]["loss"] == pytest.approx(
        first["SAM"]["history"][0]["loss"], rel=0.2
    )


def test_table_has_a_row_for_each_method_and_each_difference(outcome):
    _, results = outcome
    lines = compared.table(results).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["SGD", "SAM", "ASAM"]
    assert lines[4].startswith("SAM − SGD, paired by seed")


def test_picture_is_drawn(outcome):
    out, _ = outcome
    assert (out / "compare.png").read_bytes()[:4] == b"\x89PNG"


def test_finished_runs_are_not_run_again(outcome, monkeypatch, capsys):
    out, results = outcome

    def refuse(*arguments, **options):
        raise AssertionError("ran again")

    monkeypatch.setattr("minisam.experiments.trial.fit", refuse)
    monkeypatch.setattr("minisam.experiments.compare.fit", refuse)
    text = f"--epochs 2 --train-size 100 --test-size 50 --seeds 2 --jobs 1 --out {out}"
    command.run(arguments(text))
    assert json.loads((out / "results.json").read_text())["runs"] == results["runs"]


def test_without_noise_nothing_is_memorized(tmp_path):
    text = "--epochs 1 --train-size 100 --test-size 50 --seeds 1 --jobs 1 --noise 0 --methods sgd"
    command.run(arguments(f"{text} --out {tmp_path}"))
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["runs"][0]["memorized"] is None
    assert "–" in compared.table(results)


@pytest.mark.fault("said-of-the-data", "compare")
def test_what_plus_minus_means_is_told_only_where_there_is_one(outcome):
    _, results = outcome
    assert "± half of the 95 % Student interval over 2 seeds" in compared.table(results)
    runs = [run for run in results["runs"] if run["seed"] == 0]
    settings = {**results["settings"], "seeds": 1}
    table = compared.table({**results, "runs": runs, "settings": settings})
    assert "±" not in table
    assert table.splitlines()[-1].startswith("% of examples; loss rise at ρ = ")


@pytest.mark.fault("said-of-the-data", "compare")
def test_runs_that_diverge_are_in_the_table(tmp_path, capsys):
    text = "--methods sgd,sam --rho sam=0.4 --lr 1e6 --train-size 100 --epochs 2 --test-size 20"
    assert command.run(arguments(f"{text} --seeds 2 --jobs 1 --out {tmp_path}")) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    for run in results["runs"]:
        assert "not finite" in run["diverged"] or "loss is" in run["diverged"]
        # ten classes: a guess is right for one in ten
        assert (run["last"], run["best"], run["train"], run["train_true"]) == (10, 10, 10, 10)
        assert (run["curvature"], run["rise"], run["history"]) == (None, None, [])
    told = capsys.readouterr().out
    assert "SGD: 2 of 2 diverged, which counts as a guess and has no sharpness; seed 0: " in told
    assert "SAM − SGD, paired by seed: last +0.0 ± 0.0" in told
    assert (tmp_path / "compare.png").stat().st_size > 10_000


@pytest.mark.fault("said-of-the-data", "compare")
def test_one_run_that_diverged_leaves_the_others_their_sharpness(outcome, tmp_path):
    _, results = outcome
    first, *others = results["runs"]
    nothing = {key: None for key in ("memorized", "curvature", "rise", "seconds")}
    gone = {**first, **nothing, "last": 10.0, "history": [], "diverged": "step 3: the loss is nan"}
    results = {**results, "runs": [gone, *others]}
    rows = compared.table(results).splitlines()
    (kept,) = [run for run in others if run["method"] == "SGD"]
    cells = rows[1].split("  ")
    assert f"{(10 + kept['last']) / 2:.1f} ±" in rows[1]
    assert f"{kept['curvature']:.2f}" in [cell.strip() for cell in cells]
    told = "SGD: 1 of 2 diverged, which counts as a guess and has no sharpness; seed 0: step 3: "
    assert any(row.startswith(told) for row in rows)
    compared.draw(results, tmp_path / "compare.png")
    assert (tmp_path / "compare.png").stat().st_size > 10_000


@pytest.mark.fault("said-of-the-data", "compare")
def test_a_radius_at_which_the_search_diverged_says_so(tmp_path, capsys):
    text = "--methods sam --lr 1e30 --train-size 99 --epochs 2 --test-size 20 --seeds 1 --jobs 1"
    assert command.run(arguments(f"{text} --out {tmp_path}")) == 0
    search = json.loads((tmp_path / "results.json").read_text())["search"]
    assert all("diverged" in entry for entry in search)
    assert "0.2: diverged, 0.4: diverged, 0.6: diverged" in capsys.readouterr().out
