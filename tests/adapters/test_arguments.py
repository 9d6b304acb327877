import pytest

from minisam.adapters.arguments import BadSignature, adapter_of_maker, known_arguments
from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.keras import keras
from minisam.adapters.optax import optax
from minisam.adapters.protocol import Unsupported
from minisam.adapters.torch import torch


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


@pytest.mark.parametrize("adapt", [torch, optax, keras])
def test_a_maker_must_be_callable(adapt):
    with pytest.raises(ValueError, match="make must be a function"):
        adapt("SAM")


@pytest.mark.fault("signature", "oracle.torch", "oracle.optax", "oracle.keras")
@pytest.mark.parametrize("adapt", [torch, optax, keras])
def test_a_maker_that_does_not_take_two_arguments_is_told_so(adapt):
    with pytest.raises(ValueError, match=r"make must be a function .* got <lambda>\(params\): "):
        adapt(lambda params: params)
    adapt(lambda params, hp, extra=1: params)


@pytest.mark.fault("signature", "oracle.torch")
def test_a_class_that_is_no_maker_is_told_what_to_write():
    class SAM:
        def __init__(self, params, base, rho=0.05):
            self.base = base(params, lr=0.1)

    def begin(params, hp):
        return SAM(params, hp)

    with pytest.raises(BadSignature, match=r"write lambda params, hp: SAM\(params, …\)"):
        adapter_of_maker(SAM, begin)([], {})
    with pytest.raises(TypeError, match="not callable"):  # of the maker's own code
        adapter_of_maker(lambda params, hp: SAM(params, hp), begin)([], {})


def test_unknown_styles_and_modes_are_named():
    with pytest.raises(ValueError, match="style must be a function or one of 'auto', 'two_steps'"):
        torch(lambda params, hp: None, style="three_steps")
    with pytest.raises(ValueError, match="mode must be one of 'auto', 'plain'"):
        optax(lambda params, hp: None, mode="clear")
    with pytest.raises(ValueError, match="step must be a function"):
        keras(lambda params, hp: None, step=None)


def test_what_is_unsupported_is_not_implemented():
    assert issubclass(Unsupported, NotImplementedError)


def test_arguments_come_in_one_order_whatever_the_order_of_a_set():
    """A script that is printed has the same text in every process."""
    hp = HyperParameters(rho=0.5)
    assert list(known_arguments(hp, frozenset(reversed(list(hp))))) == list(hp)
