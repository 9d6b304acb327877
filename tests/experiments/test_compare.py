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


SMALL = "--methods sgd --epochs 1 --test-size 20 --seeds 1 --jobs 1"


@pytest.mark.fault("option-value", "compare")
@pytest.mark.parametrize("size", [1, 4])
def test_so_few_images_that_a_fifth_is_none_are_trained_on_where_no_radius_is_searched(
    size, tmp_path, capsys
):
    out = ["--train-size", str(size), "--out", str(tmp_path)]
    assert compare.run(arguments(f"{SMALL} {' '.join(out)}")) == 0
    settings = json.loads((tmp_path / "results.json").read_text())["settings"]
    assert (settings["train_size"], settings["validation_size"]) == (size, 0)
    sgd = capsys.readouterr().out.splitlines()[2].split()
    assert "±" not in sgd  # one seed has no interval
    assert sgd[:2] == ["SGD", "0"]


@pytest.mark.fault("option-value", "compare")
def test_lists_are_read_whatever_their_case_and_spaces(tmp_path):
    text = f"{SMALL} --train-size 10 --out {tmp_path}".replace("--methods sgd", "")
    parsed = arguments(text)
    parsed.methods, parsed.rho = " SGD,Sam , ", " SAM = 0.1 ,"
    assert compare.run(parsed) == 0
    settings = json.loads((tmp_path / "results.json").read_text())["settings"]
    assert (settings["methods"], settings["rho"]) == (["sgd", "sam"], {"sam": 0.1})


@pytest.mark.fault("said-of-the-data", "compare")
def test_runs_that_diverge_are_in_the_table(tmp_path, capsys):
    text = "--methods sgd,sam --rho sam=0.4 --lr 1e6 --train-size 100 --epochs 2 --test-size 20"
    assert compare.run(arguments(f"{text} --seeds 2 --jobs 1 --out {tmp_path}")) == 0
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
    rows = compare.table(results).splitlines()
    (kept,) = [run for run in others if run["method"] == "SGD"]
    cells = rows[1].split("  ")
    assert f"{(10 + kept['last']) / 2:.1f} ±" in rows[1]
    assert f"{kept['curvature']:.2f}" in [cell.strip() for cell in cells]
    told = "SGD: 1 of 2 diverged, which counts as a guess and has no sharpness; seed 0: step 3: "
    assert any(row.startswith(told) for row in rows)
    compare.draw(results, tmp_path / "compare.png")
    assert (tmp_path / "compare.png").stat().st_size > 10_000


@pytest.mark.fault("said-of-the-data", "compare")
def test_a_radius_at_which_the_search_diverged_says_so(tmp_path, capsys):
    text = "--methods sam --lr 1e30 --train-size 99 --epochs 2 --test-size 20 --seeds 1 --jobs 1"
    assert compare.run(arguments(f"{text} --out {tmp_path}")) == 0
    search = json.loads((tmp_path / "results.json").read_text())["search"]
    assert all("diverged" in entry for entry in search)
    assert "0.2: diverged, 0.4: diverged, 0.8: diverged" in capsys.readouterr().out


@pytest.mark.fault("home-folder", "compare")
def test_the_data_are_looked_for_in_the_home_folder_before_anything_is_run(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MINISAM_DATA", "")  # put back what the command changes
    text = f"--data cifar10 --data-dir=~/nothing --out {tmp_path / 'out'}"
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}/nothing"):
        compare.run(arguments(text))
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("home-folder", "compare")
def test_the_results_go_to_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert compare.run(arguments(f"{SMALL} --train-size 10 --out=~/out")) == 0
    assert (tmp_path / "out" / "results.json").exists()
    assert not (tmp_path / "~").exists()


@pytest.mark.fault("option-value", "compare")
@pytest.mark.fault("option-alone", "compare")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--methods adam", "--methods must be some of sgd, sam, asam, .*, got 'adam'"),
        ("--methods sam,sam", "--methods must be"),
        ("--methods ,", "--methods must be some of sgd, sam, asam, .*, got ','"),
        ("--rho sam=-1", "--rho takes sam=ρ, asam=ρ with ρ ≥ 0, got 'sam=-1'"),
        ("--rho 0.1", "--rho takes"),
        ("--rho sam", "--rho takes"),
        ("--rho sam=nan", "--rho takes"),
        ("--rho sam=inf", "--rho takes"),
        ("--rho sgd=0.1", "--rho takes"),
        ("--rho sam=0.1,SAM=0.2", "--rho takes one ρ for each method, got 'sam=0.1,SAM=0.2'"),
        ("--rho asam=1 --methods sgd,sam", "--rho takes sam=ρ"),
        ("--noise 1.5", r"--noise must lie in \[0, 1\], got 1.5"),
        ("--noise nan", "--noise must lie in"),
        ("--noise -0.1", "--noise must lie in"),
        ("--seeds 0", "--seeds must be a whole number from 1 to 1,000, got 0"),
        ("--seeds 1001", "--seeds must be a whole number from 1 to 1,000, got 1001"),
        ("--jobs 0", "--jobs must be a whole number of at least 1, got 0"),
        ("--jobs -1", "--jobs must be"),
        ("--epochs 0", "--epochs must be a whole number of at least 1"),
        ("--train-size -5", "--train-size must be a whole number from 1 to"),
        ("--train-size 0", "--train-size must be a whole number from 1 to"),
        ("--train-size 1000000000000", "--train-size must be a whole number from 1 to"),
        ("--test-size 1000000000000", "--test-size must be a whole number from 1 to"),
        ("--train-size 4", "--train-size must be at least 5.* --rho sam=ρ,asam=ρ$"),
        ("--train-size 1 --rho sam=1", "--train-size must be at least 5.* got 1; .* --rho asam=ρ$"),
        ("--lr nan", "--lr must be positive"),
        ("--lr inf", "--lr must be positive"),
        ("--data-dir .", "--data-dir without effect: the toy set is made, not read from files"),
        ("--data cifar10 --data-dir=", "--data-dir must be a folder, got an empty text"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_written(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        compare.run(arguments(f"{text} --out {tmp_path / 'out'}"))
    assert not (tmp_path / "out").exists()
