"""Code that people copy from repositories, and how the oracle is shown it: one entry each."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from backends import copied_jax, copied_tensorflow, copied_torch
from backends.clones import text_of

CLONES = os.environ.get("MINISAM_CLONES", "")


class Copied(NamedTuple):
    """A row of the table.

    Attributes:
        name: the class or function, and how it is used.
        repository: "OWNER/NAME".
        commit: the beginning of the commit's hash.
        file: the path of the file in the repository.
        adapter: text of the file -> adapter.
        methods: what it is checked as.
        declare: the conventions that it follows, the line to write.
        note: what its code says of the verdict, with the line.
        known: what it is known to do differently, and why: ``{probe: reason}``.
        needs: the package that it runs on.
    """

    name: str
    repository: str
    commit: str
    file: str
    adapter: Callable[[str], Any]
    methods: tuple[str, ...] = ("sam",)
    declare: dict[str, Any] = {}  # noqa: RUF012
    note: str = ""
    known: dict[str, str] = {}  # noqa: RUF012
    needs: str = "torch"

    def text(self, clones: str = CLONES) -> str:
        """Return the text of the file, "" if no clone has it."""
        return text_of(clones, self.repository, self.commit, self.file) if clones else ""

    def missing(self, clones: str = CLONES) -> str:
        """Say what is missing to run it, nothing if it can be run."""
        if importlib.util.find_spec(self.needs) is None:
            return f"{self.needs} is not installed"
        if self.needs == "tensorflow" and backend_of_keras() != "tensorflow":
            return f"Keras runs on {backend_of_keras()} here"
        if not clones:
            return "MINISAM_CLONES names no folder of clones"
        return "" if self.text(clones) else f"there is no clone of {self.repository} {self.commit}"


def backend_of_keras() -> str:
    """Return what Keras runs on; it cannot change once it is imported."""
    if "keras" in sys.modules:
        return sys.modules["keras"].backend.backend()
    return os.environ.get("KERAS_BACKEND", "tensorflow")


E12, E7 = {"norm_epsilon": 1e-12}, {"norm_epsilon": 1e-7}
ALL = {"eta": 0, "scope": "all"}
SUBTRACT = {"restore": "subtract"}
WITHOUT_BASE = {"saved_state": "without_base"}
NAN = {"zero_gradient": "nan"}
BOTH = ("sam", "asam")
FOREIGN = "a tensor without a gradient at B is not put back"
LOADED = "`load_state_dict` gives the wrapper new groups, the base optimizer keeps its own"

COPIED = [
    Copied(
        "SAM", "davda54/sam", "3c3afdbd", "sam.py", copied_torch.wrapper("SAM"), BOTH,
        {**E12, **ALL, **WITHOUT_BASE}, f"line 33: {FOREIGN}",
    ),
    Copied(
        "SAM", "weizeming/SAM_AT", "83c1b8c5", "sam.py", copied_torch.wrapper("SAM"), BOTH,
        {**E12, **ALL, **WITHOUT_BASE}, f"the file of davda54/sam; line 33: {FOREIGN}",
    ),
    Copied(
        "ASAM, SAM", "SamsungLabs/ASAM", "f156a680", "asam.py", copied_torch.samsung, BOTH,
        {"norm_epsilon": 1e-16, **SUBTRACT}, f"line 43: {FOREIGN}",
    ),
    Copied(
        "SAMSGD", "moskomule/sam.pytorch", "766a038e", "sam.py", copied_torch.moskomule,
        declare={**NAN, **SUBTRACT},
    ),
    Copied(
        "GSAM, alpha=0", "juntang-zhuang/GSAM", "a770275b", "gsam/gsam.py", copied_torch.gsam,
        BOTH, {**E12, **ALL, **SUBTRACT, **WITHOUT_BASE},
        "line 59: ε of an earlier step is still in the state",
    ),
    Copied(
        "ESAM, beta=1, gamma=1", "dydjw9/Efficient_SAM", "1e06840c", "utils/Esam.py",
        copied_torch.esam, BOTH, {**E7, **ALL, **SUBTRACT, **WITHOUT_BASE},
        f"line 17: one radius for all groups; line 28: frozen tensors are trained from then on; "
        f"line 56: {FOREIGN}; {LOADED}",
    ),
    Copied(
        "SAM", "Mi-Peng/Sparse-Sharpness-Aware-Minimization", "76974fd0", "solver/sam.py",
        copied_torch.registered, declare={**E7, **SUBTRACT, **WITHOUT_BASE},
        note=f"line 23: one radius for all groups; line 47: {FOREIGN}; {LOADED}",
    ),
    Copied(
        "SAM", "tml-epfl/understanding-sam", "306adde0", "deep_nets/sam.py",
        copied_torch.understanding, declare={**E12, **SUBTRACT, **WITHOUT_BASE},
        note=f"line 67: {FOREIGN}; {LOADED}",
    ),
    Copied(
        "FriendlySAM, sigma=0", "nblt/F-SAM", "2e2f9899", "utils.py", copied_torch.friendly,
        BOTH, {**E12, **ALL, **WITHOUT_BASE},
        f"line 470: {FOREIGN}; with sigma, lines 449 to 452 take away the memory of before d1, "
        "which is the first d1 at first",
        dict.fromkeys(
            [f"{m}-nan-{w}" for m in BOTH for w in ("then-sound", "momentum")],
            "its memory keeps a NaN",
        ),
    ),
    Copied(
        "LookSAM, k=1", "rollovd/LookSAM", "8f5c8ef5", "looksam.py", copied_torch.looksam_by_model,
        declare={"norm_epsilon": 1e-8, **WITHOUT_BASE}, note=f"line 93: {FOREIGN}; {LOADED}",
    ),
    Copied(
        "LookSAM, k=1", "Leminhbinh0209/LookSAM", "40402083", "looksam.py",
        copied_torch.looksam_by_steps, declare={"norm_epsilon": 1.0001e-12, **SUBTRACT},
        note=f"line 113: {FOREIGN}; with k > 1, line 31 keeps the weights for d1 in the first step",
    ),
    Copied(
        "SAMOptimizer", "mosaicml/composer", "64051888", "composer/algorithms/sam/sam.py",
        copied_torch.composer, declare={**E12, **SUBTRACT, **WITHOUT_BASE},
        note=f"line 81: {FOREIGN}; {LOADED}",
    ),
    Copied(
        "SAM, a callback of Lightning", "ar90n/pytorch-lightning-sam-callback", "3068c2de",
        "pytorch_lightning_sam_callback/sam.py", copied_torch.lightning, BOTH,
        {"norm_epsilon": 1e-4, **ALL}, f"line 97: {FOREIGN}",
    ),
    Copied(
        "SAM, a callback of fastai", "sanderson4030/SharpnessAwareMinimization", "e226a1d8",
        "sam.py", copied_torch.fastai, declare={"norm_scope": "per_tensor", **NAN},
        note="line 22: −ρ, and a norm for each tensor",
    ),
    Copied(
        "train_step, gradient_clipping=0", "google-research/sam", "dae9904c",
        "sam_jax/training_utils/flax_training.py", copied_jax.google_research,
        declare={"weight_decay": "in_loss", **NAN}, needs="optax",
    ),
    Copied(
        "train_step, gradient_clipping=5, its default", "google-research/sam", "dae9904c",
        "sam_jax/training_utils/flax_training.py", copied_jax.google_research_clipping,
        declare={"weight_decay": "in_loss", **NAN}, needs="optax",
        note="line 567: what the default says",
    ),
    Copied(
        "sharpness_aware_minimization", "google/init2winit", "afd5a84d",
        "init2winit/optimizer_lib/sharpness_aware_minimization.py", copied_jax.init2winit,
        declare=NAN, needs="optax",
    ),
    Copied(
        "gsam_gradient, alpha=0", "google-research/big_vision", "0127fb6b",
        "big_vision/trainers/proj/gsam/gsam.py", copied_jax.big_vision, BOTH,
        {**E12, **ALL, "asam_form": "Tg/|g|"},
        "line 94: d2/‖d2‖ is 0/0 where d2 is zero, and alpha · NaN is NaN", needs="optax",
    ),
    Copied(
        "SAM", "Jannoshh/simple-sam", "cd77d021", "sam.py", copied_tensorflow.simple_sam,
        declare={**E12, **SUBTRACT, "momentum_form": "lr_inside", "weight_decay": "decoupled"},
        needs="tensorflow",
    ),
    Copied(
        "SAMModel", "sayakpaul/Sharpness-Aware-Minimization-TensorFlow", "22be15d1", "SAM.ipynb",
        copied_tensorflow.sayakpaul,
        declare={**E12, **SUBTRACT, "momentum_form": "lr_inside", "weight_decay": "decoupled"},
        needs="tensorflow",
    ),
]  # fmt: skip
