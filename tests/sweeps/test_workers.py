import os
import sys

import numpy as np
import sweep_cells

from minisam.sweeps import workers


def test_more_jobs_than_processors_leave_one_thread_each(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(workers, "usable_cores", lambda: 1)
    with workers.process_pool(2, 2):
        assert os.environ["OMP_NUM_THREADS"] == "1"


def test_the_environment_is_as_before_when_the_processes_are_gone(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with workers.process_pool(1, 1):
        assert os.environ["MKL_NUM_THREADS"]
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in os.environ


def test_a_cell_is_a_record_or_a_failure_with_its_traceback():
    record = workers.run_cell(sweep_cells.square, {"x": 3})
    assert record["result"]["square"] == 9
    assert record["versions"] == workers.versions()
    assert record["versions"]["numpy"] == np.__version__
    failed = workers.run_cell(sweep_cells.square, {"y": 3})
    assert failed.settings == {"y": 3}
    assert failed.error.startswith("TypeError: ")
    assert "run_cell" in failed.traceback


def test_a_function_of_a_prompt_is_known(monkeypatch):
    assert not workers.is_interactive(sweep_cells.square)
    monkeypatch.setattr(sweep_cells.square, "__module__", "__main__")
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    assert workers.is_interactive(sweep_cells.square)
