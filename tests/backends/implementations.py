"""What people use, and how the oracle is shown it: one entry of the public table each."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from minisam import oracle
from minisam.adapters import torch as oracle_torch
from minisam.oracle import Unsupported

EPSILON = {"norm_epsilon": 1e-12}
OLD = os.environ.get("MINISAM_PYTORCH_OPTIMIZER_2_1_0", "")


class Implementation(NamedTuple):
    """A row of the table.

    Attributes:
        name: as its users call it.
        package: the distribution on the package index.
        adapter: makes the adapter; imports what it needs.
        methods: what it is checked as.
        declare: the conventions that it follows, the line to write.
        vectors: the methods of the exact vectors that apply to it, if others than ``methods``.
        version: where the version is not that of the installed distribution.
        probes: where not all are worth running.
        known: what it is known to do differently, and why: ``{probe: reason}``.
    """

    name: str
    package: str
    adapter: Callable[[], Any]
    methods: tuple[str, ...] = ("sam",)
    declare: dict[str, Any] = {}  # noqa: RUF012
    vectors: tuple[str, ...] = ()
    version: str = ""
    probes: tuple[str, ...] = ()
    known: dict[str, str] = {}  # noqa: RUF012

    def installed(self) -> str:
        """Return the version, or "" where it is not installed."""
        if self.version:
            return self.version if OLD and importlib.util.find_spec("torch") else ""
        try:
            return importlib.metadata.version(self.package).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            return ""


def torch_sgd() -> Any:
    import torch

    return oracle.torch(lambda params, hp: torch.optim.SGD(params, **hp.base))


def keras_sgd() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    def make(variables, hp):
        if hp["weight_decay"] and hp["decay"] != "decoupled":
            raise Unsupported("Keras has decoupled weight decay only")
        decay = hp["weight_decay"] or None
        return keras.optimizers.SGD(hp["lr"], hp["momentum"], hp["nesterov"], weight_decay=decay)

    return oracle.keras(make)


def optax_sam(opaque: bool) -> Any:
    import optax

    def make(params, hp):
        if hp["weight_decay"] and hp["decay"] != "coupled":
            raise Unsupported("coupled weight decay only")
        if callable(hp["rho"]):
            raise Unsupported("the adversarial optimizer starts its schedule anew each step")
        decay = optax.add_decayed_weights(hp["weight_decay"])
        outer = optax.chain(decay, optax.sgd(hp["lr"], hp["momentum"] or None, hp["nesterov"]))
        climb = optax.chain(optax.contrib.normalize(), optax.sgd(hp["rho"]))
        return optax.contrib.sam(outer, climb, opaque_mode=opaque)

    return oracle.optax(make)


def from_pytorch_optimizer(name: str, style: str = "auto", **options: Any) -> Any:
    import pytorch_optimizer
    import torch

    optimizer = getattr(pytorch_optimizer, name)

    def make(params, hp):
        first = (hp["model"], params) if name == "WSAM" else (params,)
        own = {key: hp[told] for key, told in OWN.get(name, {}).items() if told in hp}
        if hp["method"] == "sam":
            own = {}
        if hp["method"] == "asam":
            own = {"adaptive": True}
        return optimizer(*first, torch.optim.SGD, rho=hp["rho"], **{**options, **own}, **hp.base)

    return oracle.torch(make, style)


# The packages' names for the hyper-parameters of a follow-up.
OWN = {
    "WSAM": {"gamma": "gamma"},
    "LookSAM": {"k": "every", "alpha": "alpha"},
    "FriendlySAM": {"sigma": "sigma", "lmbda": "memory"},
}


def gsam() -> Any:
    import torch
    from pytorch_optimizer import GSAM

    class Constant:
        def __init__(self, rho: float) -> None:
            self.rho = rho

        def step(self) -> float:
            return self.rho

    def make(params, hp):
        base = torch.optim.SGD(params, **hp.base)
        alpha = hp["alpha"] if hp["method"] == "gsam" else 0.0
        return GSAM(params, base, hp["model"], Constant(hp["rho"]), alpha=alpha)

    def step(optimizer, loss):
        optimizer.set_closure(lambda output, target: output, None, None)
        optimizer.step()

    return oracle.torch(make, step)


def bsam() -> Any:
    import torch
    from pytorch_optimizer import BSAM

    def make(params, hp):
        if hp["nesterov"]:
            raise Unsupported("it has no Nesterov momentum")
        betas = (hp["momentum"], 0.999)
        lr, decay = hp["lr"], hp["weight_decay"]
        return BSAM(params, 10**9, lr=lr, betas=betas, weight_decay=decay, rho=hp["rho"])

    def step(optimizer, loss):
        torch.manual_seed(0)  # its noise, the same each time
        oracle_torch.backward_then_closure(optimizer, loss)

    return oracle.torch(make, step)


def old_pytorch_optimizer() -> Any:
    harness = Path(__file__).with_name("old_harness.py")
    return oracle.process([sys.executable, str(harness), OLD])


def sam_pytorch() -> Any:
    import torch
    from sam import SAM

    def make(params, hp):
        if hp["rho"] == 0:
            raise Unsupported("it refuses rho = 0")
        return SAM(params, torch.optim.SGD(params, **hp.base), rho=hp["rho"])

    return oracle.torch(make)


def unified_sam() -> Any:
    import torch
    from unifiedsam import unifiedSAM

    return oracle.torch(
        lambda params, hp: unifiedSAM(params, torch.optim.SGD, hp["rho"], 1.0, **hp.base)
    )


def sam_sps() -> Any:
    from sam_sps import SAM_SPS

    def make(params, hp):
        if hp["momentum"]:
            raise Unsupported("it has no momentum")
        if hp["decay"] != "coupled" and hp["weight_decay"]:
            raise Unsupported("it has coupled weight decay only")
        if hp["lr"] == 0:
            raise Unsupported("gamma_b = 0 is no step size")
        if "lr" in hp.scheduled or "groups" in hp:
            raise Unsupported("the bound of Polyak's step size is one number")
        # With a loss far above f_star Polyak's step size is its upper bound.
        return SAM_SPS(params, hp["weight_decay"], hp["rho"], f_star=-1e38, gamma_b=hp["lr"])

    return oracle.torch(make)


def temperon() -> Any:
    import torch
    from temperon import Temperon

    def make(params, hp):
        base = torch.optim.SGD(params, **hp.base)
        return Temperon(base, total_steps=100, tail_frac=1.0, rho=hp["rho"])

    return oracle.torch(make)


KERAS = {"momentum_form": "lr_inside", "weight_decay": "decoupled"}
FLOAT32 = {**EPSILON, "norm_dtype": "float32"}
SUBTRACT = {"restore": "subtract"}
WITHOUT_BASE = {"saved_state": "without_base"}
AFTER_NAN = ("sam-nan-then-sound", "sam-nan-momentum")

IMPLEMENTATIONS = [
    Implementation("torch.optim.SGD", "torch", torch_sgd, ("sgd",)),
    Implementation("keras.optimizers.SGD", "keras", keras_sgd, ("sgd",), KERAS),
    Implementation(
        "optax.contrib.sam, opaque", "optax", lambda: optax_sam(True),
        declare={"zero_gradient": "nan"},
    ),
    Implementation(
        "optax.contrib.sam, transparent", "optax", lambda: optax_sam(False),
        declare={"zero_gradient": "nan", **SUBTRACT},
    ),
    Implementation(
        "pytorch_optimizer.SAM", "pytorch_optimizer", lambda: from_pytorch_optimizer("SAM"),
        declare=FLOAT32,
    ),
    Implementation(
        "pytorch_optimizer.SAM, adaptive", "pytorch_optimizer",
        lambda: from_pytorch_optimizer("SAM"), ("asam",), {**FLOAT32, "eta": 0, "scope": "all"},
    ),
    Implementation(
        "pytorch_optimizer.GSAM, alpha=0", "pytorch_optimizer", gsam,
        declare={**FLOAT32, **SUBTRACT}, vectors=("gsam",),
    ),
    Implementation(
        "pytorch_optimizer.WSAM, gamma=1/2, decouple=False", "pytorch_optimizer",
        lambda: from_pytorch_optimizer("WSAM", gamma=0.5, decouple=False),
        declare={**FLOAT32, **SUBTRACT}, vectors=("wsam",),
    ),
    Implementation(
        "pytorch_optimizer.LookSAM, k=1", "pytorch_optimizer",
        lambda: from_pytorch_optimizer("LookSAM", k=1), declare=FLOAT32, vectors=("looksam",),
    ),
    Implementation(
        "pytorch_optimizer.FriendlySAM, sigma=0", "pytorch_optimizer",
        lambda: from_pytorch_optimizer("FriendlySAM", sigma=0.0), declare=FLOAT32,
        vectors=("friendly_sam",), known=dict.fromkeys(AFTER_NAN, "its memory keeps a NaN"),
    ),
    Implementation(
        "pytorch_optimizer.BSAM (noise, no norm: another algorithm)", "pytorch_optimizer", bsam,
        probes=("sam-one-tensor",),
    ),
    Implementation(
        "pytorch_optimizer.SAM", "pytorch_optimizer", old_pytorch_optimizer, declare=EPSILON,
        version="2.1.0",
    ),
    Implementation(
        "sam-pytorch SAM", "sam-pytorch", sam_pytorch,
        declare={"zero_gradient": "nan", **SUBTRACT, **WITHOUT_BASE},
    ),
    Implementation(
        "unifiedSAM, lambd=1", "unifiedsam", unified_sam, declare={**EPSILON, **WITHOUT_BASE},
        known={"sam-groups-rho": "one radius for all groups"},
    ),
    Implementation(
        "SAM_SPS, constant step size", "sam_sps", sam_sps,
        declare={"norm_floor": 1e-12, "norm_dtype": "float32", **SUBTRACT},
        known={"sam-nan-at-B": "a step size of Polyak's that is NaN counts as 0"},
    ),
    Implementation("Temperon, tail_frac=1", "temperon", temperon, declare={**EPSILON, **SUBTRACT}),
]  # fmt: skip
