import argparse
import json

import pytest

from minisam.experiments import compare


def arguments(text):
    parser = argparse.ArgumentParser()
    compare.configure(parser)
    return parser.parse_args(text.split())


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    out = tmp_path_factory.mktemp("compare")
    text = f"--epochs 2 --train-size 100 --test-size 50 --seeds 2 --jobs 1 --out {out}"
    assert compare.run(arguments(text)) == 0
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
        assert [entry["rho"] for entry in tried] == list(compare.TOY_RADII[method])
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
    lines = compare.table(results).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["SGD", "SAM", "ASAM"]
    assert lines[4].startswith("SAM − SGD, paired by seed")


def test_picture_is_drawn(outcome):
    out, _ = outcome
    assert (out / "compare.png").read_bytes()[:4] == b"\x89PNG"


def test_finished_runs_are_not_run_again(outcome, monkeypatch, capsys):
    out, results = outcome

    def refuse(**settings):
        raise AssertionError("ran again")

    monkeypatch.setattr("minisam.experiments.trial.fit", refuse)
    text = f"--epochs 2 --train-size 100 --test-size 50 --seeds 2 --jobs 1 --out {out}"
    compare.run(arguments(text))
    assert json.loads((out / "results.json").read_text())["runs"] == results["runs"]


def test_without_noise_nothing_is_memorized(tmp_path):
    text = "--epochs 1 --train-size 100 --test-size 50 --seeds 1 --jobs 1 --noise 0 --methods sgd"
    compare.run(arguments(f"{text} --out {tmp_path}"))
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["runs"][0]["memorized"] is None
    assert "–" in compare.table(results)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--methods adam", "--methods must be some of sgd, sam, asam, got adam"),
        ("--methods sam,sam", "--methods must be"),
        ("--rho sam=-1", "--rho takes sam=ρ, asam=ρ with ρ ≥ 0, got 'sam=-1'"),
        ("--rho 0.1", "--rho takes"),
        ("--rho sam=nan", "--rho takes"),
        ("--rho asam=1 --methods sgd,sam", "--rho takes sam=ρ"),
        ("--noise 1.5", r"--noise must lie in \[0, 1\], got 1.5"),
        ("--seeds 0", "--seeds must be at least 1"),
        ("--jobs 0", "--jobs must be at least 1"),
        ("--epochs 0", "--epochs must be at least 1"),
        ("--train-size -5", "--train-size must be at least 1"),
        ("--lr nan", "--lr must be positive"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_written(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        compare.run(arguments(f"{text} --out {tmp_path / 'out'}"))
    assert not (tmp_path / "out").exists()
