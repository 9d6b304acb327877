"""A submission does what it likes in its child; the grader stays, and nothing is left behind."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from course import submissions as known

from minisam.course.child import Told
from minisam.course.guard import CHILD, WALL, Guard
from minisam.course.pupil import (
    CannotGrade,
    Pupil,
    Stopped,
    chosen_guard,
    waited_for_processor,
)

FIND = """
import os, stat
def ends():
    found = []
    for n in range(3, 32):
        try:
            if stat.S_ISFIFO(os.fstat(n).st_mode): os.write(n, b""); found.append(n)
        except OSError: pass
    return found
END = ends()[-1]
"""
LATE = f"{FIND}def f():\n    %s\n    return 1.0\n"


@pytest.fixture
def pupil(guard, tmp_path, monkeypatch):
    """A maker of children; all are closed, and nothing is left of any."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = []

    def make(text, **changed):
        one = Pupil(guard._replace(**changed), "hw.py")
        made.append(one)
        one.ask("run", [text], True)
        return one

    yield make
    for one in made:
        one.close()
        assert one.process.poll() is not None
        assert not marked(one.mark)
    assert list(tmp_path.iterdir()) == []


def marked(mark):
    """The processes that carry a child's mark and are not dead."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            dead = (path / "stat").read_text().rpartition(") ")[2][:1] in "ZX"
            if mark.encode() in (path / "environ").read_bytes() and not dead:
                found.append(path.name)
        except OSError:
            continue
    return found


def test_a_function_is_called_and_may_ask_back(pupil):
    one = pupil(known.text_of(known.RIGHT))
    w = [np.array([3.0, 4.0])]
    value, after = one.call("right", w, lambda p: [2 * x for x in p], rho=0.5, lr=0.25)
    np.testing.assert_allclose(value[0], [1.5 - 0.15, 2 - 0.2], rtol=1e-12)
    np.testing.assert_array_equal(after[0][0], w[0])


def test_the_child_has_numpy_and_not_us(pupil):
    one = pupil("def f():\n    import minisam")
    with pytest.raises(Told, match="No module named 'minisam'"):
        one.call("f")


def test_nothing_of_ours_is_in_its_environment(pupil, monkeypatch):
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    one = pupil("import os\ndef f():\n    return sorted(os.environ)")
    assert "SECRET_OF_OURS" not in one.call("f")[0]


@pytest.mark.fault("input-bomb", "minisam course grade")
@pytest.mark.parametrize(
    "say",
    [
        "os.write(END, b'no JSON\\n')",
        'os.write(END, b\'{"value": [NaN], "after": []}\\n\')',
        'os.write(END, b\'{"value": 1.0, "after": []}\\n\')',
        'os.write(END, b\'{"unsupported": "x"}\\n\')',
        "os.write(END, b'[' * 1000 + b'\\n')",
        'os.write(END, b\'{"ask": 1, "args": []}\\n\')',
        "[os.write(END, b'x' * 65536) for _ in range(130)]",
    ],
)
def test_a_forged_reply_is_seen(pupil, say):
    one = pupil(LATE % say)
    with pytest.raises(Stopped) as caught:
        one.call("f")
    assert caught.value.how == "forged"


def test_a_reply_forged_in_advance_is_not_taken_for_the_next(pupil):
    line = '{"value": 5.0, "after": ["f", [], {"dict": []}]}'
    one = pupil(f"{FIND}def f():\n    os.write(END, b'{line}\\n')\n    return 1.0\n")
    assert one.call("f")[0] == 5.0  # as if it had returned that, and so it may
    with pytest.raises(Stopped):  # its own reply, which comes now, is none to this question
        one.call("f", 1.0)


def test_one_that_never_got_a_processor_is_no_zero(pupil, monkeypatch):
    one = pupil("def f(): return 1.0")
    waits = WALL * one.guard.seconds / 2
    for seconds, due in ((waits + 1, CannotGrade), (waits - 1, Stopped)):
        monkeypatch.setattr("minisam.course.pupil.waited_for_processor", lambda _, s=seconds: s)
        one.end_late()
        with pytest.raises(due, match=r"too busy|longer than"):
            raise one.stopped()


def test_one_that_sleeps_waits_for_no_processor(pupil):
    one = pupil("def f(): return 1.0")
    assert 0 <= waited_for_processor(one.process.pid) < WALL * one.guard.seconds / 2
    assert waited_for_processor(-1) == 0


def test_one_that_never_stops_talking_is_stopped(pupil):
    one = pupil(LATE % "\n    while True: os.write(END, b'[1]\\n' * 16000)")
    with pytest.raises(Stopped) as caught:
        one.call("f")
    assert caught.value.how in ("forged", "timed out")


def test_a_copy_of_the_child_does_not_answer(pupil):
    one = pupil("import os\ndef f():\n    os.fork()\n    return 1.0\ndef g():\n    return 2.0")
    assert [one.call("f")[0], one.call("g")[0], one.call("g")[0]] == [1.0, 2.0, 2.0]


def test_a_grandchild_in_a_session_of_its_own_ends_too(pupil):
    one = pupil(
        "import os, time\ndef f():\n    if not os.fork():\n        os.setsid()\n"
        "        while True: time.sleep(1)\n    return 1.0"
    )
    assert one.call("f")[0] == 1.0  # the fixture looks whether it is gone


HIDES = """
import os, sys
def hide():
    ends = os.pipe()
    if not os.fork():
        os.setsid()
        hidden = os.fork()
        if not hidden:
            wait = "import time; time.sleep(1000)"
            for pipe in (1, 2): os.dup2(0, pipe)
            os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", wait], {})
        os.write(ends[1], str(hidden).encode())
        os._exit(0)
    os.wait()
    return float(os.read(ends[0], 20))
def leave():
    os._exit(3)
"""
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds orphans on Linux")


def lives(process):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][:1] not in "ZX"
    return False


def hidden_by(one):
    """A process of a submission's that has no parent, another session and no environment."""
    process = int(one.call("hide")[0])
    until = time.monotonic() + 60
    while Path(f"/proc/{process}/environ").read_bytes() and time.monotonic() < until:
        time.sleep(0.01)
    assert lives(process)
    return process


@LINUX
@pytest.mark.fault("time-limit-swallowed", "minisam course grade")
@pytest.mark.parametrize("leaves", [False, True])
def test_a_grandchild_that_hides_ends_too(pupil, leaves):
    one = pupil(HIDES, bwrap=None, other_user=False)
    process = hidden_by(one)
    if leaves:
        with pytest.raises(Stopped, match="exit code 3"):
            one.call("leave")
    else:
        one.close()
    assert not lives(process)


@LINUX
def test_one_that_ends_what_stands_above_it_ends_itself(pupil):
    text = "import os, time\ndef f():\n    os.kill(os.getppid(), 9)\n    time.sleep(1000)"
    one = pupil(text, bwrap=None, other_user=False)
    with pytest.raises(Stopped, match="killed by signal 9"):
        one.call("f")  # and the fixture looks whether it is gone


@LINUX
def test_without_a_warden_it_would_not(pupil, monkeypatch):
    monkeypatch.setattr(Guard, "command", lambda self, folder, file: [
        self.python, "-I", "-S", "-X", "utf8", str(CHILD), file])  # fmt: skip
    one = pupil(HIDES, bwrap=None, other_user=False)
    process = hidden_by(one)
    one.close()
    assert lives(process)
    os.kill(process, signal.SIGKILL)


def test_a_grandchild_that_holds_the_pipe_does_not_hold_us(pupil):
    one = pupil(
        "import os, time\ndef f():\n    if not os.fork():\n        os.setsid()\n"
        "        time.sleep(100)\n    os._exit(3)"
    )
    with pytest.raises(Stopped, match="exit code 3"):
        one.call("f")


@pytest.mark.fault("time-limit-swallowed", "minisam course grade")
@pytest.mark.parametrize("how", ["while True: pass", "time.sleep(1000)"])
def test_what_takes_too_long_is_ended_in_time(pupil, how):
    one = pupil(f"import time\ndef f():\n    {how}", seconds=1)
    with pytest.raises((Stopped, CannotGrade), match=r"longer than 1 s|too busy") as caught:
        one.call("f")
    if "sleep" in how:  # it waits for no processor, however busy the machine is
        assert caught.value.how == "timed out"


def test_memory_is_limited(pupil):
    one = pupil("import numpy as np\ndef f():\n    return float(np.ones(10**9)[0])")
    with pytest.raises(Told, match="MemoryError"):
        one.call("f")


def test_files_are_limited_and_gone(pupil):
    one = pupil(
        "def f():\n    open('x', 'wb').write(b'x' * (1 << 22))\n    return 1.0", file_size=4096
    )
    with pytest.raises((Told, Stopped)):
        one.call("f")
    assert os.listdir(one.folder) or one.guard.bwrap  # and the fixture looks whether it is gone


@pytest.mark.fault("file-written", "minisam course grade")
def test_one_that_removes_its_folder_changes_nothing_around_it(pupil, tmp_path):
    tmp_path.chmod(0o1777)
    pupil("import os, shutil\nshutil.rmtree(os.getcwd())\n").close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_what_is_printed_is_kept_to_its_end(pupil):
    one = pupil("def f():\n    print('x' * 10**6)\n    print('the end')\n    return 1.0")
    one.call("f")
    one.kill()
    assert one.piped.last_lines()[-1] == "the end"
    assert len(one.piped.printed) < 1 << 16


@pytest.mark.parametrize(
    "broken",
    [
        {"python": "/no/such/python"},
        {"python": "/bin/false"},
        {"bwrap": "/no/such/bwrap"},
        {"memory": 1 << 20},
    ],
)
def test_a_broken_sandbox_is_no_fault_of_the_submission(broken):
    with pytest.raises(CannotGrade):
        chosen_guard(among=[Guard()._replace(**broken)])


def test_a_full_disk_is_no_fault_of_the_submission(guard, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(CannotGrade, match="No space left"):
        Pupil(guard)


def test_the_time_that_the_grader_takes_is_not_the_submissions(pupil):
    one = pupil("def f(ask):\n    return ask()", seconds=1)
    assert one.call("f", lambda: time.sleep(1.2) or 1.0)[0] == 1.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells the child")
def test_a_child_ends_with_the_grader(tmp_path):
    code = f"""
import tempfile
tempfile.tempdir = {str(tmp_path)!r}
from minisam.course.pupil import Pupil
from minisam.course.guard import Guard
one = Pupil(Guard())
one.ask("run", ["import time\\ndef f():\\n    time.sleep(1000)"], True)
print(one.mark, flush=True)
one.call("f")
"""
    grader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    mark = grader.stdout.readline().strip()
    assert marked(mark)
    grader.kill()
    grader.wait()
    grader.stdout.close()
    until = time.monotonic() + 30
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.05)
    assert not marked(mark)
