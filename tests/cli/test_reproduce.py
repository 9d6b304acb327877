import argparse
import json
import os

import pytest

from minisam.cli import reproduce as command


def main(*words):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


def test_the_command_line(tmp_path, capsys):
    out = tmp_path / "out"
    assert main("m-sharpness", "--smoke", "--out", out) == 0
    assert (out / "m_sharpness" / "m_sharpness.json").exists()
    text = capsys.readouterr().out
    assert "minisam reproduce m_sharpness --data toy --smoke --jobs 1" in text
    assert str(tmp_path) not in (out / "m_sharpness" / "m_sharpness.json").read_text()


@pytest.fixture
def asked(monkeypatch):
    """What `reproduce` would have been called with, and where data would be looked for."""
    calls = []
    monkeypatch.setenv("MINISAM_DATA", "elsewhere")
    monkeypatch.setattr(
        command, "reproduce", lambda *words, **more: calls.append((*words, *more.values()))
    )
    return calls


@pytest.mark.fault("home-folder", "reproduce")
def test_data_and_results_lie_in_the_home_folder(asked, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(command, "load_subset", lambda data: None)
    main("width", "--data", "cifar10", "--data-dir=~/x", "--out=~/y", "--seeds", 5, "--jobs", 2)
    assert asked == [("width", tmp_path / "y" / "width", "cifar10", 5, 2, False, 0)]
    assert os.environ["MINISAM_DATA"] == str(tmp_path / "x")


def test_that_the_data_are_not_there_is_said_before_anything_is_run(asked, tmp_path):
    """Each of dozens of runs would say it, and their folder would stay."""
    with pytest.raises(FileNotFoundError, match="cifar10 is not in"):
        main("width", "--data", "cifar10", "--data-dir", tmp_path, "--out", tmp_path / "out")
    assert asked == []
    assert not (tmp_path / "out").exists()


def test_what_is_not_said_has_its_default(asked, tmp_path):
    main("width", "--out", tmp_path)
    assert asked == [("width", tmp_path / "width", "toy", 3, 1, False, 0)]


def test_every_one_of_them_is_run_where_all_are_asked_for(asked, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(command, "draw_specification", lambda name, *rest: drawn.append(name))
    main("--all", "--smoke", "--out", tmp_path)
    assert [name for name, *_ in asked] == list(command.STUDIES)
    assert drawn == list(command.DRAWINGS)


def test_the_seeds_may_be_others(asked, tmp_path):
    main("width", "--out", tmp_path, "--seeds", 5, "--first-seed", 100)
    assert asked == [("width", tmp_path / "width", "toy", 5, 1, False, 100)]


@pytest.mark.fault("option-alone", "reproduce")
@pytest.mark.fault("option-value", "reproduce")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--summary width", "--summary runs nothing, and goes without width"),
        ("--headlines --jobs 2", "--headlines runs nothing, and goes without --jobs"),
        ("--summary --headlines --smoke", "--summary .*, and goes without --headlines, --smoke"),
        ("--overview --all", "--overview runs nothing, and goes without --all"),
        ("width --first-seed -1", "--first-seed must be a whole number from 0 to"),
        ("figure1 --first-seed 1", "figure1: drawn without training, and without --first-seed"),
        ("--summary --seeds 0", "--summary runs nothing, and goes without --seeds"),
        ("--all width table1", "--all runs every one of them, and goes without width, table1"),
        ("width --smoke --seeds 2", "--smoke runs two seeds, and goes without --seeds"),
        ("figure1 --seeds 2", "figure1: drawn without training, and without --seeds"),
        ("figure1 figure2 --data toy --jobs 2", "figure1, figure2: drawn .* --data, --jobs"),
        ("width --data-dir .", "--data-dir without effect: the toy set is made"),
        ("width --seeds 0", "--seeds must be a whole number from 1 to 1,000, got 0"),
        ("width --seeds 1001", "--seeds must be a whole number from 1 to 1,000, got 1001"),
        ("width --jobs 0", "--jobs must be a whole number of at least 1, got 0"),
        ("width --jobs -3", "--jobs must be a whole number of at least 1, got -3"),
    ],
)
def test_options_without_effect_or_out_of_range_are_named(words, message, asked, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(*words.split(), "--out", tmp_path / "out")
    assert not asked
    assert not (tmp_path / "out").exists()


def test_bad_names_are_answered_with_the_good_ones(tmp_path):
    with pytest.raises(ValueError, match="unknown experiment 'table9'; there are table1, "):
        main("table9")
    with pytest.raises(ValueError, match="no experiment named; there are table1, "):
        main()


def test_the_summary_is_printed(tmp_path, capsys):
    record = {"name": "width", "claim": "C", "published": "P", "verdict": "shows: +1.0 points"}
    record |= {"data": "toy", "seeds": [0, 1]}
    (tmp_path / "width.json").write_text(json.dumps(record))
    assert main("--summary", "--out", tmp_path) == 0
    link = f"[width]({tmp_path.as_posix()}/width.md): C"
    row = f"| {link} | toy images |  | 2 |  |  | **shows: +1.0 points** |"
    assert capsys.readouterr().out.splitlines()[2:] == [row]


def test_the_overview_is_drawn_from_what_is_kept(tmp_path, capsys):
    main("table2", "--smoke", "--out", tmp_path)
    record = json.loads((tmp_path / "table2" / "table2.json").read_text())
    (tmp_path / "table2" / "table2.json").write_text(json.dumps({**record, "smoke": False}))
    capsys.readouterr()
    assert main("--overview", "--out", tmp_path) == 0
    paths = [tmp_path / name for name in ("claims.png", "fitted.png")]
    assert capsys.readouterr().out == "".join(f"picture: {path}\n" for path in paths)
    assert all(path.exists() for path in paths)


def test_a_picture_is_drawn(tmp_path, capsys):
    assert main("figure2", "--smoke", "--out", tmp_path) == 0
    path = tmp_path / "figure2" / "figure2.png"
    assert capsys.readouterr().out == f"picture: {path}\n\n"
    assert path.exists()
