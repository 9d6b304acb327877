"""Copied code on TensorFlow, as the oracle is shown it: text of the file -> adapter."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from backends.clones import defined

from minisam import oracle
from minisam.oracle import Unsupported


def cells(notebook: str) -> str:
    """Return the code cells of a notebook that are plain Python."""
    found = ["".join(cell["source"]) for cell in json.loads(notebook)["cells"]]
    return "\n".join(one for one in found if one.startswith(("import", "class")))


def on_tensorflow(begin: Callable[..., Any], step: Callable[..., Any]) -> Any:
    """Return the adapter of a step around a Keras optimizer, on TensorFlow."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    def make(variables, hp):
        if hp["weight_decay"] and hp["decay"] != "decoupled":
            raise Unsupported("Keras has decoupled weight decay only")
        # TensorFlow takes a number of Python's for a float32, but not one of NumPy's.
        momentum, decay = np.float64(hp["momentum"]), np.float64(hp["weight_decay"])
        base = keras.optimizers.SGD(hp["lr"], momentum, hp["nesterov"], weight_decay=decay or None)
        base.rho, base.sam = hp["rho"], begin(base)
        return base

    return oracle.keras(make, step)


def simple_sam(text: str) -> Any:
    import tensorflow as tf

    SAM = defined(text, "SAM", tf=tf)

    def step(optimizer, variables, gradient):
        optimizer.sam.rho = optimizer.rho
        optimizer.sam.first_step(gradient(variables), variables)
        optimizer.sam.second_step(gradient(variables), variables)

    return on_tensorflow(SAM, step)


def sayakpaul(text: str) -> Any:
    import tensorflow as tf

    SAMModel = defined(cells(text), "SAMModel", tf=tf)

    def step(optimizer, variables, gradient):
        def answers():
            return [tf.convert_to_tensor(one) for one in gradient(variables)]

        @tf.custom_gradient
        def loss(*weights):
            return tf.ones((), weights[0].dtype), lambda up: [up * one for one in answers()]

        metrics = SimpleNamespace(update_state=lambda *_: None)

        def model(images):
            return loss(*(one.value + 0 for one in variables))

        model.trainable_variables = variables
        SAMModel.train_step(
            SimpleNamespace(
                resnet_model=model, rho=optimizer.rho, optimizer=optimizer, metrics=[],
                compiled_loss=lambda labels, predictions: predictions, compiled_metrics=metrics,
                _grad_norm=partial(SAMModel._grad_norm, None),
            ),
            (None, None),
        )  # fmt: skip

    return on_tensorflow(lambda base: None, step)
