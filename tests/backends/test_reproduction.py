"""The scripts that reports on optimizers of frameworks print run, and show what they say."""

import os

import numpy as np
import pytest
from oracle.printed import agree, differ, printed_by, shrunk

from minisam.adapters.keras import keras as of_keras
from minisam.adapters.optax import optax as of_optax
from minisam.adapters.torch import torch as of_torch
from minisam.oracle.reproduction import reproduction

pytestmark = [
    pytest.mark.backends,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras"),
]
os.environ.setdefault("KERAS_BACKEND", "torch")


def scripts(adapter, right, probes=(None, ["sam-momentum"], ["sam-lr-schedule"]), **space):
    """Run the scripts of some failures, once with what was checked, once with what is right."""
    found = []
    for dtype in ("float64", "float32"):
        for chosen in probes:
            script = reproduction(*shrunk(adapter, dtype=dtype, probes=chosen), adapter, "make")
            assert len(script.splitlines()) <= 10
            assert max(map(len, script.splitlines())) <= 88
            assert differ(*printed_by(script, dict(space)))
            assert agree(*printed_by(script, {**space, **right}))
            found.append(script)
    return found


def of_base(cls, share=1.0):
    torch = pytest.importorskip("torch")
    return lambda params, hp: cls(params, torch.optim.SGD, rho=share * hp["rho"], **hp.base)


@pytest.mark.parametrize("style", ["two_steps", "ascent_descent", "backward_then_closure"])
def test_of_torch(style):
    pytest.importorskip("torch")
    from backends.test_torch_adapter import SAM

    make = of_base(SAM, 0.5)
    printed = scripts(of_torch(make, style), {"make": of_base(SAM)}, make=make)
    assert "torch.nn.Parameter" in printed[0]
    assert "optimizer" in printed[1]


def test_of_torch_where_everything_is_in_one_step_or_in_ones_own():
    pytest.importorskip("torch")
    from backends.test_torch_adapter import SAM, AllInOne, Forgetful

    make = of_base(AllInOne, 0.5)
    printed = scripts(of_torch(make, "closure"), {"make": of_base(AllInOne)}, make=make)
    assert "optimizer.step(closure)" in printed[0]

    def train_step(optimizer, loss):
        loss().backward()
        optimizer.first_step(zero_grad=True)
        loss().backward()
        optimizer.second_step(zero_grad=True)

    make, right = of_base(Forgetful), {"make": of_base(SAM)}
    printed = scripts(of_torch(make, train_step), right, make=make, train_step=train_step)
    assert "train_step(optimizer, loss)" in printed[0]
    adapter = of_torch(make, lambda optimizer, loss: train_step(optimizer, loss))
    printed = scripts(adapter, right, make=make, style=train_step)
    assert "oracle.torch(make, style=style)" in printed[0]


def test_of_torch_what_a_framework_alone_has():
    torch = pytest.importorskip("torch")
    from backends.test_torch_adapter import SAM

    class Skips(SAM):
        @torch.no_grad()
        def second_step(self, zero_grad=False):
            for p in self.param_groups[0]["params"]:
                if p.grad is None:
                    self.state[p].pop("old", None)
            super().second_step(zero_grad)

    class Thawing(SAM):
        def __init__(self, params, base, rho, **options):
            super().__init__(params, base, rho, **options)
            for p in self.param_groups[0]["params"]:
                p.requires_grad_(True)

    for cls, slug, told in (
        (Skips, "sam-tensor-missing-at-B", "missing=True"),
        (Thawing, "sam-frozen-plain", "frozen=['bias']"),
    ):
        make, right = of_base(cls), {"make": of_base(SAM)}
        for script in scripts(of_torch(make), right, [[slug]], make=make):
            assert told in script


def test_of_keras():
    pytest.importorskip("keras")
    from backends.test_keras_adapter import sam, sam_step

    def make(variables, hp):
        optimizer = sam(variables, hp)
        optimizer.rho = hp["rho"] / 2
        return optimizer

    printed = scripts(
        of_keras(make, sam_step), {"make": sam}, (None, ["sam-three-tensors"]),
        make=make, sam_step=sam_step,
    )  # fmt: skip
    assert "oracle.keras(make, step=sam_step)" in printed[0]


def test_of_optax():
    pytest.importorskip("optax")
    from backends.test_optax_adapter import base, optax, sam

    def make(params, hp):
        climb = optax.chain(optax.contrib.normalize(), optax.sgd(0.5 * hp["rho"]))
        return optax.contrib.sam(base(hp), climb, opaque_mode=True)

    right = {"make": sam(opaque=True)}
    printed = scripts(of_optax(make), right, (["sam-three-tensors"], ["sam-momentum"]), make=make)
    assert "oracle.optax(make)" in printed[0]
    assert np.all(["dict(rho=0.5, lr=0.25" in script for script in printed])
