import argparse
import json
from pathlib import Path

import pytest

from minisam.oracle import check_command

HERE = Path(__file__).with_name("implementations.py")


def run(*arguments):
    parser = argparse.ArgumentParser()
    check_command.configure(parser)
    return check_command.run(parser.parse_args(list(arguments)))


ONE = ["--probe", "sam-one-tensor", "--dtype", "float64"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("right", 0), ("echoes", 1), ("raises", 2), ("with_epsilon", 3), ("skips", 4)],
)
def test_the_exit_code_tells_the_verdict(name, code, capsys):
    assert run(f"{HERE}:{name}", *ONE) == code
    assert capsys.readouterr().out.startswith(f"{name}: ")


def test_declare_and_known_are_read(capsys):
    assert run(f"{HERE}:with_epsilon", *ONE, "--declare", "norm_epsilon=1e-12") == 0
    assert "conforms as declared" in capsys.readouterr().out
    assert run(f"{HERE}:echoes", *ONE, "--known", "sam-one-tensor=issue 7") == 1  # out of range
    assert "issue 7" in capsys.readouterr().out


def test_several_are_compared_and_the_worst_decides(capsys, tmp_path):
    out = tmp_path / "page.html"
    targets = [f"{HERE}:right", f"{HERE}:echoes"]
    assert run(*targets, *ONE, "--format", "html", "--out", str(out)) == 1
    assert capsys.readouterr().out == ""
    assert "echoes" in out.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_nothing_is_left_of_a_report_that_could_not_be_written(tmp_path, monkeypatch):
    def disk_full(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", disk_full)
    with pytest.raises(OSError, match="disk full"):
        run(f"{HERE}:right", *ONE, "--out", str(tmp_path / "report.txt"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["json", "junit", "markdown", "html"])
def test_every_form_is_printed(form, capsys):
    assert run(f"{HERE}:right", *ONE, "--format", form) == 0
    out = capsys.readouterr().out
    assert "right" in out
    if form == "json":
        assert json.loads(out)["verdict"] == "conforms"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere.py:step", "there is no file 'nowhere.py'"),
        ("nowhere.else:step", "there is no module 'nowhere.else'"),
        (f"{HERE}:nothing", "has no 'nothing'"),
        ("step", "must be FILE_OR_MODULE:NAME"),
    ],
)
def test_a_target_that_is_not_there_is_named(target, message, capsys):
    assert run(target) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_a_file_that_raises_is_an_adapter_error(tmp_path, capsys):
    broken = tmp_path / "broken.py"
    broken.write_text("import something_that_is_not_there\n")
    assert run(f"{broken}:step") == 2
    assert "something_that_is_not_there" in capsys.readouterr().err


def test_a_bad_option_is_named(capsys):
    assert run(f"{HERE}:right", "--declare", "norm_epsilon") == 2
    assert "--declare must be NAME=VALUE" in capsys.readouterr().err
    assert run(f"{HERE}:right", "--declare", "epsilon=1") == 2
    assert "no convention 'epsilon'" in capsys.readouterr().err


def test_the_catalogue_lists_probes_and_conventions(capsys):
    assert run("-", "--list") == 0
    out = capsys.readouterr().out
    assert "norm_epsilon" in out
    assert "sam-lr-zero" in out


def test_a_file_needs_no_suffix(tmp_path, capsys):
    bare = tmp_path / "homework"
    bare.write_text(HERE.read_text())
    assert run(f"{bare}:right", *ONE) == 0
