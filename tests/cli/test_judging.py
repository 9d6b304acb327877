"""A user's file that `minisam check` runs: whatever it does, what is said of it is right."""

import json
import signal
import subprocess
import sys
import time
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


EXITS = {
    "sys.exit(0)": "import sys\nsys.exit(0)",
    "exit": "raise SystemExit",
    "with a text": "raise SystemExit('bye')",
    "os._exit(0)": "import os\nos._exit(0)",
    "unittest.main()": "import unittest\nunittest.main(argv=['x'])",
    "argparse": "import argparse\nargparse.ArgumentParser().parse_args(['--help'])",
    "atexit": "import atexit, os\natexit.register(os._exit, 0)\nraise SystemExit",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "interrupted": "raise KeyboardInterrupt",
    "raises": "1 / 0",
    "own exception": "class Odd(BaseException):\n    def __str__(self): 1 / 0\nraise Odd",
    "syntax": "def step(w, grad_fn, *, rho, lr)\n    return w",
}


@pytest.mark.fault("ends-the-process", "minisam check")
@pytest.mark.parametrize("ending", EXITS)
def test_a_file_that_ends_the_process_gets_no_verdict(ending, tmp_path, capsys):
    (tmp_path / "sam.py").write_text(SGD + EXITS[ending])
    assert run(f"{tmp_path}/sam.py:step", *ONE) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"minisam check: {tmp_path}/sam.py:step: ")
    assert captured.err.count("\n") == 1


@pytest.mark.fault("ends-the-process", "minisam check")
@pytest.mark.parametrize(
    "ending", ["os._exit(0)", "sys.exit(0)", "os.kill(os.getpid(), 9)", "raise KeyboardInterrupt"]
)
def test_a_step_that_ends_the_process_gets_no_verdict(ending, tmp_path, capsys):
    (tmp_path / "sam.py").write_text(
        f"import os, sys\ndef step(w, grad_fn, *, rho, lr):\n    {ending}"
    )
    assert run(f"{tmp_path}/sam.py:step", *ONE) == 2
    captured = capsys.readouterr()
    assert "conforms" not in captured.out
    assert captured.out or "sam.py:step: " in captured.err


@pytest.mark.fault("ends-the-process", "minisam check")
def test_a_report_that_is_finished_is_printed_whatever_comes_after(tmp_path, capsys):
    (tmp_path / "exits.py").write_text("raise SystemExit(0)")
    targets = [f"{HERE}:right", f"{tmp_path}/exits.py:step", "nowhere.py:step", f"{HERE}:echoes"]
    assert run(*targets, *ONE) == 1
    captured = capsys.readouterr()
    assert "right: conforms" in captured.out
    assert "echoes: bug" in captured.out
    assert "exits.py:step: the import ended the process with exit code 0\n" in captured.err
    assert "nowhere.py:step: there is no file 'nowhere.py'\n" in captured.err


@pytest.mark.fault("ends-the-process", "minisam check")
def test_a_program_that_reads_the_reports_finds_one_for_each_target(tmp_path, capsys):
    (tmp_path / "exits.py").write_text("raise SystemExit(0)")
    targets = [f"{tmp_path}/exits.py:step", f"{HERE}:right"]
    assert run(*targets, *ONE, "--format", "json") == 2
    first, second = json.loads(capsys.readouterr().out)
    assert (first["name"], first["verdict"], first["exit_code"]) == ("step", "adapter error", 2)
    assert first["headline"] == "the import ended the process with exit code 0"
    assert (second["name"], second["verdict"]) == ("right", "conforms")
    assert run(*targets, *ONE, "--format", "junit") == 2
    suites = xml.fromstring(capsys.readouterr().out)
    assert [suite.get("failures") for suite in suites] == ["1", "0"]


@pytest.mark.fault("module-of-another", "minisam check")
@pytest.mark.parametrize("order", [("ann", "bob"), ("bob", "ann")])
def test_each_file_has_its_own_helper(order, tmp_path, capsys):
    for name, point in (("ann", "a"), ("bob", "b")):  # bob never goes back to A
        (tmp_path / name).mkdir()
        (tmp_path / name / "helper.py").write_text(f"def restore(a, b):\n    return {point}\n")
        (tmp_path / name / "sam.py").write_text(
            "from helper import restore\n"
            + SAM.replace("[x - lr * y for x, y in zip(w, grad_fn(b))]",
                          "[restore(x, z) - lr * y for x, z, y in zip(w, b, grad_fn(b))]")
        )  # fmt: skip
    targets = [f"{tmp_path}/{name}/sam.py:step" for name in order]
    assert run(*targets, "--dtype", "float64", "--format", "json") == 1
    verdicts = [report["verdict"] for report in json.loads(capsys.readouterr().out)]
    assert dict(zip(order, verdicts, strict=True)) == {
        "ann": "conforms",
        "bob": "bug: M01-not-restored",
    }


@pytest.mark.fault("module-of-another", "minisam check")
def test_files_named_like_modules_of_python_change_no_report(tmp_path, capsys):
    (tmp_path / "sam.py").write_text("print('hello')\n" + SAM)
    for name in ("json", "html", "textwrap", "difflib", "numpy", "xml", "minisam", "queue"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(0)")
    for form in ("text", "json", "junit", "html", "markdown"):
        assert run(f"{tmp_path}/sam.py:step", *ONE, "--format", form) == 0
        assert "step" in capsys.readouterr().out


@pytest.mark.fault("module-of-another", "minisam check")
def test_what_a_file_patches_stays_in_its_process(tmp_path, capsys):
    (tmp_path / "bad.py").write_text(
        "import numpy as np, sys, os, signal\n"
        "np.sqrt = np.array_equal = np.allclose = lambda *a, **k: True\n"
        "np.seterr(all='raise')\nos.chdir('/')\nsys.stdout = sys.stderr = None\n" + SGD
    )
    assert run(f"{tmp_path}/bad.py:step", f"{HERE}:right", *ONE) in (1, 2, 4)
    assert "right: conforms" in capsys.readouterr().out


SWALLOWS = {
    "bare except": "        try:\n            grad_fn(w)\n        except:\n            pass\n",
    "except BaseException": "        try:\n            time.sleep(0.01)\n"
    "        except BaseException:\n            pass\n",
    "finally": "        try:\n            time.sleep(0.01)\n"
    "        finally:\n            continue\n",
    "no alarm": "        signal.setitimer(signal.ITIMER_REAL, 0)\n",
    "in C": "        9 ** 9 ** 9\n",
}


@pytest.mark.fault("time-limit-swallowed", "minisam check")
@pytest.mark.parametrize("way", SWALLOWS)
def test_a_step_that_does_not_let_go_is_stopped(way, tmp_path, capsys):
    (tmp_path / "sam.py").write_text(
        "import signal, time\ndef step(w, grad_fn, *, rho, lr):\n    while True:\n" + SWALLOWS[way]
    )
    assert run(f"{tmp_path}/sam.py:step", *ONE, "--timeout", "0.3") == 2
    captured = capsys.readouterr()
    assert "a step did not return within 0.3 s" in " ".join((captured.out + captured.err).split())


@pytest.mark.fault("time-limit-swallowed", "minisam check")
@pytest.mark.parametrize("end", ["pass", "try:\n        time.sleep(1)\n    except:\n        pass"])
def test_a_file_that_hangs_is_stopped(end, tmp_path, capsys):
    (tmp_path / "sam.py").write_text(f"{SGD}\nimport time\nwhile True:\n    {end}\n")
    assert run(f"{tmp_path}/sam.py:step", *ONE, "--timeout", "0.05") == 2
    assert capsys.readouterr().err.endswith("the import did not return within 0.5 s\n")


PRINTS = (
    "import os, subprocess, sys\nprint('testing…')\nsys.stdout.write('ok')\nos.write(1, b'raw')\n"
    "subprocess.run(['echo', 'from another process'])\n"
)


@pytest.mark.fault("output-mixed", "minisam check")
@pytest.mark.parametrize(("form", "parse"), [("json", json.loads), ("junit", xml.fromstring)])
def test_what_is_printed_at_import_is_not_in_the_report(form, parse, tmp_path, capfd):
    (tmp_path / "sam.py").write_text(PRINTS + SAM + "sys.stdout.write('bye')\n", encoding="utf-8")
    assert run(f"{tmp_path}/sam.py:step", *ONE, "--format", form) == 0
    captured = capfd.readouterr()
    parse(captured.out)
    assert captured.err == ""


@pytest.mark.fault("file-read", "minisam check")
def test_a_module_that_misses_another_says_which(tmp_path, capsys, monkeypatch):
    (tmp_path / "needs.py").write_text("import something_else\n")
    monkeypatch.chdir(tmp_path)
    assert run("needs:step") == 2
    assert "ModuleNotFoundError: No module named 'something_else'" in capsys.readouterr().err


@pytest.mark.fault("ends-the-process", "minisam check")
def test_what_was_finished_before_ctrl_c_is_printed(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(1000)\n"
    )
    command = [sys.executable, "-m", "minisam", "check", f"{HERE}:right", "slow.py:step", *ONE]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert out.startswith("right: conforms\n")
    assert err == "\nminisam check: interrupted\n"


MADE = """
def mine(params, hp):
    w = [x.copy() for x in params]

    def run(grad_fn):
        w[:] = [x - 2 * hp["lr"] * g for x, g in zip(w, grad_fn(w))]
        return w

    return run

mine.kind, mine.arguments, mine.features = "torch", {}, frozenset()
"""


def test_a_target_that_is_made_by_a_framework_is_shown_as_what_it_is(tmp_path, capsys):
    (tmp_path / "made.py").write_text(MADE)
    main(["check", f"{tmp_path}/made.py:mine", "--dtype", "float64", "--probe", "sam-one-tensor"])
    printed = capsys.readouterr().out
    assert "run = mine([np.array(" in printed
    assert "oracle.torch" not in printed
