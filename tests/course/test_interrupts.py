"""What asks the grader to end ends it in order, and only once."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from course import submissions as known

from minisam.course.interrupts import interruptible, undisturbed

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a system without signals")


@pytest.fixture(autouse=True)
def not_ignored():
    """As in a terminal, also where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGHUP", 0)])
def test_every_signal_that_ends_a_program_is_like_ctrl_c(number):
    before = signal.getsignal(number)
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        for again in (number, signal.SIGINT):  # what ends is not disturbed
            os.kill(os.getpid(), again)
    assert signal.getsignal(number) is before


def test_what_must_come_to_its_end_does():
    with interruptible():
        with undisturbed():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(os.getpid(), number)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_is_ignored_stays_so():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    with interruptible():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_another_thread_changes_no_handler():
    def enter():
        with interruptible():
            seen.append(signal.getsignal(signal.SIGTERM))

    seen = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


@pytest.mark.fault("ends-the-process", "minisam course grade")
def test_a_class_that_is_ended_leaves_no_child_and_no_folder(tmp_path):
    work = tmp_path / "in" / "ann" / "hw2.py"
    work.parent.mkdir(parents=True)
    work.write_text(known.HANGS["asleep"])
    (tmp_path / "tmp").mkdir()
    words = ["grade", work.parent.parent, "--assignment", "a2", "--out", tmp_path / "out",
             "--as-root"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "minisam", "course", *map(str, words)],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    with process:
        for line in process.stderr:
            if b"0 of 1" in line:  # the grader's test of itself is over
                break
        while not list((tmp_path / "tmp").iterdir()) and process.poll() is None:
            time.sleep(0.01)  # until there is a child
        for _ in range(3):  # an impatient person, too
            process.send_signal(signal.SIGTERM)
        said = process.stderr.read().decode()
    assert process.returncode == 130
    assert "interrupted" in said
    assert list((tmp_path / "tmp").iterdir()) == []
