"""Optimizers as pure functions: SGD, SAM, ASAM, and what came after them.

Read in this order: `minisam.optim.sgd`, `minisam.optim.sam`, `minisam.optim.perturbation`,
`minisam.optim.asam`; then any of the follow-ups, each of which replaces one piece.
`minisam.optim.methods` has them all by name.
"""

from minisam.optim.asam import asam
from minisam.optim.exact_sam import exact_sam
from minisam.optim.friendly_sam import friendly_sam
from minisam.optim.gsam import gsam
from minisam.optim.l2 import add_l2
from minisam.optim.looksam import looksam
from minisam.optim.m_sam import m_sam
from minisam.optim.methods import METHODS, Method
from minisam.optim.optimizer import Optimizer, Step
from minisam.optim.perturbation import (
    asam_perturbation,
    sam_perturbation,
    scaling,
    unnormalized_perturbation,
)
from minisam.optim.sam import sam, two_gradients
from minisam.optim.schedule import constant, cosine, piecewise, warmup
from minisam.optim.sgd import sgd
from minisam.optim.wsam import wsam

__all__ = [
    "METHODS",
    "Method",
    "Optimizer",
    "Step",
    "add_l2",
    "asam",
    "asam_perturbation",
    "constant",
    "cosine",
    "exact_sam",
    "friendly_sam",
    "gsam",
    "looksam",
    "m_sam",
    "piecewise",
    "sam",
    "sam_perturbation",
    "scaling",
    "sgd",
    "two_gradients",
    "unnormalized_perturbation",
    "warmup",
    "wsam",
]
