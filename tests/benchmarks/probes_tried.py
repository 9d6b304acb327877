"""Would Hessian products with several vectors at once be faster than one by one?

    python tests/benchmarks/probes_tried.py        half a minute, processor time

The weights are stacked K times, the loss of the stack is the sum of the K losses, and its Hessian
is block diagonal: one product with K stacked vectors gives all K products through one traced
gradient. The network is dense with tanh, in plain autograd, whose matmul takes stacks; the table
gives for each size the time of K products one by one in units of the time at once.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import autograd.numpy as anp
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from timing import in_turn

from minisam.sharpness.hessian import hessian_product

PROBES = 8
SIZES = [(4, 8, 32), (20, 20, 64), (100, 64, 128), (784, 64, 128), (3072, 128, 128),
         (3072, 256, 128)]  # inputs, width, batch  # fmt: skip


def initial(rng, inputs, width):
    shapes = {"1.weight": (inputs, width), "2.weight": (width, width), "3.weight": (width, 10)}
    return {k: (rng.standard_normal(s) / s[0] ** 0.5).astype(np.float32) for k, s in shapes.items()}


def loss_on(x, targets):
    """Return params → cross-entropy, summed over the stack if there is one."""

    def loss(params):
        z = anp.tanh(anp.matmul(x, params["1.weight"]))
        z = anp.matmul(anp.tanh(anp.matmul(z, params["2.weight"])), params["3.weight"])
        log_p = z - anp.log(anp.sum(anp.exp(z), axis=-1, keepdims=True))
        return -anp.sum(log_p * targets) * (1 / len(x))

    return loss


def main() -> None:
    for inputs, width, batch in SIZES:
        rng = np.random.default_rng(0)
        params = initial(rng, inputs, width)
        x = rng.standard_normal((batch, inputs)).astype(np.float32)
        loss = loss_on(x, np.eye(10, dtype=np.float32)[rng.integers(0, 10, batch)])
        one = hessian_product(loss, params)
        stack = {k: np.repeat(w[None], PROBES, axis=0) for k, w in params.items()}
        together = hessian_product(loss, stack)
        probes = {k: rng.choice(np.float32([-1, 1]), w.shape) for k, w in stack.items()}
        single = [{k: v[i] for k, v in probes.items()} for i in range(PROBES)]
        for i, vector in enumerate(single):
            for k, product in one(vector).items():
                np.testing.assert_allclose(together(probes)[k][i], product, rtol=1e-2, atol=1e-4)
        times = in_turn(
            {
                "one by one": lambda one=one, single=single: [one(vector) for vector in single],
                "at once": lambda together=together, probes=probes: together(probes),
            },
            clock=time.process_time,
        )
        size = sum(w.size for w in params.values())
        print(f"{size:8} parameters  {times.best('one by one') / PROBES:8.2f} ms a product  "
              f"{times.ratio('one by one', 'at once'):5.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
