import os
from types import SimpleNamespace

import numpy as np
import pytest

from minisam.adapters.keras import keras as adapt
from minisam.adapters.protocol import HYPERPARAMETERS, AdapterError, Unsupported
from minisam.oracle.checking import check
from minisam.vectors import load_vectors, replay

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.backends,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras"),
]
VECTORS = {vector["slug"]: vector for vector in load_vectors()}


def sgd(variables, hp):
    if hp["weight_decay"] and hp["decay"] != "decoupled":
        raise Unsupported("Keras's weight decay is decoupled")
    decay = hp["weight_decay"] or None
    return keras.optimizers.SGD(hp["lr"], hp["momentum"], hp["nesterov"], weight_decay=decay)


def sam(variables, hp):
    optimizer = sgd(variables, hp)
    optimizer.rho = hp["rho"]
    return optimizer


def sam_step(optimizer, variables, gradient):
    """What the train_step of a Keras user's SAM does."""
    saved = [keras.ops.copy(one) for one in variables]
    d1 = gradient(variables)
    norm = keras.ops.sqrt(sum(keras.ops.sum(g * g) for g in d1))
    for one, g in zip(variables, d1, strict=True):
        one.assign_add(optimizer.rho / norm * g)
    d2 = gradient(variables)
    for one, old in zip(variables, saved, strict=True):
        one.assign(old)
    optimizer.apply(d2, variables)


def test_sgd_agrees_but_for_the_rate_inside_its_velocity():
    outcomes = [replay(adapt(sgd), v, d) for v in load_vectors(["sgd"]) for d in v["dtypes"]]
    assert sum(one.passed is True for one in outcomes) >= 25
    failed = {one.slug for one in outcomes if one.passed is False}
    assert failed == {"sgd-lr-schedule-momentum"}
    assert "LrOutsideVelocity" in VECTORS["sgd-lr-schedule-momentum"]["flags"]


def sam_step_on_copies(optimizer, variables, gradient):
    """What one does that leaves the variables at A."""
    d1 = gradient(variables)
    norm = keras.ops.sqrt(sum(keras.ops.sum(g * g) for g in d1))
    climbed = [
        keras.ops.add(one, optimizer.rho / norm * g) for one, g in zip(variables, d1, strict=True)
    ]
    optimizer.apply(gradient(climbed), variables)


@pytest.mark.parametrize("step", [sam_step, sam_step_on_copies])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_a_train_steps_sam_can_be_checked(dtype, step):
    for slug in ("sam-norm-4", "sam-global-norm", "sam-momentum", "restore-absorbed-moves"):
        assert replay(adapt(sam, step), VECTORS[slug], dtype).passed, slug


@pytest.mark.fault("signature", "oracle.keras")
def test_what_neither_maker_nor_step_reads_is_not_held_against_a_right_sam():
    slugs = ["three-tensors", "momentum", "p-inf", "weight-decay", "lr-schedule", "rho-schedule"]
    probes = [f"sam-{slug}" for slug in slugs]
    report = check(adapt(sam, sam_step), "float64", probes=probes)
    assert report.verdict == "conforms"
    assert "it does not read p" in report.summary()
    assert sum(result.status == "pass" for result in report.results) == 4

    def fixed(variables, hp):
        hp["rho"]
        return sgd(variables, hp)

    def with_a_radius_of_its_own(optimizer, variables, gradient):
        sam_step(SimpleNamespace(rho=0.05, apply=optimizer.apply), variables, gradient)

    report = check(adapt(fixed, with_a_radius_of_its_own), "float64", probes=["sam-rho-schedule"])
    assert "has no rho that can be scheduled" in report.headline


def test_keras_is_left_as_it_was():
    before = keras.config.floatx()
    replay(adapt(sgd), VECTORS["sgd-step"])
    assert keras.config.floatx() == before


def test_what_is_no_optimizer_is_said():
    with pytest.raises(AdapterError, match="has no apply"):
        adapt(lambda variables, hp: None)([np.ones(2)], HYPERPARAMETERS)
