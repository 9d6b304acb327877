import os
import subprocess
import sys

import pytest

from minisam.nn.kernels.memory import keep_memory

PROGRAM = """
import resource
import sys
import numpy as np
from minisam.nn import keep_memory, mixer, cross_entropy, training_objective
from minisam.optim import sam, sgd
from minisam.train import train

def page_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def own_loop():
    objective = training_objective(model, cross_entropy, images, labels, {})
    params = model.init(0)
    state = optimizer.init(params)
    for step in range(13):
        params, state, _ = optimizer.step(params, state, objective)
        seen.append(page_faults())

def chosen_loop():
    keep_memory()
    own_loop()

def trained():
    def count(params, statistics):
        seen.append(page_faults())
        return {}

    train(model, optimizer, images, labels, epochs=13, batch_size=64, evaluate=count)

model, optimizer = mixer(width=32, blocks=2), sam(sgd(lr=0.01, momentum=0.9), rho=0.05)
images, labels = np.ones((64, 32, 32, 3), np.float32), np.arange(64) % 10
seen = []
globals()[sys.argv[1]]()
print((seen[12] - seen[2]) / 10)
"""
FEW, MANY = 100, 1000


def page_faults_of_a_step(way: str, **variables: str) -> float:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    environment = inherited | {"MINISAM_KEEP_MEMORY": "1", "OPENBLAS_NUM_THREADS": "2"} | variables
    command = [sys.executable, "-c", PROGRAM, way]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


needs_glibc = pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(os, "confstr") and "glibc" in
         (os.confstr("CS_GNU_LIBC_VERSION") or "")),
    reason="freed memory is kept where malloc is glibc's",
)  # fmt: skip


@needs_glibc
@pytest.mark.parametrize("way", ["trained", "chosen_loop"])
def test_a_step_uses_the_memory_of_the_one_before(way):
    assert page_faults_of_a_step(way) < FEW


@needs_glibc
def test_a_gradient_leaves_the_memory_of_the_process_to_glibc():
    """And the count is one that keeping memory lowers."""
    assert page_faults_of_a_step("own_loop") > MANY


@needs_glibc
def test_a_variable_forbids_it():
    assert page_faults_of_a_step("trained", MINISAM_KEEP_MEMORY="0") > MANY


def test_without_mallopt_nothing_happens(monkeypatch):
    def absent(name):
        raise TypeError(name)

    monkeypatch.setattr("minisam.nn.kernels.memory.ctypes.CDLL", absent)
    monkeypatch.setenv("MINISAM_KEEP_MEMORY", "1")
    assert keep_memory.__wrapped__() is False
