import functools
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import sweep_cells

from minisam.sweeps import workers
from minisam.sweeps.sweep import SweepError, sweep

quiet = functools.partial(sweep, progress=None)


def logged(log: Path) -> list[int]:
    return sorted(map(int, log.read_text().split())) if log.exists() else []


def test_results_come_in_order_with_settings_and_versions(tmp_path):
    cells = [{"x": x} for x in (3, 1, 2)]
    results = quiet(sweep_cells.square, cells, tmp_path)
    assert [r["result"]["square"] for r in results] == [9, 1, 4]
    assert [r["settings"] for r in results] == cells
    assert results[0]["function"] == "sweep_cells.square"
    assert results[0]["versions"]["numpy"] == np.__version__
    assert results[0]["seconds"] >= 0
    files = sorted((tmp_path / "cells").iterdir())
    assert len(files) == 3
    assert json.loads(files[0].read_text())["settings"] in cells


def test_a_finished_cell_is_never_run_again(tmp_path):
    log = tmp_path / "log"
    cells = [{"x": x, "log": str(log)} for x in range(4)]
    quiet(sweep_cells.square, cells[:2], tmp_path)
    quiet(sweep_cells.square, cells, tmp_path)
    again = quiet(sweep_cells.square, [*cells, cells[0]], tmp_path)
    assert logged(log) == [0, 1, 2, 3]
    assert [r["result"]["square"] for r in again] == [0, 1, 4, 9, 0]


def test_a_cell_tells_its_time_on_the_clock_and_on_the_processor(tmp_path):
    (slept,) = quiet(sweep_cells.square, [{"x": 1, "seconds": 0.2}], tmp_path)
    assert slept["seconds"] >= 0.2
    assert 0 <= slept["cpu_seconds"] < 0.1
    (counted,) = quiet(sweep_cells.work, [{"cpu_seconds": 0.1}], tmp_path)
    assert counted["cpu_seconds"] >= 0.1


def test_a_cell_stored_without_its_processor_time_is_read(tmp_path):
    (new,) = quiet(sweep_cells.square, [{"x": 1}], tmp_path)
    (path,) = (tmp_path / "cells").iterdir()
    old = {key: value for key, value in new.items() if key != "cpu_seconds"}
    path.write_text(json.dumps(old))
    assert quiet(sweep_cells.square, [{"x": 1}], tmp_path) == [{**old, "cpu_seconds": None}]


def test_processes_share_the_cells_and_divide_the_blas_threads(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setattr(workers, "usable_cores", lambda: 8)
    cells = [{"x": x, "seconds": 0.3} for x in range(4)]
    results = quiet(sweep_cells.square, cells, tmp_path, jobs=2)
    assert [r["result"]["square"] for r in results] == [0, 1, 4, 9]
    pids = {r["result"]["pid"] for r in results}
    assert len(pids) == 2
    assert os.getpid() not in pids
    for cells, threads in ([{"cell": 0}, {"cell": 1}], "4"), ([{"cell": 2}], "8"):
        for result in quiet(sweep_cells.blas_threads, cells, tmp_path, jobs=2):
            assert result["result"] == {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": "1"}
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failing_cell_is_named_and_loses_no_other(tmp_path, jobs):
    with pytest.raises(SweepError, match=r'\{"x": 3\}\n    ArithmeticError: 3 is odd') as caught:
        quiet(sweep_cells.fail_on_odd, [{"x": x} for x in range(5)], tmp_path, jobs=jobs)
    assert [f.settings for f in caught.value.failures] == [{"x": 1}, {"x": 3}]
    assert "in fail_on_odd" in caught.value.failures[0].traceback
    assert caught.value.finished == 3
    assert len(list((tmp_path / "cells").iterdir())) == 3


def test_a_killed_worker_loses_nothing_and_its_cell_is_run_again(tmp_path):
    marker = str(tmp_path / "died")
    cells = [{"x": x, "marker": marker, "seconds": 0.05} for x in range(6)]
    results = quiet(sweep_cells.die_once, cells, tmp_path, jobs=2)
    assert Path(marker).exists()
    assert [r["result"] for r in results] == list(range(6))


def test_a_cell_that_always_kills_its_worker_is_blamed_and_only_it(tmp_path):
    with pytest.raises(SweepError, match="its process died 3 times") as caught:
        quiet(sweep_cells.always_die_on_two, [{"x": x} for x in range(6)], tmp_path, jobs=2)
    assert [f.settings for f in caught.value.failures] == [{"x": 2}]
    assert caught.value.finished == 5


def test_failures_are_told_in_the_order_of_the_cells_five_of_them(tmp_path):
    class Backwards(ThreadPoolExecutor):
        """Runs what was submitted in the other order."""

        def submit(self, function, *arguments):
            future = Future()
            waiting.append((future, function, arguments))
            if len(waiting) == 14:
                for future_, function_, arguments_ in reversed(waiting):
                    future_.set_result(function_(*arguments_))
            return future

    waiting = []
    with pytest.raises(SweepError) as caught:
        quiet(sweep_cells.fail_on_odd, [{"x": x} for x in range(14)], tmp_path, Backwards())
    assert [f.settings["x"] for f in caught.value.failures] == [1, 3, 5, 7, 9, 11, 13]
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("7 of 14 cells failed")
    assert len(lines) == 12
    assert lines[-1] == "  and 2 more"


def test_five_failures_are_all_named(tmp_path):
    with pytest.raises(SweepError) as caught:
        quiet(sweep_cells.fail_on_odd, [{"x": 2 * x + 1} for x in range(5)], tmp_path)
    assert "more" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 11


def test_what_an_executor_cannot_do_is_a_failure_of_the_cell(tmp_path):
    class Broken(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            future = Future()
            future.set_exception(ConnectionError("worker 3 is gone"))
            return future

    with pytest.raises(SweepError, match="ConnectionError: worker 3 is gone") as caught:
        quiet(sweep_cells.square, [{"x": 1}], tmp_path, Broken())
    assert caught.value.failures[0].settings == {"x": 1}


def test_an_interrupted_executor_is_left_with_nothing_to_do(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    stream, gate, log = io.StringIO(), threading.Event(), tmp_path / "log"
    monkeypatch.setattr(workers, "wait", interrupted)
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait)  # keeps the cells waiting
        cells = [{"x": 1, "log": str(log)}]
        with pytest.raises(KeyboardInterrupt):
            sweep(sweep_cells.square, cells, tmp_path, executor, progress=stream)
        gate.set()
        assert executor.submit(lambda: "free").result() == "free"
    assert logged(log) == []
    assert f"interrupted; the same command continues with what is left in {tmp_path}" in (
        stream.getvalue()
    )
    assert list((tmp_path / "cells").iterdir()) == []


def test_any_executor_will_do(tmp_path):
    with ThreadPoolExecutor(2) as executor:
        results = quiet(sweep_cells.square, [{"x": x} for x in range(4)], tmp_path, executor)
        assert [r["result"]["square"] for r in results] == [0, 1, 4, 9]
        with pytest.raises(SweepError, match="1 is odd"):
            quiet(sweep_cells.fail_on_odd, [{"x": 1}, {"x": 2}], tmp_path, executor)
        assert executor.submit(int).result() == 0  # left open


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def is_alive(pid):
    try:
        os.kill(pid, 0)
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()  # ended, but not buried yet
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_sweep_continues_where_it_was(tmp_path, jobs, how):
    log = tmp_path / "log"
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
        import signal
        import sys
        sys.path.insert(0, {str(Path(sweep_cells.__file__).parent)!r})
        import sweep_cells
        from minisam.sweeps.sweep import sweep
        if __name__ == "__main__":
            # A shell's background job inherits that SIGINT is ignored.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            cells = [dict(x=x, log={str(log)!r}, seconds=0.25) for x in range(10)]
            sweep(sweep_cells.square, cells, {str(tmp_path)!r}, jobs={jobs})
        """)
    )
    process = subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True)
    finished = lambda: len(list((tmp_path / "cells").glob("*.json")))  # noqa: E731
    wait_until(lambda: (tmp_path / "cells").exists() and finished() >= 3)
    process.send_signal(how)
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    before = finished()
    assert 3 <= before < 10
    results = [json.loads(p.read_text())["result"] for p in (tmp_path / "cells").glob("*.json")]
    wait_until(lambda: not any(is_alive(result["pid"]) for result in results))
    if how == signal.SIGINT:
        assert "the same command continues" in errors
        assert len(list((tmp_path / "cells").iterdir())) == before
    subprocess.run([sys.executable, script], check=True, capture_output=True)
    assert finished() == 10
    runs = logged(log)
    assert sorted(set(runs)) == list(range(10))
    assert len(runs) <= 10 + jobs + (jobs if how == signal.SIGKILL else 0)  # those under way


def test_progress_tells_what_is_done_and_what_is_left(tmp_path, monkeypatch):
    now = iter(range(0, 1000, 20))
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    stream = io.StringIO()
    cells = [{"x": x} for x in range(1, 4)]
    sweep(sweep_cells.square, cells, tmp_path, progress=stream, cost=lambda s: s["x"])
    assert stream.getvalue().splitlines() == [
        "1/3 cells, 20 s spent, about 1 min 40 s left",
        "2/3 cells, 40 s spent, about 40 s left",
        "3/3 cells, 1 min 0 s spent",
    ]
    stream = io.StringIO()
    sweep(sweep_cells.square, [*cells, {"x": 9}], tmp_path, progress=stream)
    assert stream.getvalue().startswith("3 of 4 cells are there already\n4/4 cells")


def test_progress_goes_to_the_standard_error_of_the_moment_unless_told_to_be_silent(
    tmp_path, monkeypatch
):
    now = io.StringIO()
    monkeypatch.setattr(sys, "stderr", now)
    sweep(sweep_cells.square, [{"x": 1}], tmp_path)
    assert now.getvalue() == "1/1 cells, 0 s spent\n"
    sweep(sweep_cells.square, [{"x": 2}], tmp_path, progress=None)
    assert now.getvalue() == "1/1 cells, 0 s spent\n"


def test_progress_speaks_every_ten_seconds_and_tells_of_failures(tmp_path, monkeypatch):
    now = iter(range(0, 1000, 4))
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    stream = io.StringIO()
    cells = [{"x": x} for x in (1, 2, 4, 6, 8, 10)]
    with pytest.raises(SweepError) as caught:
        sweep(sweep_cells.fail_on_odd, [*cells, cells[0]], tmp_path, progress=stream)
    assert caught.value.finished == 5
    assert stream.getvalue().splitlines() == [
        "3/6 cells, 12 s spent, about 12 s left, 1 failed",
        "6/6 cells, 24 s spent, 1 failed",
    ]


def test_progress_on_a_terminal_is_one_line_that_is_written_again(tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    sweep(sweep_cells.square, [{"x": 1}, {"x": 2}], tmp_path, progress=stream)
    first, second, third = stream.getvalue().split("\r\033[K")
    assert first == ""
    assert second.startswith("1/2 cells, 0 s spent, about 0 s left")
    assert third == "2/2 cells, 0 s spent\n"
    stream = Terminal()
    sweep(sweep_cells.square, [{"x": 1}, {"x": 2}], tmp_path, progress=stream)
    assert stream.getvalue() == ""


def test_nothing_to_do_starts_no_process(tmp_path, monkeypatch):
    quiet(sweep_cells.square, [{"x": 1}], tmp_path)
    monkeypatch.setattr(workers, "ProcessPoolExecutor", None)
    assert len(quiet(sweep_cells.square, [{"x": 1}], tmp_path, jobs=2)) == 1


def test_a_curve_with_a_hole_is_stored(tmp_path):
    for _ in "run", "read":
        (curve,) = quiet(sweep_cells.curve, [{"points": 3}], tmp_path)
        assert curve["result"] == {"curve": [0.0, 1.0, None]}


@pytest.mark.fault("option-value", "sweep")
def test_bad_input_is_named(tmp_path, monkeypatch):
    for jobs in (0, 1.5, "2", True):
        with pytest.raises(ValueError, match="jobs must be a whole number of at least 1, got"):
            quiet(sweep_cells.square, [], tmp_path, jobs=jobs)
    with pytest.raises(ValueError, match="settings must be what JSON can hold"):
        quiet(sweep_cells.square, [{"x": {1, 2}}], tmp_path)
    with pytest.raises(ValueError, match=r"got \{'x': nan\}"):
        quiet(sweep_cells.square, [{"x": np.nan}], tmp_path)
    with pytest.raises(ValueError, match="function must have a name"):
        quiet(functools.partial(sweep_cells.square, 1), [{}], tmp_path)
    monkeypatch.setattr(sweep_cells.square, "__module__", "__main__")
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    with pytest.raises(ValueError, match="jobs must be 1 for square, which is defined in a note"):
        quiet(sweep_cells.square, [{"x": 1}], tmp_path, jobs=2)


def told(function, cells, folder):
    """The results of a sweep, and what it said on the way."""
    stream = io.StringIO()
    records = sweep(function, cells, folder, progress=stream)
    return [record["result"] for record in records], stream.getvalue()


def defined(source, **names):
    """Define ``trained`` at the top of `sweep_cells`, as a notebook's cell defines it anew."""
    exec(source, vars(sweep_cells) | names, names)
    function = names["trained"]
    function.__module__ = "sweep_cells"
    sweep_cells.trained = function
    return function


@pytest.fixture
def notebook():
    yield defined
    del sweep_cells.trained


@pytest.mark.fault("cached-by-name", "sweep")
def test_an_edited_function_is_run_again_and_its_old_results_are_kept(notebook, tmp_path):
    cells = [{"x": 1}, {"x": 5}]
    notebook("def trained(x):\n    return 2 * x")
    assert told(sweep_cells.trained, cells[1:], tmp_path)[0] == [10]
    notebook("def trained(x):\n    return 3 * x")
    results, said = told(sweep_cells.trained, cells, tmp_path)
    assert results == [3, 15]
    assert "the function was changed since 1 of 2 cells were run: they are run again" in said
    notebook("def trained(x):\n    'Of two.'  # again\n\n    return 2 * x")
    assert told(sweep_cells.trained, cells, tmp_path)[0] == [2, 10]
    assert len(list((tmp_path / "cells").iterdir())) == 4


@pytest.mark.fault("cached-by-name", "sweep")
def test_what_was_kept_before_the_code_was_noted_is_taken_and_said(notebook, tmp_path):
    cells = [{"x": 1}, {"x": 5}]
    notebook("def trained(x):\n    return 2 * x")
    told(sweep_cells.trained, cells[:1], tmp_path)
    (path,) = (tmp_path / "cells").iterdir()
    path.rename(path.with_name(path.name.partition("-")[0] + ".json"))
    results, said = told(sweep_cells.trained, cells, tmp_path)
    assert results == [2, 10]
    assert "1 of 2 results are from an older minisam or another Python" in said
    assert "1 of 2 cells are there already" in said


@pytest.mark.fault("cached-by-name", "sweep")
def test_what_another_python_compiled_is_taken_and_said(notebook, tmp_path):
    notebook("def trained(x):\n    return 2 * x")
    told(sweep_cells.trained, [{"x": 5}], tmp_path)
    (path,) = (tmp_path / "cells").iterdir()
    record = json.loads(path.read_text())
    record["versions"]["python"] = "3.1.0"
    path.rename(path.with_name(path.name.partition("-")[0] + "-0123456789.json"))
    (path,) = (tmp_path / "cells").iterdir()
    path.write_text(json.dumps(record))
    results, said = told(sweep_cells.trained, [{"x": 5}], tmp_path)
    assert results == [10]
    assert "1 of 1 results are from an older minisam or another Python" in said


@pytest.mark.fault("cached-by-name", "sweep")
def test_what_shares_its_name_with_others_is_refused_before_anything_is_run(tmp_path):
    with pytest.raises(ValueError, match="function must be one that its name leads to"):
        quiet(lambda x: 2 * x, [{"x": 5}], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("file-read", "sweep")
@pytest.mark.parametrize("content", ["", '{"settings": {', "[]", '{"result": 1}', "\x80"])
def test_a_damaged_result_is_named_before_anything_is_run(content, tmp_path):
    log = tmp_path / "log"
    cells = [{"x": x, "log": str(log)} for x in range(2)]
    quiet(sweep_cells.square, cells[:1], tmp_path)
    (path,) = (tmp_path / "cells").iterdir()
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=rf"{path.name} is not a whole result; delete it and "):
        quiet(sweep_cells.square, cells, tmp_path)
    assert logged(log) == [0]


@pytest.mark.fault("home-folder", "sweep")
def test_results_are_kept_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    quiet(sweep_cells.square, iter([{"x": 1}]), "~/runs")
    assert len(list((tmp_path / "runs" / "cells").iterdir())) == 1
