"""Standard output may be of any encoding, may be left by its reader, and may be on a full disk."""

import io
import os
import subprocess
import sys

import pytest

from minisam.cli import console
from minisam.cli.main import COMMANDS, main

MINISAM = [sys.executable, "-m", "minisam"]
WORDS = [
    [],
    ["--help"],
    *([command, "--help"] for command in COMMANDS),
    ["specification"],
    ["specification", "2"],
    ["specification", "--json"],
    ["specification", "ρ-is-no-statement"],
    ["check", "--list"],
    ["check", "ρ.py:η"],
    ["check", "--declare", "ρ"],
    ["data", "info", "toy", "--ρ"],
]


def printed(words, encoding, monkeypatch):
    """The exit code of a command, and what it writes to both outputs."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        try:
            code = main(words)
        except SystemExit as stop:
            code = stop.code
    for stream in streams:
        stream.flush()
    return code, *(stream.buffer.getvalue() for stream in streams)


@pytest.mark.fault("console-encoding", "minisam", "minisam check", "minisam specification")
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii"])
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_everything_can_be_printed_in_an_old_encoding(words, encoding, monkeypatch):
    code, *modern = printed(words, "utf-8", monkeypatch)
    assert printed(words, encoding, monkeypatch) == (
        code, *(text.decode().encode(encoding, "backslashreplace") for text in modern)
    )  # fmt: skip


@pytest.mark.fault("console-encoding", "minisam check")
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii"])
def test_a_verdict_can_be_printed_in_an_old_encoding(encoding, tmp_path):
    step = "def step(w, grad_fn, *, rho, lr):\n    print('ρ')\n    return grad_fn(w)\nprint('η')\n"
    (tmp_path / "sam.py").write_text(step, encoding="utf-8")
    done = subprocess.run(
        [*MINISAM, "check", "sam.py:step", "--probe", "sam-one-tensor"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding},
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert r"\u2192" in done.stdout.decode(encoding)  # → before each advice


def left(words, **options):
    """Run minisam with a reader that reads nothing; return its exit code and standard error."""
    process = subprocess.Popen(
        [*MINISAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    return process.wait(), error


@pytest.mark.fault("output-mixed", "minisam check", "minisam specification")
@pytest.mark.parametrize("words", [["specification"], ["check", "--list"], ["check", "--help"]])
def test_a_reader_that_leaves_is_no_error(words):
    assert left(words) == (0, b"")


@pytest.mark.fault("output-mixed", "minisam check", "minisam specification")
@pytest.mark.parametrize("door", [["check"], ["specification", "two-gradients", "--try"]])
def test_the_verdict_counts_though_nobody_reads_the_report(door, tmp_path):
    step = "def step(w, grad_fn, *, rho, lr):\n    return grad_fn(w)\n"
    (tmp_path / "sam.py").write_text(step)
    assert left([*door, "sam.py:step"], cwd=tmp_path) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full disk")
@pytest.mark.fault("file-written", "minisam check", "minisam specification")
@pytest.mark.parametrize("words", [["specification"], ["specification", "2"], ["check", "--list"]])
def test_a_full_disk_is_told_in_one_line(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*MINISAM, *words], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"No space left on device" in done.stderr


def test_a_stream_of_another_kind_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", object())
    console.take_any_text()
    monkeypatch.setattr(sys, "stdout", None)
    console.take_any_text()
    assert console.flush()
