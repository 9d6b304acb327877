"""Deleted, swapped and negated terms of the optimizers are seen by the oracle."""

import pytest
from oracle.textual_mutants import FILES, killer, mutations

LOSS = "the loss that is reported moves no weight; the unit tests look at it"
NO_TERM = "adds or multiplies an exact zero: the same number"
GUARD = "guards a case in which the other branch gives the same numbers"
SCALED = "s is 1 but for gradients whose squares leave the range; the unit tests leave it"
UNUSED = "no method of the adapter comes here; the unit tests do"
NAN_AT_P_1 = "divides by zero where p = 1 meets a NaN, which no probe has; a unit test has"

# What survives, by file and change, and why. Anything else that survives is a hole in the oracle.
EXPLAINED = {
    ("optim/sgd.py", "keep condition 2 only: weight_decay and decay"): NO_TERM,
    ("optim/l2.py", "loss"): LOSS,
    ("optim/l2.py", "0.5"): LOSS,
    ("optim/perturbation.py", "keep condition 1 only: granularity"): UNUSED,
    ("optim/perturbation.py", "length(w, (0, 1, 2)) + eta"): UNUSED,
    ("optim/perturbation.py", "delete scale: scale(rho, grads)"): UNUSED,
    ("optim/perturbation.py", "always the first branch: rho / ties"): NAN_AT_P_1,
    ("optim/gsam.py", "always the first branch: add_scaled(d2, -alpha, across)"): NO_TERM,
    ("optim/wsam.py", "always the second branch: d2 if weight == 1"): GUARD,
    ("optim/wsam.py", "1 becomes 2: 1"): GUARD,
    ("optim/exact_sam.py", "ρ > 0 and G > 0"): GUARD,
    ("optim/exact_sam.py", "swap the operator: ρ * s"): SCALED,
    ("optim/exact_sam.py", "delete the right term: ρ * s"): SCALED,
    ("optim/friendly_sam.py", "always the first branch: add_scaled(d1, -sigma"): NO_TERM,
    ("optim/l2.py", "product(w, v)"): "no vector has H and decay in the loss; a unit test has",
    ("optim/m_sam.py", "always the first branch: [1] * len(shards)"): UNUSED,
    ("optim/m_sam.py", "1 becomes 2: 1"): "equal sizes are equal shares, whatever they are",
    ("optim/m_sam.py", "0 becomes 1: 0"): "shards are alike in their shares and fields",
    ("optim/m_sam.py", "field.endswith('auxiliary')"): LOSS,
    ("trees.py", "p == "): "norms other than the Euclidean one: " + UNUSED,
    ("trees.py", "s * leaf"): "norms other than the Euclidean one: " + UNUSED,
    ("trees.py", "1 / p"): "norms other than the Euclidean one: " + UNUSED,
    ("trees.py", "1 becomes 2: 1"): "norms other than the Euclidean one: " + UNUSED,
    ("trees.py", "2 becomes 3: 2"): "the Euclidean norm by the general formula; a lower limit",
    ("trees.py", "np.sqrt(square) / s"): SCALED,
    ("trees.py", "other.keys() != first.keys()"): "refuses trees that do not match",
    ("trees.py", "np.isfinite(magnitude) and magnitude > 0"): GUARD,
    ("trees.py", "0.0 becomes 1.0: 0.0"): "an empty tree has nothing to move",
    ("trees.py", "1.0 becomes 2.0: 1.0"): "any power of two serves as the scale",
    ("trees.py", "np.asarray(square).dtype if np.any(square)"): GUARD,
    ("trees.py", "limits."): "moves the limit of rescaling by powers of two, which are exact",
}


def explained(mutation):
    return any(mutation.file == file and text in mutation.change for file, text in EXPLAINED)


def test_the_unchanged_copy_passes_everything():
    assert killer(None, trials=1) == ""


@pytest.mark.parametrize("mutation", list(mutations("optim/sam.py")), ids=lambda m: m.change)
def test_every_change_of_sam_is_seen(mutation):
    assert killer(mutation, trials=1) != ""


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_what_survives_is_explained(file):
    survivors = [m for m in mutations(file) if not explained(m) and not killer(m)]
    assert survivors == []


def test_a_file_is_changed_in_many_ways():
    changes = [mutation.change for mutation in mutations("optim/perturbation.py")]
    assert len(changes) > 80
    assert len({change.split(":")[0] for change in changes}) > 8
