import pytest

from minisam.adapters.arguments import BadSignature, ReadingDict, known_arguments
from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.keras import keras
from minisam.adapters.optax import optax
from minisam.adapters.protocol import Unsupported
from minisam.adapters.torch import torch


def reading(**values):
    return ReadingDict(HyperParameters.of(values))


def test_what_a_maker_does_not_read_it_does_not_have():
    hp = reading(nesterov=True, momentum=0.9, eta=0.5)
    assert {**hp.base, "rho": hp["rho"]}["nesterov"] is True
    hp.refuse_unread()
    hp = reading(nesterov=True)
    hp.get("lr")
    with pytest.raises(Unsupported, match="does not read nesterov"):
        hp.refuse_unread()


def test_what_a_follow_up_adds_must_be_read_too():
    with pytest.raises(Unsupported, match="does not read granularity"):
        reading(granularity="layer").refuse_unread()


def test_unpacking_reads_everything():
    hp = reading(p=1, weight_decay=0.5)
    with pytest.raises(Unsupported, match="does not read"):
        hp.refuse_unread()
    dict(**hp)
    hp.refuse_unread()


def test_a_decay_that_is_not_asked_for_need_not_be_read():
    reading(decay="in_loss").refuse_unread()
    hp = reading(decay="in_loss", weight_decay=0.1)
    hp["weight_decay"]
    with pytest.raises(Unsupported, match="does not read decay"):
        hp.refuse_unread()


def test_a_base_optimizer_need_not_read_the_radius():
    reading(method="sgd", rho=7.0, p=1).refuse_unread()
    with pytest.raises(Unsupported, match="does not read"):
        reading(method="sam", rho=7.0, p=1).refuse_unread()


@pytest.mark.parametrize("decay", ["decoupled", "in_loss"])
def test_torchs_base_has_coupled_decay_only(decay):
    assert reading(decay=decay).base["weight_decay"] == 0
    hp = reading(decay=decay, weight_decay=0.1)
    with pytest.raises(Unsupported, match=f"no {decay} weight decay"):
        hp.base  # noqa: B018


def test_a_declared_decay_need_not_be_read():
    in_loss = {"weight_decay": 0.1, "decay": "in_loss"}
    declared, silent = (reading(**in_loss, declared=names) for names in (("decay",), ()))
    for hp in (declared, silent):
        hp["weight_decay"]
    declared.refuse_unread()
    with pytest.raises(Unsupported, match="does not read decay"):
        silent.refuse_unread()


def test_a_schedule_is_shown_as_it_is_or_at_a_step():
    hp = HyperParameters.of({"lr": [0.5, 0.25], "rho": 0.1})
    assert ReadingDict(hp)["lr"] == [0.5, 0.25]
    assert ReadingDict(hp, step=1)["lr"] == 0.25
    assert ReadingDict(hp, step=1).scheduled == {"lr"}


def test_a_schedule_must_be_read_even_where_it_begins_at_the_default():
    hp = ReadingDict(HyperParameters.of({"rho": [0.05, 0.1]}), step=0)
    with pytest.raises(Unsupported, match="does not read rho"):
        hp.refuse_unread()


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize("method", ["sgd", "sam"])
def test_a_step_size_that_is_named_as_in_the_papers_is_told_its_name_here(method):
    hp = HyperParameters.of({"method": method, "rho": [0.1, 0.2], "lr": [0.5, 0.25]})
    with pytest.raises(BadSignature, match="eta is ASAM's stabilizer; call the step size lr"):
        known_arguments(hp, frozenset({"rho", "eta"}))
    given = known_arguments(hp.at(0), frozenset({"rho", "lr", "eta"}))
    assert given == {"rho": 0.1, "lr": 0.5, "eta": 0.01}


def test_asam_has_an_eta_of_its_own():
    hp = HyperParameters.of({"method": "asam", "eta": 0.5})
    assert known_arguments(hp, frozenset({"rho", "eta"})) == {"rho": 0.05, "eta": 0.5}


def test_what_is_put_in_beside_them_need_not_be_read():
    hp = ReadingDict(HyperParameters(), model=print)
    hp.refuse_unread()
    assert hp["model"] is print


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


def test_what_is_unsupported_is_not_implemented():
    assert issubclass(Unsupported, NotImplementedError)
