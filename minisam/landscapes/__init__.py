"""Analytic losses on which SAM's every step is known in closed form.

A network's loss is known at the points where it was evaluated and nowhere else. These losses are
known everywhere: where their minima lie, how curved each one is, where a step of SAM leads and at
which radius it leaves a sharp minimum for a flat one. They are what the specification is stated
on, and what the pictures are drawn of: the formulas take arrays, and where the specification uses
them also `minisam.rounding.Rounded` numbers, which carry their rounding error through.

- `minisam.landscapes.quadratics`: bowls of any spectrum; the exact step, cycle and stability edge.
- `minisam.landscapes.wells`: a sharp and a flat minimum of equal depth; the escape thresholds.
- `minisam.landscapes.twin_valley`: the same in a smooth valley.
- `minisam.landscapes.symmetric`: losses that do not change when the weights are rescaled.
- `minisam.landscapes.linear_models`: regression and classification by one linear map.
"""

from minisam.landscapes.landscape import (
    Landscape,
    Minimum,
    lifted,
    random_rotation,
    sam_path,
    sgd_path,
)
from minisam.landscapes.linear_models import (
    linear_regression,
    logistic_regression,
    margin_upweighting,
    outlier_location,
)
from minisam.landscapes.quadratics import (
    bounce_amplitude,
    distance_from_sgd,
    hessian_product,
    lyapunov,
    monotone_edge,
    quadratic,
    sam_step_on_quadratic,
)
from minisam.landscapes.symmetric import (
    curved_valley,
    rayleigh_quotient,
    relu_network,
    rescale_nodes,
)
from minisam.landscapes.twin_valley import (
    twin_valley,
    twin_valley_multiplier,
    twin_valley_threshold,
)
from minisam.landscapes.wells import escape_threshold, escape_window, kinked_well, smooth_well

__all__ = [
    "Landscape",
    "Minimum",
    "bounce_amplitude",
    "curved_valley",
    "distance_from_sgd",
    "escape_threshold",
    "escape_window",
    "hessian_product",
    "kinked_well",
    "lifted",
    "linear_regression",
    "logistic_regression",
    "lyapunov",
    "margin_upweighting",
    "monotone_edge",
    "outlier_location",
    "quadratic",
    "random_rotation",
    "rayleigh_quotient",
    "relu_network",
    "rescale_nodes",
    "sam_path",
    "sam_step_on_quadratic",
    "sgd_path",
    "smooth_well",
    "twin_valley",
    "twin_valley_multiplier",
    "twin_valley_threshold",
]
