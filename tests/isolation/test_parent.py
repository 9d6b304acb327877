"""Untrusted code in a process of its own: what it does stays there, and it is always ended."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minisam.isolation import parent
from minisam.isolation.parent import Ended, run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals and locks of Unix")


def call(name, *arguments):
    return list(run(f"child_functions:{name}", *arguments))


def gather(name, *arguments):
    """What a function yields until its process ends, and how it ends."""
    values = []
    with pytest.raises(Ended) as end:
        values.extend(run(f"child_functions:{name}", *arguments))
    return str(end.value)


def is_free(path):
    """Whether nobody holds the lock any more; waits for one that is about to let go."""
    with open(path, "a") as file:
        for _ in range(600):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                time.sleep(0.1)
    return False


def test_values_come_as_they_are_yielded():
    assert call("counts", 3) == [0, 1, 2]
    values = run("child_functions:raises")
    assert next(values) == 1
    with pytest.raises(Ended, match="it raised KeyError: 'rho'"):
        next(values)


@pytest.mark.fault("ends-the-process", "parent.run")
@pytest.mark.parametrize("code", [0, 3])
def test_an_exit_is_told_with_its_code(code):
    assert gather("leaves", code) == f"a step ended the process with exit code {code}"


@pytest.mark.fault("ends-the-process", "parent.run")
def test_the_last_line_that_was_printed_says_why():
    assert gather("says_goodbye") == (
        "the import ended the process with exit code 2; it printed: homework: error: no data"
    )


@pytest.mark.fault("ends-the-process", "parent.run")
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
def test_a_crash_is_told_with_its_signal(number):
    text = signal.strsignal(number)
    assert gather("is_killed", number) == f"a step was killed by signal {number:d} ({text})"


@pytest.mark.fault("ends-the-process", "parent.run")
def test_a_function_that_is_not_there_is_told():
    assert gather("nothing") == "it raised AttributeError: module 'child_functions' has no " + (
        "attribute 'nothing'"
    )


@pytest.mark.fault("time-limit-swallowed", "parent.run")
def test_what_catches_everything_is_killed(tmp_path):
    assert gather("never_ends", 0.2, str(tmp_path / "lock")) == "a step did not return within 0.2 s"
    assert is_free(tmp_path / "lock")


@pytest.mark.fault("time-limit-swallowed", "parent.run")
def test_what_it_started_ends_with_it(tmp_path):
    assert call("starts_others", str(tmp_path / "lock")) == ["started"]
    assert is_free(tmp_path / "lock")


LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds orphans on Linux")


@LINUX
@pytest.mark.fault("time-limit-swallowed", "parent.run")
@pytest.mark.parametrize("then", ["returns", "exits", "is killed", "stays"])
def test_what_hides_from_it_ends_with_it(tmp_path, then):
    values = run("child_functions:hides", str(tmp_path / "lock"), then)
    assert next(values) == "hidden"
    if then in ("exits", "is killed"):
        how = {"exits": "exit code 3", "is killed": "signal 9"}[then]
        with pytest.raises(Ended, match=how):
            next(values)
    values.close()
    assert is_free(tmp_path / "lock")


@LINUX
def test_without_a_warden_it_would_not(tmp_path, monkeypatch):
    alone = "import minisam.isolation.warden as w; w.takes_orphans = lambda: False; "
    monkeypatch.setattr(parent, "START", alone + parent.START)
    assert call("hides", str(tmp_path / "lock")) == ["hidden"]
    with open(tmp_path / "lock", "a") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (hidden,) = holders(tmp_path / "lock")
    os.kill(hidden, signal.SIGKILL)
    assert is_free(tmp_path / "lock")


def holders(path):
    """The processes that have a file open."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.readlink() == path:
                found.append(int(link.parts[2]))
    return sorted(set(found) - {os.getpid()})


@pytest.mark.fault("output-mixed", "parent.run")
def test_what_is_printed_is_no_message():
    assert call("prints") == ["the truth"]


def test_nobody_answers_a_question():
    assert call("asks") == ["nobody answers"]


@pytest.mark.fault("ends-the-process", "parent.run")
def test_a_copy_of_the_process_says_nothing():
    assert call("forks_and_goes_on") == [0, 1, 2]


@pytest.mark.fault("ends-the-process", "parent.run")
def test_a_copy_that_lives_on_is_not_waited_for():
    assert gather("forks_and_leaves") == "a step ended the process with exit code 0"


@pytest.mark.fault("ends-the-process", "parent.run")
def test_a_process_that_closes_its_pipe_is_ended():
    assert "ended the process" in gather("closes_everything")


@pytest.mark.fault("module-of-another", "parent.run")
def test_a_module_in_the_current_folder_is_not_the_childs(tmp_path, monkeypatch):
    for name in ("json", "threading", "minisam"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(0)")
    monkeypatch.chdir(tmp_path)
    assert call("imports", "json") == [json.__file__]


def test_the_parents_words_are_not_the_childs(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["minisam", "check", "x.py:step"])
    assert call("arguments") == [[]]


@pytest.mark.fault("time-limit-swallowed", "parent.run")
@pytest.mark.parametrize(("function", "number"), [
    ("never_ends', 1000, 'lock'", signal.SIGINT), ("never_ends', 1000, 'lock'", signal.SIGTERM),
    ("never_ends', 1000, 'lock'", signal.SIGKILL),
    pytest.param("hides', 'lock', 'stays'", signal.SIGKILL, marks=LINUX),
])  # fmt: skip
def test_it_ends_with_its_parent(tmp_path, function, number):
    code = (
        "from minisam.isolation.parent import run\n"
        f"for value in run('child_functions:{function}): print(value, flush=True)"
    )
    path = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout.readline() in (b"locked\n", b"hidden\n")
    process.send_signal(number)
    assert process.wait() != 0
    process.stdout.close()
    assert is_free(tmp_path / "lock")


@pytest.mark.fault("time-limit-swallowed", "parent.run")
def test_it_ends_when_nobody_wants_more_values(tmp_path):
    values = run("child_functions:never_ends", 1000, str(tmp_path / "lock"))
    assert next(values) == "locked"
    values.close()
    assert is_free(tmp_path / "lock")
