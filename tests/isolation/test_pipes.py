"""A process between pipes: nothing that it writes, or leaves unread, makes anybody wait."""

import queue
import sys
import textwrap

import pytest

from minisam.isolation.pipes import KEPT_BYTES, PipedProcess


def start(code):
    lines = queue.SimpleQueue()
    return PipedProcess([sys.executable, "-S", "-c", code], lines.put), lines


def test_lines_arrive_one_by_one_and_none_is_the_end():
    piped, lines = start("for line in open(0): print(line.upper(), end='', flush=True)")
    for word in ("a", "b"):
        piped.send(word)
        assert lines.get(timeout=60) == word.upper().encode() + b"\n"
    piped.close()
    assert lines.get(timeout=60) is None
    assert piped.process.stdout.closed


def test_of_a_flood_of_errors_the_end_is_kept():
    piped, lines = start(f"import os; os.write(2, b'x' * {100 * KEPT_BYTES} + b'\\nthe end\\n')")
    assert lines.get(timeout=60) is None
    piped.process.wait()
    first, last = piped.last_lines()
    assert (set(first), last) == ({"x"}, "the end")
    assert len(piped.printed) == KEPT_BYTES
    piped.close()


@pytest.mark.fault("ends-the-process", "oracle.process")
def test_a_line_to_a_process_that_has_ended_is_no_error():
    piped, _ = start("")
    piped.process.wait()
    piped.send("are you there?")
    assert piped.process.poll() == 0
    piped.close()


def test_another_process_that_holds_the_pipes_is_not_waited_for(tmp_path):
    waits = f"""
        import os, time
        while not os.path.exists({str(tmp_path / "end")!r}): time.sleep(0.01)
    """
    code = f"subprocess.Popen([sys.executable, '-S', '-c', {textwrap.dedent(waits)!r}])"
    piped, _ = start(f"import subprocess, sys; {code}")
    piped.close()
    assert all(reader.is_alive() for reader in piped.readers)
    (tmp_path / "end").touch()
    for reader in piped.readers:
        reader.join()
    piped.close()
    assert piped.process.stdout.closed
