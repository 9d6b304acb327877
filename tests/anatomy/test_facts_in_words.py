import numpy as np
from anatomy.test_measuring import facts
from oracle import implementations as known

from minisam.anatomy.facts_in_words import (
    of_tensors,
    set_apart,
    told_direction,
    told_ending,
    told_first,
    told_length,
    told_second,
)
from minisam.variants.mutants import MUTANTS


def test_steps_in_words():
    (one, *_) = facts(known.right)
    assert told_first(one, []).startswith("The first gradient is asked for at A, ")
    assert told_direction(one, []) == "B − A is along d1: the cosine is 1.00."
    assert told_ending(one, []).startswith("The new weights are a step from A")
    (one, *_) = facts(known.does_nothing)
    assert told_first(one, []) == "No gradient is asked for."
    assert told_second(one, []) == "No gradient is asked for in a step."
    (one, *_) = facts(MUTANTS["M11-no-gradient"].adapter)
    assert told_ending(one, []) == "The weights do not change."
    (one, *_) = facts(known.returns_nan)
    assert told_ending(one, []) == "The new weights are not finite."
    (one, *_) = facts(MUTANTS["M36-biases-not-perturbed"].adapter)
    assert told_direction(one, []).endswith("; fc1.bias does not move.")
    (one, *_) = facts(MUTANTS["A16-plain-sam"].adapter, "asam-three-tensors")
    assert told_direction(one, []).startswith("B − A is not along T²d1: the cosine is 0.")


def test_numbers_in_words():
    assert set_apart(0.5, 0.5) == "0.5"
    assert set_apart(1 / 3, 0.3333333) == "0.333333333"
    assert of_tensors(12) == "12 tensors"
    assert np.float64(set_apart(1.7320508, 1.0)) == 1.73


def test_fewer_tensors_are_told_of_only_where_their_number_matters():
    right = [*facts(known.right, "sam-one-tensor"), *facts(known.right, "sam-three-tensors")]
    (short, *_) = facts(MUTANTS["M52-half-the-radius"].adapter)
    assert told_length(short, right[:1]).endswith("three tensors; with one tensor it is 0.05.")
    alone = "‖B − A‖ = 0.025 with ρ = 0.05 and three tensors."
    assert told_length(short, right).endswith(alone)
    another = facts(MUTANTS["M35-shadowed-gradient"].adapter, "asam-one-tensor")
    assert told_length(short, another).endswith(alone)  # of another length


def test_a_point_that_is_not_finite_is_told_as_one():
    (one, *_) = facts(known.right)
    lost = one._replace(climb=one.climb._replace(along=False, cosine=np.nan))
    assert told_direction(lost, []) == "B is not finite."
