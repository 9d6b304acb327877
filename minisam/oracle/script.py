"""Draw a probe's weights and gradients, the same ones on every machine.

The gradients are scripted. They do not come from a loss, so they can be anything: a zero at B
only, entries of 1e-15, a NaN in one step. What is asked again at the same point within a step gets
the same answer, as from a real function; each new point gets the next gradient of the script.
"""

from __future__ import annotations

import zlib
from decimal import Context, Decimal
from typing import NamedTuple

import numpy as np

from minisam.adapters.protocol import Arrays
from minisam.oracle.probes import Probe
from minisam.rounding import UNITS, to_unit

DECIMALS = Context(prec=40)
NAN = {  # the steps and passes, from 0, in which an entry is NaN
    "nan at A": {(0, 0)},
    "nan at B": {(1, 1)},
    "nan at A, then at B": {(1, 0), (2, 1)},
}
ANSWERS = 4  # scripted gradients per step and shard; after them the script starts again


class Script(NamedTuple):
    """A probe's material in one dtype.

    Attributes:
        params: the weights at the start.
        gradients: ``gradients[step][answer][shard]``, lists of arrays.
    """

    params: Arrays
    gradients: list[list[list[Arrays]]]


def script(probe: Probe, dtype: str, seed: int = 0) -> Script:
    """Draw a probe's weights and gradients, the same ones every time.

    Specials: ``"zero"``: every gradient is zero; ``"zero at B"``: all but the first; ``"one tensor
    zero"``, ``"one tensor zero at B"``: of the first tensor; ``"nan at A"``: in the first step;
    ``"nan at B"``: in the second; ``"nan at A, then at B"``: in the second and in the third;
    ``"zero weights"``: every third weight; ``"ties"``: gradients of equal entries.

    Example:
        >>> from minisam.oracle.probes import PROBES
        >>> drawn = script(PROBES["sam-one-tensor"], "float32")
        >>> drawn.params[0].dtype, len(drawn.gradients)
        (dtype('float32'), 3)
    """
    rng = np.random.default_rng([zlib.crc32(probe.slug.encode()), seed])
    unit = UNITS[dtype]
    scale = probe.scale[dtype] if isinstance(probe.scale, dict) else probe.scale
    names = list(probe.shapes)
    # tensors differ in size; pow() would be a last place off on some machines
    sizes = [float(DECIMALS.power(10, Decimal(x))) for x in rng.uniform(-0.7, 0.7, len(names))]

    def draw(size: float) -> Arrays:
        return [
            to_unit(rng.normal(size=probe.shapes[name]) * size * own, unit)
            for name, own in zip(names, sizes, strict=True)
        ]

    params = draw(1.0)
    if probe.special == "zero weights":
        for w in params:
            w.flat[::3] = 0
    gradients = []
    for step in range(probe.steps):
        answers = [
            [draw(scale) for _ in range(probe.settings.get("shards", 1))] for _ in range(ANSWERS)
        ]
        for k, shards in enumerate(answers):
            for grads in shards:
                make_special(grads, probe, step, k)
        gradients.append(answers)
    return Script(params, gradients)


def make_special(grads: Arrays, probe: Probe, step: int, answer: int) -> None:
    """Change freshly drawn gradients in place, see `script`."""
    special = probe.special
    if probe.passes and "AB"[answer > 0] not in probe.passes[step]:
        grads[0][...] = 0
    if special == "zero" or (special == "zero at B" and answer > 0):
        for g in grads:
            g[...] = 0
    elif special == "one tensor zero" or (special == "one tensor zero at B" and answer > 0):
        grads[0][...] = 0
    elif (step, min(answer, 1)) in NAN.get(special, ()):
        grads[0].flat[0] = np.nan
    elif special == "ties":
        for g in grads:
            g[...] = np.where(g < 0, -0.5, 0.5)
