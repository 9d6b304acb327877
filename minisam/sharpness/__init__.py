"""Measures of how sharp a loss is around a point: curvature, worst cases in a ball, slices.

Everything here takes a scalar ``loss(params)`` written in autograd's NumPy and a dict of arrays.
The curvature algorithms take a linear map ``matvec`` of which the loss's Hessian is one example.

Example:
    >>> import numpy as np
    >>> from minisam import sharpness
    >>> loss = lambda p: 0.5 * (np.array([1.0, 5.0]) * p["w"] ** 2).sum()
    >>> w, rng = {"w": np.array([0.1, 0.2])}, np.random.default_rng(0)
    >>> hessian = sharpness.flat_hessian(sharpness.hessian_product(loss, w), w)
    >>> sharpness.top_eigenvalues(hessian.matvec, hessian.size, rng).eigenvalues.round(6)
    array([5.])
    >>> sharpness.trace(hessian.matvec, hessian.size, rng).value
    6.0
    >>> round(sharpness.worst_case(loss, w, rho=0.1).rise, 4)
    0.1254
"""

from minisam.sharpness.adaptive import adaptive_sharpness
from minisam.sharpness.hessian import FlatHessian, dense_hessian, flat_hessian, hessian_product
from minisam.sharpness.hutchinson import Estimate, trace
from minisam.sharpness.lanczos import Lanczos, lanczos, top_eigenvalues
from minisam.sharpness.m_sharpness import MSharpness, m_sharpness
from minisam.sharpness.slices import (
    LossPlane,
    LossSlice,
    filter_normalized_direction,
    loss_plane,
    loss_slice,
    plane_through,
)
from minisam.sharpness.spectral_density import SpectralDensity, spectral_density
from minisam.sharpness.worst_case import WorstCase, worst_case
from minisam.trees import flatten, unflatten

__all__ = [
    "Estimate",
    "FlatHessian",
    "Lanczos",
    "LossPlane",
    "LossSlice",
    "MSharpness",
    "SpectralDensity",
    "WorstCase",
    "adaptive_sharpness",
    "dense_hessian",
    "filter_normalized_direction",
    "flat_hessian",
    "flatten",
    "hessian_product",
    "lanczos",
    "loss_plane",
    "loss_slice",
    "m_sharpness",
    "plane_through",
    "spectral_density",
    "top_eigenvalues",
    "trace",
    "unflatten",
    "worst_case",
]
