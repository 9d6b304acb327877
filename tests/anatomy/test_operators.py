import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.anatomy.operators import operators, row_lengths
from minisam.optim.perturbation import scaling

PARAMS = {"fc.weight": np.array([[3.0, -4.0], [0.0, 2.0]]), "fc.bias": np.array([-5.0])}


def test_what_may_stand_for_t_is_beside_it():
    hp = HyperParameters(eta=0.5)
    right = scaling(PARAMS, hp.eta, hp.scope)
    for name, found in operators(PARAMS, hp).items():
        assert found.keys() == PARAMS.keys()
        assert {key: x.shape for key, x in found.items()} == {
            key: x.shape for key, x in PARAMS.items()
        }
        same = all(np.array_equal(found[key], right[key]) for key in PARAMS)
        assert same == (name == "(T of several axes)")  # no weight here has one axis alone


def test_only_what_is_in_scope_is_rescaled():
    for scope, bias in (("weights", 1.0), ("all", 5.0)):
        found = operators(PARAMS, HyperParameters(eta=0.0, scope=scope))
        assert found["|A|"]["fc.bias"] == bias
        assert found["(|A| of all tensors)"]["fc.bias"] == 5.0


def test_a_row_is_what_has_one_first_index():
    assert np.array_equal(row_lengths(PARAMS["fc.weight"]), [[5.0, 5.0], [2.0, 2.0]])
    assert np.array_equal(row_lengths(np.array([3.0, -4.0])), [3.0, 4.0])
