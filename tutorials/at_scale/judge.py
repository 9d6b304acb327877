"""Hold the step that is going to train against the oracle, on the device where it will run.

``python judge.py [DEVICE]`` prints the report. Training begins with it, refuses to go on unless it
conforms, and keeps the verdict beside the accuracies. ``python judge.py cuda captured`` judges the
step as training replays it, as CUDA graphs; ``compiled`` as ``torch.compile`` makes it, which takes
minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch_sam import SAM

from minisam import oracle
from minisam.oracle import Report

DTYPES = ("float64", "float32", "bfloat16")


class Captured:
    """Let a function of tensors run as a CUDA graph, which reads them where it read the first ones.

    Args:
        function: takes and returns a list of tensors, or returns None.
        changes: the tensors that it changes, which the trial run is not to change.
    """

    def __init__(self, function: Callable[[list], Any], changes: Iterable[torch.Tensor]):
        self.function, self.changes = function, list(changes)
        self.graph = torch.cuda.CUDAGraph()
        self.reads: list[torch.Tensor] = []

    @torch.no_grad()
    def __call__(self, tensors: list) -> Any:
        if not self.reads:
            self.reads = [one.clone() for one in tensors]
            before = [one.clone() for one in self.changes]
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                self.function(self.reads)
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(self.graph):
                self.returns = self.function(self.reads)
            for now, then in zip(self.changes, before, strict=True):
                now.copy_(then)
        for mine, given in zip(self.reads, tensors, strict=True):
            mine.copy_(given)
        self.graph.replay()
        return self.returns


class Replayed(SAM):
    """The same step, of which climb and descent are CUDA graphs that read ρ and lr anew."""

    def __init__(self, named: Iterable, method: str, rho: float, lr: float, **rest: Any):
        named = list(named)
        held = torch.tensor([rho, lr], dtype=torch.float64, device=named[0][1].device)
        super().__init__(named, method, *held, **rest)
        self.climb = Captured(self.climb, ())  # type: ignore[method-assign]
        self.descend = Captured(self.descend, self.weights + self.velocity)  # type: ignore[method-assign]

    def __setattr__(self, name: str, value: Any) -> None:
        """Put a number where the graphs read it, as a scheduler would."""
        if name in ("rho", "lr") and not isinstance(value, torch.Tensor):
            getattr(self, name).fill_(value)
        else:
            super().__setattr__(name, value)


def compiled(*given: Any, **rest: Any) -> SAM:
    """Return the same step, of which climb and descent are compiled, for every shape anew."""
    torch._dynamo.config.recompile_limit = 10_000  # beyond it, PyTorch does not compile any more
    sam = SAM(*given, **rest)
    sam.climb, sam.descend = torch.compile(sam.climb), torch.compile(sam.descend)  # type: ignore
    return sam


FORMS: dict[str, Callable[..., SAM]] = {"eager": SAM, "captured": Replayed, "compiled": compiled}


def judge(device: str, form: str = "eager", dtypes: Iterable[str] = DTYPES, **rest: Any) -> Report:
    """Return the oracle's report on the step, on a device and in one of its forms."""

    def make(params: list, hp) -> SAM:
        named = hp["model"].named_parameters()
        return FORMS[form](named, hp["method"], hp["rho"], **hp.base, eta=hp["eta"])

    adapter = oracle.torch(make, style=lambda sam, loss: sam.step(loss), device=device)
    methods, name = ("sgd", "sam", "asam"), f"torch_sam, {form}, on {device}"
    return oracle.check(adapter, dtype=list(dtypes), method=methods, name=name, **rest)


if __name__ == "__main__":
    here = "cuda" if torch.cuda.is_available() else "cpu"
    report = judge(*(sys.argv[1:] or [here]))
    print(report)
    raise SystemExit(report.exit_code)
