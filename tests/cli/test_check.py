import json
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
from oracle import implementations
from oracle.implementations import SAM, SGD

from minisam.cli.main import main

HERE = Path(implementations.__file__)


def run(*arguments):
    return main(["check", *map(str, arguments)])


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


def test_everything_is_said_where_it_is_asked_for(capsys):
    assert run(f"{HERE}:half_climb", "--dtype", "float64") == 1
    short = capsys.readouterr().out
    assert len(short.splitlines()) <= 24
    assert run(f"{HERE}:half_climb", "--dtype", "float64", "--verbose") == 1
    long = capsys.readouterr().out
    assert len(long) > len(short)
    assert "not run because" in long
    assert "not run because" not in short


def test_several_are_compared_and_the_worst_decides(capsys, tmp_path):
    out = tmp_path / "page.html"
    targets = [f"{HERE}:right", f"{HERE}:echoes"]
    assert run(*targets, *ONE, "--format", "html", "--out", str(out)) == 1
    assert capsys.readouterr().out == ""
    assert "echoes" in out.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_nothing_is_left_of_a_report_that_could_not_be_written(tmp_path, monkeypatch, capsys):
    def disk_full(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", disk_full)
    assert run(f"{HERE}:right", *ONE, "--out", tmp_path / "report.txt") == 2
    assert capsys.readouterr().err == "minisam check: disk full\n"
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


@pytest.mark.fault("module-of-another", "minisam check")
def test_two_functions_of_one_name_are_told_apart(tmp_path, capsys):
    targets = []
    for name, text in (("ann", SAM), ("bob", SGD)):
        (tmp_path / f"{name}.py").write_text(text)
        targets.append(f"{tmp_path}/{name}.py:step")
    assert run(*targets, *ONE, "--format", "markdown") == 1
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [f"| {target}" for target in targets]


@pytest.mark.fault("console-encoding", "minisam check --format json")
@pytest.mark.parametrize(("form", "parse"), [("json", json.loads), ("junit", xml.fromstring)])
def test_a_report_for_programs_is_ascii(form, parse, tmp_path, capsys):
    (tmp_path / "sam.py").write_text(SGD.replace("step", "schritt_ε"), encoding="utf-8")
    assert run(f"{tmp_path}/sam.py:schritt_ε", *ONE, "--format", form) == 1
    printed = capsys.readouterr().out
    printed.encode("ascii")
    parsed = parse(printed)
    assert "schritt_ε" in (parsed["name"] if form == "json" else parsed[0].get("name"))


@pytest.mark.fault("time-limit-value", "minisam check")
@pytest.mark.parametrize("value", ["-1", "0", "nan", "inf", "1e30", "soon"])
def test_a_limit_that_is_no_time_is_refused_by_name(value, capsys):
    with pytest.raises(SystemExit) as stop:
        run(f"{HERE}:right", "--timeout", value)
    assert stop.value.code == 2
    assert f"--timeout: must be a number of seconds from 0.001 to 86400, got '{value}'" in (
        capsys.readouterr().err
    )


@pytest.mark.fault("option-alone", "minisam check")
def test_the_list_needs_nothing_to_check(capsys, tmp_path):
    assert run("--list") == 0
    assert "norm_epsilon" in capsys.readouterr().out
    assert run("--list", "--out", tmp_path / "list.txt") == 0
    assert "norm_epsilon" in (tmp_path / "list.txt").read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_the_list_of_a_follow_up_has_its_own_probes(capsys):
    assert run("--list", "--method", "gsam") == 0
    out = capsys.readouterr().out
    assert "gsam-own-alpha" in out
    assert "sam-one-tensor" in out
    assert "asam-one-tensor" not in out
    assert run("--list", "--method", "adam") == 2
    assert "method must be among" in capsys.readouterr().err


@pytest.mark.fault("option-alone", "minisam check")
@pytest.mark.parametrize(
    "option",
    [
        ["--dtype", "float64"], ["--declare", "eta=0"], ["--known", "a=b"],
        ["--probe", "sam-one-tensor"], ["--timeout", "1"], ["--format", "json"],
    ],
)  # fmt: skip
def test_an_option_of_a_check_has_no_use_with_the_list(option, capsys):
    assert run("--list", *option) == 2
    assert f"{option[0]} without effect: --list checks nothing" in capsys.readouterr().err


@pytest.mark.fault("option-alone", "minisam check")
def test_nothing_to_check_is_no_success(capsys):
    assert run() == 2
    assert "give a FILE_OR_MODULE:NAME to check, or --list" in capsys.readouterr().err


@pytest.mark.fault("option-value", "minisam check")
@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--declare", "eta=0", "--declare", "eta=1"], "--declare gives 'eta' twice"),
        (["--known", "sam-one-tensor=a", "--known", "sam-one-tensor=b"], "--known gives"),
        (["--declare", "eta={1, 2}"], "declare['eta'] must be a number"),
        (["--declare", f"eta={'(' * 9999}"], "declare['eta'] must be a number"),
        (["--declare", "eta=nan"], "declare['eta'] must be a number"),
        (["--dtype", "float16"], "dtype must be among"),
        (["--method", "adam"], "method must be among"),
        (["--probe", "nothing"], "probes names no probe: 'nothing'"),
    ],
)
def test_a_wrong_value_is_one_line_before_anything_is_imported(option, message, tmp_path, capsys):
    (tmp_path / "sam.py").write_text(f"open({str(tmp_path / 'seen')!r}, 'w')\n{SAM}")
    assert run(f"{tmp_path}/sam.py:step", f"{HERE}:right", *option) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("minisam check: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert not (tmp_path / "seen").exists()


@pytest.mark.fault("home-folder", "minisam check")
def test_a_path_with_a_tilde_is_in_the_home_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "sam.py").write_text(SGD)
    assert run("~/sam.py:step", *ONE, "--out=~/report.txt") == 1
    assert (tmp_path / "report.txt").read_text(encoding="utf-8").startswith("step: bug")
    assert run("~nobody-at-all/sam.py:step") == 2
    assert "~nobody-at-all" in capsys.readouterr().err
