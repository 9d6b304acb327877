import json
import math
import pickle

import numpy as np
import pytest

from minisam.adapters.hyperparameters import HyperParameters, Scheduled
from minisam.adapters.reason import Unsupported

KEYS = (
    "method", "rho", "lr", "momentum", "nesterov", "weight_decay", "decay", "p", "eta", "scope",
    "names", "frozen", "dtype",
)  # fmt: skip


def test_it_reads_as_the_dict_that_adapters_were_always_given():
    hp = HyperParameters()
    assert tuple(hp) == KEYS
    assert dict(hp) == {**hp} == {key: getattr(hp, key) for key in KEYS}
    assert hp.get("alpha", 7) == 7
    assert "alpha" not in hp
    with pytest.raises(KeyError):
        hp["alpha"]


def test_a_methods_own_stand_beside_the_others():
    hp = HyperParameters.of({"method": "gsam", "alpha": 0.5, "rho": 0.1})
    assert (hp["alpha"], hp.own, hp.rho) == (0.5, {"alpha": 0.5}, 0.1)
    assert tuple(hp) == (*KEYS, "alpha")
    assert hp.having(alpha=0.25, lr=1.0)["alpha"] == 0.25
    assert hp["alpha"] == 0.5


def test_what_says_nothing_is_not_shown():
    assert (HyperParameters().shards, HyperParameters().missing) == (1, False)
    shown = HyperParameters.of({"shards": 2, "missing": True, "declared": ("eta",)})
    assert set(shown) - set(KEYS) == {"shards", "missing", "declared"}
    assert set(shown.having(shards=1)) - set(KEYS) == {"missing", "declared"}


def test_only_the_learning_rate_and_the_radius_follow_a_schedule():
    hp = HyperParameters.of({"lr": (1.0, 2.0), "rho": [0.5], "names": ["a", "b"], "frozen": ("a",)})
    assert hp.scheduled == {"lr", "rho"}
    assert [hp.at(step).lr for step in range(4)] == [1.0, 2.0, 2.0, 2.0]
    assert hp.at(5).rho == 0.5
    assert hp.at(5).scheduled == frozenset()
    assert (hp.at(5).names, hp.at(5).frozen) == (["a", "b"], ("a",))
    still = HyperParameters()
    assert still.at(3) is still


def test_a_schedule_is_a_list_and_a_function():
    schedule = HyperParameters.of({"lr": [1, 0.5]}).lr
    assert isinstance(schedule, list)
    assert json.dumps(schedule) == "[1.0, 0.5]"
    assert schedule(np.int64(0)) == 1.0
    assert pickle.loads(pickle.dumps(schedule))(9) == 0.5
    assert isinstance(schedule, Scheduled)


AS_A_NUMBER = {
    "times an array": lambda lr: lr * np.ones(2),
    "an array times": lambda lr: np.ones(2) * lr,
    "a ufunc": lambda lr: np.multiply(np.ones(2), lr),
    "minus": lambda lr: 1.0 - lr,
    "plus": lambda lr: 1.0 + lr,
    "a quotient": lambda lr: np.ones(2) / lr,
    "a power": lambda lr: lr**2,
    "negative": lambda lr: -lr,
    "compared": lambda lr: lr < 0.0,
    "a float": float,
}


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize("use", AS_A_NUMBER)
def test_a_schedule_that_is_taken_for_a_number_says_what_to_write(use):
    schedule = HyperParameters.of({"rho": [0.5, 0.25]}).rho
    with pytest.raises(Unsupported, match=r"not hp\[name\]\(step\), for scheduled rho"):
        AS_A_NUMBER[use](schedule)


def test_a_schedule_is_still_a_list():
    schedule = HyperParameters.of({"rho": [0.5, 0.25]}).rho
    assert (schedule[1], len(schedule), max(schedule), schedule) == (0.25, 2, 0.5, [0.5, 0.25])
    assert [*schedule, 1.0] == schedule + [1.0] == [0.5, 0.25, 1.0]  # noqa: RUF005
    np.testing.assert_array_equal(np.asarray(schedule), [0.5, 0.25])


def test_whole_numbers_become_floats_where_floats_are_meant():
    hp = HyperParameters.of({"method": "gsam", "rho": 1, "eta": 0, "alpha": 1, "p": 3})
    assert [type(hp[key]) for key in ("rho", "eta", "alpha", "p")] == [float, float, float, int]
    hp = HyperParameters.of({"method": "looksam", "every": 2, "nesterov": True, "p": "inf"})
    assert (type(hp["every"]), hp.nesterov, hp.p) == (int, True, math.inf)


def test_it_cannot_be_changed_in_place():
    hp = HyperParameters()
    with pytest.raises(AttributeError):
        hp.rho = 1.0
    with pytest.raises(TypeError):
        hp["rho"] = 1.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"momentun": 0.9}, "no hyper-parameter 'momentun'; did you mean 'momentum'"),
        ({"aplha": 0.9, "method": "gsam"}, "no hyper-parameter 'aplha'; did you mean 'alpha'"),
        ({"x": 1}, r"no hyper-parameter 'x'; there are \['alpha', 'decay', "),
        ({"x": 1, "y": 2}, "no hyper-parameter 'x'"),  # the first, whatever the order of a set
        ({"y": 2, "x": 1}, "no hyper-parameter 'y'"),
        ({"lr": []}, r"lr must have a number for the first step, got \[\]"),
        ({"rho": ()}, r"rho must have a number for the first step, got \(\)"),
    ],
)
def test_a_wrong_name_or_an_empty_schedule_is_refused_at_the_door(values, message):
    with pytest.raises(ValueError, match=message):
        HyperParameters.of(values)


@pytest.mark.parametrize(
    ("values", "demanded"),
    [
        ({}, []),
        ({"momentum": 0.9, "p": 1, "rho": 0.1}, ["rho", "momentum", "p"]),
        ({"method": "sgd", "p": 1, "rho": 0.1, "lr": 0.5}, ["lr"]),
        ({"method": "asam", "eta": 0.5, "scope": "all"}, ["eta", "scope"]),
        ({"method": "asam", "eta": 0.5, "scope": "all", "declared": ("scope",)}, ["eta"]),
        ({"method": "sam", "eta": 0.5, "scope": "all"}, []),
        ({"decay": "in_loss"}, []),
        ({"decay": "in_loss", "weight_decay": 0.1}, ["weight_decay", "decay"]),
        ({"decay": "in_loss", "weight_decay": 0.1, "declared": ("decay",)}, ["weight_decay"]),
        ({"method": "gsam", "alpha": 0.2}, ["alpha"]),
        ({"shards": 2, "missing": True, "frozen": ("a",), "dtype": "float32", "names": "ab"}, []),
        ({"lr": [0.1, 0.1]}, ["lr"]),
    ],
)
def test_what_an_implementation_has_to_know(values, demanded):
    assert HyperParameters.of(values).demanded() == demanded
