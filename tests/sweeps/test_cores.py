import math
import os
import subprocess
import sys

import pytest

from minisam.sweeps.cores import usable_cores, usable_jobs, usable_memory


def machine(root, files):
    """A folder that looks like / to whoever asks for the limits of a control group."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


@pytest.mark.fault("machine-size", "usable_cores")
@pytest.mark.parametrize(
    ("job", "step", "cores"),
    [
        ("max 100000", "max 100000", 8),
        ("200000 100000", "max 100000", 2),  # the job's limit holds for its steps
        ("800000 100000", "250000 100000", 3),  # two and a half
        ("10000 100000", "max 100000", 1),  # a tenth of a core is still one process
        ("", "nonsense", 8),
    ],
)
def test_the_smallest_limit_of_all_levels_counts(eight_cores, job, step, cores, tmp_path):
    root = machine(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/old\n0::/job/step\n",
            "sys/fs/cgroup/job/cpu.max": job,
            "sys/fs/cgroup/job/step/cpu.max": step,
            "sys/fs/cgroup/another/cpu.max": "100000 100000",
        },
    )
    assert usable_cores(root) == cores


@pytest.mark.fault("machine-size", "usable_cores", "usable_memory")
def test_where_nobody_says_the_machine_counts(eight_cores, monkeypatch, tmp_path):
    assert usable_cores(tmp_path) == 8
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1
    monkeypatch.delattr(os, "sysconf")
    assert usable_memory(tmp_path) == math.inf


@pytest.mark.fault("machine-size", "usable_memory", "usable_jobs")
def test_memory_bounds_the_number_of_processes(eight_cores, tmp_path, monkeypatch):
    files = {"proc/self/cgroup": "0::/../job\n", "sys/fs/cgroup/memory.max": "2000000\n"}
    assert usable_memory(machine(tmp_path, files)) == 2e6
    monkeypatch.setattr("minisam.sweeps.cores.usable_memory", lambda: 3.5e9)
    monkeypatch.setattr("minisam.sweeps.cores.usable_cores", lambda: 8)
    assert [usable_jobs(each) for each in (1e8, 1e9, 1e10)] == [8, 3, 1]


@pytest.mark.fault("machine-size", "compare")
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this platform")
def test_compare_starts_no_more_processes_than_cores_it_may_use():
    code = """if True:
        import os
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        from minisam.cli.main import build_parser
        print(build_parser().parse_args(["compare"]).jobs)"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout == "1\n", printed.stderr
