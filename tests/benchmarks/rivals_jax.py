"""A whole SAM step in JAX: two gradients, climb and update in one compiled function.

JAX is imported where it is used. It takes its number of threads from NPROC when it first computes.
Pooling is a maximum over a reshaped array: `reduce_window`, whose gradient is slow on a CPU, makes
the step of a convolutional network a third slower.
"""

from __future__ import annotations

import importlib.util
import os
from functools import partial

import numpy as np

from minisam.threads import workers

HAS_JAX = importlib.util.find_spec("jax") is not None


def jax_with_same_threads():
    os.environ.setdefault("NPROC", str(workers()))
    import jax

    jax.config.update("jax_enable_x64", True)  # otherwise float64 is float32
    return jax


def dense_network(params, x):
    """Return the logits of an MLP, or the last layer's of a CNN, from minisam's parameters."""
    import jax

    x = x.reshape(len(x), -1)
    layers = sorted(key.removesuffix(".weight") for key in params if key.endswith(".weight"))
    for name in layers:
        x = x @ params[f"{name}.weight"] + params[f"{name}.bias"]
        x = x if name == layers[-1] else jax.nn.relu(x)
    return x


def convolutional_network(channels, params, x):
    """Return the logits of `minisam.nn.cnn` (channels), from its parameters."""
    import jax

    names = iter(range(1, 100))
    layout = ("NHWC", "HWIO", "NHWC")
    for stage in channels:
        for _ in stage:
            name = f"conv{next(names)}"
            x = jax.lax.conv_general_dilated(
                x, params[f"{name}.weight"], (1, 1), "SAME", dimension_numbers=layout
            )
            x = jax.nn.relu(x + params[f"{name}.bias"])
        n, h, w, c = x.shape
        x = x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
    return dense_network({key: params[key] for key in ("fc.weight", "fc.bias")}, x)


def jax_sam_step(network, params, images: np.ndarray, labels: np.ndarray):
    """Return a function that takes one SAM step around SGD, and returns the loss before it."""
    jax = jax_with_same_threads()
    jnp = jax.numpy
    x, y = jnp.asarray(images), jnp.asarray(labels)

    def loss(w):
        log_p = jax.nn.log_softmax(network(w, x))
        return -jnp.take_along_axis(log_p, y[:, None], 1).mean()

    @partial(jax.jit, donate_argnums=(0, 1))
    def sam(w, velocity):
        value, d1 = jax.value_and_grad(loss)(w)
        norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in d1.values()))
        d2 = jax.grad(loss)({k: w[k] + (0.05 / norm) * d1[k] for k in w})
        velocity = {k: 0.9 * velocity[k] + d2[k] for k in w}
        return {k: w[k] - 0.01 * velocity[k] for k in w}, velocity, value

    run = [{k: jnp.asarray(leaf) for k, leaf in params.items()}]
    run.append({k: jnp.zeros_like(leaf) for k, leaf in run[0].items()})

    def step():
        run[0], run[1], value = sam(*run)
        return float(value)

    return step
