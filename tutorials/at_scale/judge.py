"""Hold the step that is going to train against the oracle, on the device where it will run.

``python judge.py [DEVICE]`` prints the report. Training begins with it, refuses to go on unless it
conforms, and keeps the verdict beside the accuracies.
"""

from __future__ import annotations

import sys

import torch
from torch_sam import SAM

from minisam import oracle
from minisam.oracle import Report

DTYPES = ("float64", "float32", "bfloat16")


def make(params: list, hp) -> SAM:
    """Make the optimizer that the oracle's hyper-parameters describe."""
    named = hp["model"].named_parameters()
    return SAM(named, hp["method"], hp["rho"], **hp.base, eta=hp["eta"])


def judge(device: str) -> Report:
    """Return the oracle's report on the step, on a device."""
    adapter = oracle.torch(make, style=lambda sam, loss: sam.step(loss), device=device)
    methods = ("sgd", "sam", "asam")
    return oracle.check(adapter, dtype=DTYPES, method=methods, name=f"torch_sam on {device}")


if __name__ == "__main__":
    chosen = "cuda" if torch.cuda.is_available() else "cpu"
    report = judge(sys.argv[1] if len(sys.argv) > 1 else chosen)
    print(report)
    raise SystemExit(report.exit_code)
