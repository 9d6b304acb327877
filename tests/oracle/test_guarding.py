import importlib.util
import linecache
import signal
import threading
import time

import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.plain import plain
from minisam.oracle.checking import check
from minisam.oracle.guarding import Raised
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch


def test_nothing_that_an_implementation_prints_reaches_the_screen(capsys):
    check(known.prints, dtype="float64")
    assert capsys.readouterr() == ("", "")


def test_a_step_that_hangs_is_left_behind_outside_the_main_thread():
    traces = []
    thread = threading.Thread(
        target=lambda: traces.append(
            watch(plain(known.hangs), PROBES["sam-one-tensor"], "float64", timeout=0.1)
        )
    )
    thread.start()
    thread.join(5)
    assert traces[0].fault.cause == "hangs"


@pytest.mark.fault("alarm-of-the-caller", "oracle.check")
def test_an_alarm_of_the_caller_still_rings():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        assert check(known.right, dtype="float64", probes=["sam-one-tensor"]).conforms
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 1000
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while not rung:
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.fault("alarm-of-the-caller", "oracle.check")
def test_what_the_caller_raises_in_its_alarm_is_no_fault_of_the_step():
    class Enough(Exception):
        pass

    def enough(*_):
        raise Enough

    before = signal.signal(signal.SIGALRM, enough)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(Enough):
            check(known.hangs, dtype="float64")
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.fault("ends-the-process", "oracle.check")
def test_no_exception_of_a_step_comes_out():
    class Odd(BaseException):
        def __str__(self):
            raise ValueError("no text")

    def step(w, grad_fn, *, rho, lr):
        raise Odd

    report = check(step, dtype="float64", probes=["sam-one-tensor"])
    assert (report.verdict, report.cause) == ("adapter error", "raises Odd")


BROKEN = """
import json, numpy as np

def step(w, grad_fn, *, rho, lr):
    return descend(w, grad_fn)

def descend(w, grad_fn):
    return {}
"""


MISTAKES = {
    "in the file": "grad_fn(d3)",
    "in Python's library": "json.loads('')",
    "in a package": "np.linalg.norm(w[0], axis=9)",
    "in minisam": "__import__('minisam').sgd(lr=None)",
}


def told(folder, line):
    (folder / "mysam.py").write_text(BROKEN.format(line), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("mysam", folder / "mysam.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(watch(plain(module.step), PROBES["sam-one-tensor"], "float64").fault)


@pytest.mark.fault("said-of-the-code", "oracle.check")
@pytest.mark.parametrize("place", MISTAKES)
def test_an_exception_is_told_with_the_last_line_of_its_authors_own(place, tmp_path):
    fault = told(tmp_path, MISTAKES[place])
    assert fault.endswith(f' (mysam.py, line 8: "return {MISTAKES[place]}")')
    assert str(tmp_path) not in fault


@pytest.mark.fault("said-of-the-code", "oracle.check")
def test_a_line_that_was_changed_since_is_read_again_and_a_long_one_is_cut(tmp_path):
    assert 'line 8: "return d3")' in told(tmp_path, "d3")
    long = told(tmp_path, "missing + " + "1 + " * 50 + "1")
    assert long.endswith('1 + 1 …")')
    assert len(long.split('"')[1]) == 60


@pytest.mark.fault("said-of-the-code", "oracle.check")
def test_a_cell_of_a_notebook_is_called_a_cell(monkeypatch):
    file, cell = "/tmp/ipykernel_7/1234.py", "raise KeyError('rho')\n"
    monkeypatch.setitem(linecache.cache, file, (len(cell), None, [cell], file))
    with pytest.raises(KeyError) as info:
        exec(compile(cell, file, "exec"), {})
    assert str(Raised(info.value)) == f"KeyError: 'rho' (cell, line 1: \"{cell.strip()}\")"


@pytest.mark.fault("said-of-the-code", "oracle.check")
def test_where_no_line_is_the_authors_own_none_is_told():
    code = compile("raise KeyError('rho')", "no file", "exec")
    with pytest.raises(KeyError) as info:
        exec(code, {})
    error = info.value.with_traceback(info.value.__traceback__.tb_next)
    assert str(Raised(error)) == "KeyError: 'rho'"


@pytest.mark.fault("time-limit-swallowed", "oracle.check")
def test_a_list_that_never_ends_is_no_way_out():
    class Endless(list):
        def __iter__(self):
            while True:
                yield np.zeros(2)

    def step(w, grad_fn, *, rho, lr):
        return Endless(w)

    report = check(step, dtype="float64", probes=["sam-one-tensor"], timeout=0.1)
    assert report.cause == "hangs"
