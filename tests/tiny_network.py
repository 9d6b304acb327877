"""A smooth network of 37 parameters in float64, small enough for its Hessian to be written out."""

import autograd.numpy as np
import numpy as onp


def tiny_params(seed: int = 0, scale: float = 0.7) -> dict:
    rng = onp.random.default_rng(seed)
    shapes = {"1.weight": (4, 5), "1.bias": (5,), "2.weight": (5, 2), "2.bias": (2,)}
    return {key: scale * rng.standard_normal(shape) for key, shape in shapes.items()}


def tiny_examples(count: int = 24, seed: int = 1) -> tuple:
    rng = onp.random.default_rng(seed)
    return rng.standard_normal((count, 4)), rng.integers(2, size=count)


def tiny_loss(params, inputs, labels):
    hidden = np.tanh(np.dot(inputs, params["1.weight"]) + params["1.bias"])
    logits = np.dot(hidden, params["2.weight"]) + params["2.bias"]
    log_z = np.log(np.sum(np.exp(logits), axis=1))
    return np.mean(log_z - logits[onp.arange(len(labels)), labels])


def tiny_mean_loss(params):
    return tiny_loss(params, *tiny_examples())
