import os
import subprocess
import sys

import pytest

from minisam.nn.kernels.memory import keep_memory

PROGRAM = """
import resource
import numpy as np
from minisam.nn import mixer, cross_entropy, training_objective
from minisam.optim import sam, sgd

def page_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

model = mixer(width=32, blocks=2)
images, labels = np.ones((64, 32, 32, 3), np.float32), np.arange(64) % 10
objective = training_objective(model, cross_entropy, images, labels, {})
optimizer = sam(sgd(lr=0.01, momentum=0.9), rho=0.05)
params = model.init(0)
state = optimizer.init(params)
for step in range(13):
    if step == 3:
        before = page_faults()
    params, state, _ = optimizer.step(params, state, objective)
print((page_faults() - before) / 10)
"""
FEW, MANY = 100, 1000


def page_faults_of_a_step(**variables: str) -> float:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    environment = inherited | {"MINISAM_KEEP_MEMORY": "1", "OPENBLAS_NUM_THREADS": "2"} | variables
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


needs_glibc = pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(os, "confstr") and "glibc" in
         (os.confstr("CS_GNU_LIBC_VERSION") or "")),
    reason="freed memory is kept where malloc is glibc's",
)  # fmt: skip


@needs_glibc
def test_a_step_uses_the_memory_of_the_one_before():
    assert page_faults_of_a_step() < FEW


@needs_glibc
def test_a_variable_leaves_the_memory_to_glibc():
    """And the count is one that keeping memory lowers."""
    assert page_faults_of_a_step(MINISAM_KEEP_MEMORY="0") > MANY


def test_without_mallopt_nothing_happens(monkeypatch):
    def absent(name):
        raise TypeError(name)

    monkeypatch.setattr("minisam.nn.kernels.memory.ctypes.CDLL", absent)
    monkeypatch.setenv("MINISAM_KEEP_MEMORY", "1")
    assert keep_memory.__wrapped__() is False
