import numpy as np
import pytest

from minisam.oracle.adapters.hyperparameters import Hyperparameters
from minisam.oracle.adapters.keras import keras
from minisam.oracle.adapters.optax import optax
from minisam.oracle.adapters.plain import plain
from minisam.oracle.adapters.torch import torch
from minisam.oracle.checking import check
from minisam.oracle.protocol import HYPERPARAMETERS, Unsupported, at_step


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


def test_schedules_hold_their_last_value():
    assert at_step({"lr": (1.0, 2.0), "names": ["a", "b"]}, 5) == {"lr": 2.0, "names": ["a", "b"]}


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


def test_what_a_maker_does_not_read_it_does_not_have():
    hp = Hyperparameters({**HYPERPARAMETERS, "nesterov": True, "momentum": 0.9, "eta": 0.5})
    assert {**hp.base, "rho": hp["rho"]}["nesterov"] is True
    hp.refuse_unread()
    hp = Hyperparameters({**HYPERPARAMETERS, "nesterov": True})
    hp.get("lr")
    with pytest.raises(Unsupported, match="does not read nesterov"):
        hp.refuse_unread()


def test_what_a_follow_up_adds_must_be_read_too():
    with pytest.raises(Unsupported, match="does not read granularity"):
        Hyperparameters({**HYPERPARAMETERS, "granularity": "layer"}).refuse_unread()


def test_unpacking_reads_everything():
    hp = Hyperparameters({**HYPERPARAMETERS, "p": 1, "weight_decay": 0.5})
    with pytest.raises(Unsupported, match="does not read"):
        hp.refuse_unread()
    dict(**hp)
    hp.refuse_unread()


def test_a_decay_that_is_not_asked_for_need_not_be_read():
    hp = Hyperparameters({**HYPERPARAMETERS, "decay": "in_loss"})
    hp.refuse_unread()
    hp["weight_decay"] = 0.1
    hp["weight_decay"]
    with pytest.raises(Unsupported, match="does not read decay"):
        hp.refuse_unread()


def test_a_base_optimizer_need_not_read_the_radius():
    hp = {**HYPERPARAMETERS, "rho": 7.0, "p": 1}
    Hyperparameters({**hp, "method": "sgd"}).refuse_unread()
    with pytest.raises(Unsupported, match="does not read"):
        Hyperparameters({**hp, "method": "sam"}).refuse_unread()


@pytest.mark.parametrize("decay", ["decoupled", "in_loss"])
def test_torchs_base_has_coupled_decay_only(decay):
    hp = Hyperparameters({**HYPERPARAMETERS, "decay": decay})
    assert hp.base["weight_decay"] == 0
    hp["weight_decay"] = 0.1
    with pytest.raises(Unsupported, match=f"no {decay} weight decay"):
        hp.base  # noqa: B018


def test_a_declared_decay_need_not_be_read():
    in_loss = {**HYPERPARAMETERS, "weight_decay": 0.1, "decay": "in_loss"}
    declared, silent = (Hyperparameters({**in_loss, "declared": d}) for d in (("decay",), ()))
    for hp in (declared, silent):
        hp["weight_decay"]
    declared.refuse_unread()
    with pytest.raises(Unsupported, match="does not read decay"):
        silent.refuse_unread()


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
