import re
import subprocess
import sys

import pytest

from minisam.cli import main as cli


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    assert f"minisam {command}" in capsys.readouterr().out


def test_the_package_can_be_run_where_the_command_is_not_on_the_path():
    command = [sys.executable, "-m", "minisam", "check", "nowhere.py:step"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr == "minisam check: nowhere.py:step: there is no file 'nowhere.py'\n"


@pytest.mark.fault("module-of-another", "python -m minisam")
def test_modules_of_the_current_folder_are_not_pythons(tmp_path):
    for name in ("json", "html", "queue", "argparse", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(0)")
    (tmp_path / "sam.py").write_text("def step(w, grad_fn, *, rho, lr):\n    return grad_fn(w)\n")
    command = [sys.executable, "-m", "minisam", "check", "sam.py:step", "--probe", "sam-one-tensor"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (1, "")


def test_the_command_line_starts_without_what_only_some_commands_need():
    code = "import sys, minisam.cli.main; print([m for m in sys.modules if m in sys.argv[1:]])"
    heavy = [
        "numpy",
        "matplotlib",
        "minisam.sweeps.sweep",
        "multiprocessing",
        "concurrent.futures",
    ]
    result = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr


@pytest.mark.parametrize(
    "door", [["check", "--probe", "sam-one-tensor"], ["specification", "--try"]]
)
def test_what_holds_a_file_needs_no_numpy_itself(door, tmp_path):
    (tmp_path / "sam.py").write_text("def step(w, grad_fn, *, rho, lr):\n    return grad_fn(w)\n")
    code = "import sys, minisam.cli.main as c; c.main(sys.argv[1:]); print('numpy' in sys.modules)"
    command = [sys.executable, "-c", code, *door, "sam.py:step"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.stdout.splitlines()[-1] == "False", result.stderr


def test_one_command_is_parsed_without_the_others():
    parser = cli.build_parser(["vectors"])
    assert parser.parse_args(["vectors", "--out", "here"]).force is False


@pytest.mark.parametrize("words", [["--help"], ["--version"], [], ["no-command"]])
def test_no_command_is_loaded_where_none_is_run(words):
    code = (
        "import sys, minisam.cli.main as c\ntry:\n    c.main(sys.argv[1:])\n"
        "finally:\n    print([m for m in sys.modules if m in {h for h, _ in c.COMMANDS.values()} "
        "or m == 'numpy'])"
    )
    result = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


def test_a_users_mistake_is_one_line_and_no_traceback(capsys):
    assert cli.main(["compare", "--noise", "7"]) == 2
    assert capsys.readouterr().err == "minisam compare: --noise must lie in [0, 1], got 7.0\n"


@pytest.mark.fault("machine-size", "minisam")
def test_too_little_memory_is_one_line(monkeypatch, capsys):
    def large(arguments):
        raise MemoryError("Unable to allocate 7.28 TiB")

    monkeypatch.setattr("minisam.cli.compare.run", large)
    assert cli.main(["compare"]) == 2
    assert capsys.readouterr().err == (
        "minisam compare: out of memory (Unable to allocate 7.28 TiB)\n"
    )


def test_interruption_has_its_own_exit_code(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("minisam.cli.compare.run", interrupted)
    assert cli.main(["compare"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "minisam", "specification"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert error == b""


def python(code, *flags):
    return subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True
    )


def test_help_of_the_command_line_brings_no_matplotlib():
    python(
        "import sys\nfrom minisam.cli.main import build_parser\nbuild_parser()\n"
        "assert not {'matplotlib', 'scipy', 'torch', 'requests'} & set(sys.modules)"
    )


def test_failed_runs_are_listed_without_a_traceback(tmp_path, monkeypatch, capsys):
    """As where a disk with the data goes away once they were found."""
    monkeypatch.setattr("minisam.cli.reproduce.load_subset", lambda data: None)
    words = ["reproduce", "table3", "--smoke", "--data", "cifar10", "--data-dir"]
    monkeypatch.setenv("MINISAM_DATA", "")  # put back what the command changes
    assert cli.main([*words, str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().err
    assert re.search(r"minisam reproduce: (\d+) of \1 cells failed", printed)
    assert "FileNotFoundError" in printed
    assert "nowhere" in printed
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


@pytest.mark.fault("option-alone", "minisam vectors")
def test_vectors_go_nowhere_without_a_folder(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["vectors", "--force"])
    assert stop.value.code == 2
    assert "required: --out" in capsys.readouterr().err
