import gc
import itertools
import os
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from nn.conftest import always_in_parts  # noqa: F401  # as in the networks' tests
from test_blas import interrupted

from minisam import blas, threads

PROGRAM = """
import hashlib
import numpy as np
from minisam.nn.kernels.convolution import convolution, input_gradient, weight_gradient
from minisam.nn.kernels.pooling import max_pool
from minisam.threads import workers
rng = np.random.default_rng(0)
x, w, b = (rng.standard_normal(s).astype(np.float32) for s in ((64, 32, 32, 8), (3, 3, 8, 16), 16))
one = (1, 1)
y = convolution(x, w, b, one, one, True)
results = y, input_gradient(y, w, (32, 32), one, one), weight_gradient(x, y, (3, 3), one, one)
digest = hashlib.sha256(b"".join(a.tobytes() for a in (*results, max_pool(y))))
print(workers(), digest.hexdigest())
"""


@pytest.mark.parametrize("batch", [1, 3, 8, 9, 127])
def test_parts_cover_the_batch_once(batch):
    indices = np.concatenate([np.arange(batch)[part] for part in threads.split_batch(batch)])
    np.testing.assert_array_equal(indices, np.arange(batch))


def test_results_come_in_order():
    parts = threads.over_batch(lambda part: part.start, 80, size=80)
    assert parts == list(range(0, 80, 10))


def test_small_work_is_one_part(monkeypatch):
    monkeypatch.setattr(threads, "SMALLEST_WORK", 81)
    parts = threads.over_batch(lambda part: (part.start, part.stop), 80, size=80)
    assert parts == [(0, 80)]


def test_parts_are_no_smaller_than_what_pays(monkeypatch):
    """From one part just below to all of them, by the size alone."""
    monkeypatch.setattr(threads, "SMALLEST_WORK", 100)
    counts = [len(threads.over_batch(lambda part: part, 80, size)) for size in (99, 100, 399, 400)]
    assert counts == [1, 2, 7, 8]


def test_an_error_in_a_part_is_raised_and_blas_has_its_threads_again():
    if blas._blas() is None:
        pytest.skip("NumPy is not built with OpenBLAS")

    def fail(part):
        raise ZeroDivisionError(str(part))

    before = threads.workers()
    with pytest.raises(ZeroDivisionError):
        threads.over_batch(fail, 80, size=80)
    blas._blas.cache_clear()
    assert blas._blas()[1] == before


def test_what_a_helper_raises_is_raised():
    """The caller waits in its own part until the helper has failed in the other one."""
    if threads.workers() == 1:
        pytest.skip("NumPy is not built with OpenBLAS")
    caller, failed = threading.get_ident(), threading.Event()

    def fail_elsewhere(part):
        if threading.get_ident() == caller:
            assert failed.wait(10)
            return
        failed.set()
        raise ZeroDivisionError(str(part))

    with pytest.raises(ZeroDivisionError):
        threads.over_batch(fail_elsewhere, 80, size=80)


def test_work_within_work_does_not_wait_for_a_helper_that_is_busy():
    """The one helper has half of the outer work; the inner work of both is done all the same."""

    def outer(part):
        return threads.over_batch(lambda inner: part.start + inner.start, 8, size=8)

    assert threads.over_batch(outer, 16, size=16) == [
        [first + inner for inner in range(8)] for first in range(0, 16, 2)
    ]


def test_help_is_given_once_or_called_off():
    calls = []
    given = threads.Help(lambda: calls.append("given"))
    given.give()
    given.end()
    given.give()
    late = threads.Help(lambda: calls.append("late"))
    late.end()
    late.give()
    assert calls == ["given"]
    assert late.errors == []


def test_help_that_was_called_off_keeps_no_array_until_a_helper_finds_it():
    """A step's peak of memory was a tenth higher with the arrays of one kernel more."""

    class Array:
        pass

    array = Array()
    kept = weakref.ref(array)
    late = threads.Help(lambda array=array: array)
    del array
    assert kept() is not None
    late.end()
    assert kept() is None
    late.give()


@pytest.mark.parametrize("failing", [{"caller"}, {"helper"}, {"caller", "helper"}])
def test_after_an_error_no_part_is_begun_and_no_array_is_kept(failing):
    """Not even until Python looks for objects that refer to each other."""
    if threads.workers() == 1:
        pytest.skip("NumPy is not built with OpenBLAS")

    def array_of_failed_work() -> weakref.ref:
        caller, begun = threading.get_ident(), []
        both, array = threading.Barrier(2, timeout=10), np.ones(3)

        def fail(part):
            begun.append(array[:0])
            if len(begun) <= 2:
                both.wait()
            if ("caller" if threading.get_ident() == caller else "helper") in failing:
                raise ZeroDivisionError
            time.sleep(0.05)  # meanwhile the other one fails

        with pytest.raises(ZeroDivisionError):
            threads.over_batch(fail, 80, size=80)
        assert len(begun) < 8
        return weakref.ref(array)

    gc.disable()
    try:
        assert array_of_failed_work()() is None
    finally:
        gc.enable()


def test_where_no_thread_can_be_started_the_caller_does_all_the_work(monkeypatch):
    """As in what Python 3.12 calls when it ends."""

    def start(thread):
        raise RuntimeError("can't start new thread")

    threads._helpers.cache_clear()
    try:
        monkeypatch.setattr(threads.Thread, "start", start)
        assert threads.over_batch(lambda part: part.start, 4, size=4) == [0, 1, 2, 3]
    finally:
        threads._helpers.cache_clear()


def test_helpers_handle_floating_point_errors_as_their_caller_does():
    """With a smaller buffer than the caller's, and while BLAS has one thread."""
    if threads.workers() == 1:
        pytest.skip("NumPy is not built with OpenBLAS")
    met = threading.Barrier(2, timeout=10)  # one part here, one in the helper's thread
    before = 2 * threads.BUFFER

    def work(part):
        met.wait()
        return np.geterr()["over"], np.getbufsize(), blas.openblas("get_num_threads")()

    with np.errstate(over="raise"):  # at whose end the buffer has its size again
        np.setbufsize(before)
        assert threads.over_batch(work, 2, size=2) == [("raise", threads.BUFFER, 1)] * 2
        assert np.getbufsize() == before


def test_there_are_no_more_threads_than_parts(monkeypatch):
    monkeypatch.setattr(blas, "threads", lambda: 64)
    assert threads.workers.__wrapped__() == threads.PARTS


def run(count: int) -> list[str]:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(count), "OMP_NUM_THREADS": str(count)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_kernels_have_the_same_bits_whatever_the_number_of_threads():
    one, two = run(1), run(2)
    assert one[0] == "1"
    assert one[1:] == two[1:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_starts_threads_of_its_own():
    program = """
import os, threading, warnings
warnings.simplefilter("ignore")
from minisam import threads
def work():  # takes two threads
    met = threading.Barrier(2, timeout=20)
    return threads.over_batch(lambda part: met.wait() < 2, 2, size=threads.SMALLEST_WORK)
work()
child = os.fork()
if child == 0:
    try:
        os._exit(0 if work() == [True, True] else 1)
    finally:
        os._exit(2)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    if blas._blas() is None:
        pytest.skip("NumPy is not built with OpenBLAS")
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


def test_an_interrupt_at_any_step_leaves_nothing_changed():
    """Neither NumPy's state nor BLAS's, once its next block ends."""
    before = np.geterr(), np.getbufsize()
    for step in itertools.count(1):
        if not interrupted(lambda: threads.over_batch(lambda part: part.start, 4, size=4), step):
            break
        assert threads.over_batch(lambda part: part.start, 4, size=4) == [0, 1, 2, 3]
        assert (np.geterr(), np.getbufsize()) == before
        assert not blas._blocks
    assert step > 20
