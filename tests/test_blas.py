import inspect
import itertools
import os
import subprocess
import sys
import threading
import types
from unittest.mock import MagicMock

import pytest
from nn.conftest import always_in_parts  # noqa: F401  # with two threads wherever this runs

from minisam import blas


def number_of_blas_threads() -> int:
    return blas.openblas("get_num_threads")()


def test_blas_has_one_thread_in_a_block_of_own_threads_but_for_its_products():
    if blas._blas() is None:
        pytest.skip("NumPy is not built with OpenBLAS")
    before = number_of_blas_threads()
    seen = []
    with blas.own_threads():
        seen.append(number_of_blas_threads())
        with blas.blas_threads():
            seen.append(number_of_blas_threads())
        seen.append(number_of_blas_threads())
        with blas.own_threads():
            pass
        seen.append(number_of_blas_threads())
    with blas.blas_threads():
        seen.append(number_of_blas_threads())
    assert before == blas._blas()[1] > 1
    assert seen == [1, before, 1, 1, before]
    assert number_of_blas_threads() == before


def test_a_product_of_blas_that_outlasts_own_threads_leaves_blas_its_threads():
    """As when another thread's gradient ends meanwhile."""
    if blas._blas() is None:
        pytest.skip("NumPy is not built with OpenBLAS")
    gradient, product = blas.own_threads(), blas.blas_threads()
    gradient.__enter__()
    product.__enter__()
    gradient.__exit__(None, None, None)
    product.__exit__(None, None, None)
    assert number_of_blas_threads() == blas._blas()[1]


def test_a_limit_that_the_user_set_holds_outside_of_blocks():
    if blas._blas() is None:
        pytest.skip("NumPy is not built with OpenBLAS")
    set_threads, count = blas._blas()
    set_threads(1)
    with blas.blas_threads():
        assert number_of_blas_threads() == 1
    set_threads(count)


def test_a_block_that_was_left_behind_may_be_collected_where_another_begins_or_ends():
    def collect():
        left = blas.own_threads()
        left.__enter__()
        with blas._lock:
            del left
        ended.set()

    ended = threading.Event()
    threading.Thread(target=collect, daemon=True).start()
    assert ended.wait(10)
    assert not blas._blocks


def interrupted(work, step) -> bool:
    """Call a function and interrupt it after so many calls and returns, or never.

    Those of generators are left out: where one is resumed, Python meets a signal inside ``try``.
    """
    steps = itertools.count(1)

    def interrupt(frame, event, arg):
        generator = frame.f_code.co_flags & inspect.CO_GENERATOR
        if (event == "c_return" or not generator) and next(steps) == step:
            raise KeyboardInterrupt

    sys.setprofile(interrupt)  # until it raises
    try:
        work()
        sys.setprofile(None)
    except KeyboardInterrupt:
        return True
    return False


def test_an_interrupt_at_any_step_leaves_no_block_behind(monkeypatch):
    """At most BLAS has one thread until the next block ends."""
    now = [2]
    monkeypatch.setattr(blas, "_blas", lambda: (lambda count: now.append(count), 2))

    @blas.own_threads()
    def work():
        with blas.own_threads(), blas.blas_threads():
            pass

    for step in itertools.count(1):
        if not interrupted(work, step):
            break
        with blas.own_threads():
            assert now[-1] == 1
        assert now[-1] == 2
    assert step > 20


def test_who_is_interrupted_while_waiting_to_end_a_block_leaves_none_behind(monkeypatch):
    waited_for = MagicMock()
    waited_for.__enter__.side_effect = KeyboardInterrupt
    block = blas.own_threads()
    block.__enter__()
    with monkeypatch.context() as patch:
        patch.setattr(blas, "_lock", waited_for)
        with pytest.raises(KeyboardInterrupt):
            block.__exit__(None, None, None)
    assert not blas._blocks
    with blas.own_threads():  # after which BLAS has its threads again
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_waits_for_no_thread_of_its_parent():
    """One that is within a block, and about to end it; nor for who forked, where it has another."""
    program = """
import os, signal, threading, warnings
from minisam import blas
warnings.simplefilter("ignore")
within, done = threading.Event(), threading.Event()
def stay():
    with blas.own_threads(), blas._lock:
        within.set()
        done.wait()
def product():
    with blas.own_threads(), blas.blas_threads():
        pass
thread = threading.Thread(target=stay)
thread.start()
within.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    product()
    thread = threading.Thread(target=product)
    thread.start()
    thread.join()
    os._exit(len(blas._blocks))
done.set()
thread.join()
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


@pytest.mark.parametrize("names", ["scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_"])
@pytest.mark.fault("missing-from-the-platform", "threads")
def test_openblas_is_found_under_the_names_of_any_build(names, monkeypatch):
    function = names.format("get_corename")
    library = types.SimpleNamespace(**{function: "found"})
    monkeypatch.setattr(blas.ctypes, "CDLL", lambda path: library)
    assert blas.openblas("get_corename") == "found"
    assert blas.openblas("get_config") is None


def test_products_on_one_thread_do_not_wait_for_each_other(monkeypatch):
    """As those of a program that trains a network on each of its threads."""
    monkeypatch.setattr(blas, "_blas", lambda: (lambda count: None, 1))
    held = MagicMock()
    held.__enter__.side_effect = AssertionError("waited for the product of another thread")
    monkeypatch.setattr(blas, "_product", held)
    with blas.own_threads(), blas.blas_threads():
        assert not held.__enter__.called


@pytest.mark.parametrize("absent", ["library", "private module", "get_", "set_"])
@pytest.mark.fault("missing-from-the-platform", "threads")
def test_where_blas_cannot_be_asked_or_set_there_is_one_thread(absent, monkeypatch):
    def library(path):
        if absent == "library":
            raise OSError(path)
        both = {f"openblas_{do}_num_threads": lambda *_: 2 for do in ("get", "set")}
        return types.SimpleNamespace(**{k: f for k, f in both.items() if absent not in k})

    monkeypatch.setattr(blas.ctypes, "CDLL", library)
    if absent == "private module":
        monkeypatch.delattr(blas.np.linalg, "_umath_linalg")
    monkeypatch.setattr(blas, "_blas", blas._blas.__wrapped__)
    assert blas.threads() == 1
    with blas.own_threads(), blas.blas_threads():
        pass


def test_a_fork_does_not_wait_for_a_product_of_its_own_thread(monkeypatch):
    """As where a signal's handler forks."""
    monkeypatch.setattr(blas, "_blas", lambda: (lambda count: None, 2))
    with blas.own_threads(), blas.blas_threads():
        assert blas._product.acquire(blocking=False)
        blas._product.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_waits_for_a_product_on_all_of_blas_threads():
    """OpenBLAS ends them before a fork; the product waited for them, and its process for ever.

    In a gradient or, as where a network is evaluated, in none.
    """
    program = """
import os, threading, warnings
warnings.simplefilter("ignore")
import numpy as np
from minisam import blas
a, ended = np.ones((400, 400)), threading.Event()

def products():
    while not ended.is_set():
        with blas.own_threads(), blas.blas_threads():
            a @ a
        with blas.blas_threads():
            a @ a

thread = threading.Thread(target=products, daemon=True)
thread.start()
for _ in range(30):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
ended.set()
thread.join()
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
