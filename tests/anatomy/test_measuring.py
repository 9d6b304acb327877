import pytest
from oracle import implementations as known

from minisam.adapters.plain import as_adapter
from minisam.anatomy.measuring import facts_of
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS


def facts(step, slug="sam-three-tensors", **options):
    return facts_of(watch(as_adapter(step), PROBES[slug], "float64"), **options)


@pytest.mark.parametrize("slug", [
    "sam-momentum", "sam-nesterov", "sam-decay-decoupled", "sam-decay-in-loss", "sam-rho-schedule",
    "sam-lr-schedule-momentum", "sam-frozen", "sam-p-1", "sam-p-inf", "asam-everything",
    "asam-eta-zero", "asam-scope-all",
])  # fmt: skip
def test_every_part_of_every_step_of_the_reference_is_right(slug):
    found = facts(MUTANTS["M35-shadowed-gradient"].adapter, slug, epsilon=0.0)
    assert [one.rights for one in found] == [3] * len(found)
    assert all(one.at_start and one.due and one.second is not None for one in found)
    assert not any(one.climb.coarse or one.ending.coarse for one in found)


def test_a_velocity_is_made_of_the_gradients_that_were_given():
    found = facts(MUTANTS["M07-downhill"].adapter, "sam-momentum")
    assert all(one.ending.right and not one.climb.along for one in found)


def test_what_asks_for_more_is_read_as_it_fits_best():
    def thrice(w, grad_fn, *, rho, lr):
        grad_fn([x + 1 for x in w])
        return known.right(w, grad_fn, rho=rho, lr=lr)

    (one, *_) = facts(thrice)
    assert (one.at_start, one.rights, len(one.asked)) == (False, 3, 3)


def test_no_climb_is_due_that_cannot_be_seen():
    assert facts(known.right, "sam-gradient-1e-18")[0].due is False  # of what 1e-6 leaves of it
    assert facts(known.right, "sam-gradient-1e-18", epsilon=0.0)[0].due
    assert not any(one.due for one in facts(known.right, "sam-gradient-zero"))


def test_a_step_from_what_is_not_finite_is_not_read():
    assert len(facts(known.returns_nan)) == 1
