import numpy as np
import pytest

from minisam.adapters.keras import keras
from minisam.adapters.optax import optax
from minisam.adapters.plain import plain
from minisam.adapters.protocol import HYPERPARAMETERS, Unsupported
from minisam.adapters.torch import torch
from minisam.oracle.checking import check


def problem():
    rng = np.random.default_rng(3)
    w = [rng.normal(size=(2, 2)), rng.normal(size=3)]
    return w, {**HYPERPARAMETERS, "names": ("fc.weight", "fc.bias")}


def gradient(point):
    return [np.sin(3 * x) + x for x in point]


def test_plain_functions_see_the_schedule_of_the_step():
    seen = []

    def step(w, grad_fn, *, lr, rho, **rest):
        seen.append((lr, rho))
        return w

    w, h = problem()
    run = plain(step)(w, {**h, "lr": [0.5, 0.25], "rho": 0.1})
    for _ in range(3):
        run(gradient)
    assert seen == [(0.5, 0.1), (0.25, 0.1), (0.25, 0.1)]


def test_what_is_unsupported_is_not_implemented():
    assert issubclass(Unsupported, NotImplementedError)


@pytest.mark.parametrize("adapt", [torch, optax, keras])
def test_a_maker_must_be_callable(adapt):
    with pytest.raises(ValueError, match="make must be a function"):
        adapt("SAM")


def test_unknown_styles_and_modes_are_named():
    with pytest.raises(ValueError, match="style must be a function or one of 'auto', 'two_steps'"):
        torch(lambda params, hp: None, style="three_steps")
    with pytest.raises(ValueError, match="mode must be one of 'auto', 'plain'"):
        optax(lambda params, hp: None, mode="clear")
    with pytest.raises(ValueError, match="step must be a function"):
        keras(lambda params, hp: None, step=None)


def test_declaring_what_the_oracle_asks_to_declare_is_enough():
    def in_loss(w, grad_fn, *, rho, lr, weight_decay):
        def gradient(point):
            return [g + weight_decay * x for g, x in zip(grad_fn(point), point, strict=True)]

        d1 = gradient(w)
        length = np.sqrt(sum(np.sum(g * g) for g in d1))
        climb = rho / length if length else 0.0
        d2 = gradient([x + climb * g for x, g in zip(w, d1, strict=True)])
        return [x - lr * g for x, g in zip(w, d2, strict=True)]

    probes = ["sam-three-tensors", "sam-weight-decay"]
    report = check(in_loss, probes=probes)
    assert report.verdict == "undeclared convention: weight_decay"
    report = check(in_loss, probes=probes, declare={"weight_decay": "in_loss"})
    assert report.verdict == "conforms as declared"
    ran = {one.probe for one in report.results if one.status == "pass"}
    assert ran == set(probes)
