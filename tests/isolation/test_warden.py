"""What stands above untrusted code ends as it ended, and finds whatever descends from it."""

import os
import select
import signal
import subprocess
import sys

import pytest

from minisam.isolation import warden
from minisam.isolation.warden import below, end_below

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="asks Linux for orphans"
)
WAITS = "import sys, time; print(1, flush=True); time.sleep(1000)"
FAMILY = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {WAITS!r}])"


def begin(*words, **options):
    command = [sys.executable, "-I", "-S", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


ORPHAN = """import os, time
if not os.fork():
    os.fork()
    os._exit(7)
os.wait()
time.sleep(0.6)  # longer than the warden waits between two looks
os._exit(3)"""


@pytest.mark.parametrize(("code", "due"), [
    ("import signal as s; assert s.SIGCHLD not in s.pthread_sigmask(s.SIG_BLOCK, [])", 0),
    (ORPHAN, 3),  # an orphan's end is not the child's
    ("", 0), ("raise SystemExit(3)", 3), ("import os; os._exit(255)", 255), ("1 / 0", 1),
    ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ("import os; os.kill(os.getpid(), 11)", -signal.SIGSEGV),
    ("import signal; signal.pthread_sigmask(0, [15]); signal.raise_signal(13)", 0),  # as of Python
])  # fmt: skip
def test_it_ends_as_the_child_did(tmp_path, code, due):
    (tmp_path / "child.py").write_text(f"import sys; assert sys.argv[1:] == ['a']\n{code}")
    process = begin(warden.__file__, tmp_path / "child.py", "a", stderr=subprocess.DEVNULL)
    process.communicate()
    assert process.returncode == due


def test_it_holds_no_pipe_of_the_child_open(tmp_path):
    text = "import os, sys; os.close(1); os.close(2); sys.stdin.read()"
    (tmp_path / "child.py").write_text(text)
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = begin(warden.__file__, tmp_path / "child.py", **pipes)
    try:
        for pipe in (process.stdout, process.stderr):
            assert select.select([pipe], [], [], 30)[0]
            assert pipe.read() == ""
        assert process.poll() is None
    finally:
        process.communicate("")  # the child ends with its input
    assert process.returncode == 0


def test_where_there_are_no_orphans_to_take_the_child_is_alone(monkeypatch):
    monkeypatch.setattr(warden.sys, "platform", "darwin")
    assert warden.stand() is False


def test_descendants_are_found_and_ended_and_nobody_else():
    family, other = begin("-c", FAMILY), begin("-c", WAITS)
    for one in (family, other):
        assert one.stdout.readline() == "1\n"
    assert len(below(family.pid)) == 1
    assert set(below(os.getpid())) >= {family.pid, other.pid, *below(family.pid)}
    end_below(family.pid)
    assert family.wait() == 0  # its child is gone, and it goes on
    assert other.poll() is None
    other.kill()
    other.communicate()
    family.communicate()
    assert not below(family.pid)


def test_what_is_started_meanwhile_is_ended_too(monkeypatch):
    rounds, ended = [{11: True}, {11: False, 12: True}, {12: False}, {13: True}], []
    monkeypatch.setattr(warden, "below", lambda process: rounds.pop(0))
    monkeypatch.setattr(warden.os, "kill", lambda process, number: ended.append(process))
    end_below(10)
    assert ended == [11, 11, 12, 12]
    assert rounds == [{13: True}]  # once none is alive, nobody looks again


def test_a_name_like_the_rest_of_the_line_hides_nobody():
    one = begin("-c", f"open('/proc/self/comm', 'w').write('a) Z 1 '); {WAITS}")
    assert one.stdout.readline() == "1\n"
    assert below(os.getpid())[one.pid] is True
    one.kill()
    one.communicate()
