"""The sweep on a real cluster of two worker processes, one of which is killed on the way."""

import pytest
import sweep_cells

from minisam.sweeps.sweep import SweepError, sweep

distributed = pytest.importorskip("distributed", reason="needs the `cluster` extra")

pytestmark = [pytest.mark.backends, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_cells_are_spread_over_the_workers(client, tmp_path):
    cells = [{"x": x, "seconds": 0.2} for x in range(8)]
    with client.get_executor() as executor:
        results = sweep(sweep_cells.square, cells, tmp_path, executor, progress=None)
    assert [r["result"]["square"] for r in results] == [x * x for x in range(8)]
    assert len({r["result"]["pid"] for r in results}) == 2


def test_a_failing_cell_is_named(client, tmp_path):
    with client.get_executor() as executor, pytest.raises(SweepError, match="3 is odd"):
        sweep(sweep_cells.fail_on_odd, [{"x": 2}, {"x": 3}], tmp_path, executor, progress=None)
    assert len(list((tmp_path / "cells").iterdir())) == 1


def test_a_killed_worker_loses_nothing(client, tmp_path):
    marker = tmp_path / "died"
    cells = [{"x": x, "marker": str(marker), "seconds": 0.1} for x in range(8)]
    with client.get_executor(retries=3) as executor:
        results = sweep(sweep_cells.die_once, cells, tmp_path, executor, progress=None)
    assert marker.exists()
    assert [r["result"] for r in results] == list(range(8))
