import numpy as np
import pytest

from minisam.adapters.optax import optax as adapt
from minisam.adapters.protocol import HYPERPARAMETERS, AdapterError, Unsupported
from minisam.oracle.checking import check
from minisam.vectors import load_vectors, replay

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
pytestmark = pytest.mark.backends
VECTORS = {vector["slug"]: vector for vector in load_vectors()}
NO_ZERO = {"sam-zero-gradient", "sam-momentum-coasts", "sam-zero-gradient-then-recovers"}
SCALE = {slug for slug, vector in VECTORS.items() if "ScaleSafe" in vector["flags"]}


def base(hp):
    if hp["weight_decay"] and hp["decay"] != "coupled":
        raise Unsupported("coupled weight decay only")
    momentum = optax.sgd(hp["lr"], hp["momentum"] or None, hp["nesterov"])
    return optax.chain(optax.add_decayed_weights(hp["weight_decay"]), momentum)


def sam(opaque):
    def make(params, hp):
        if hp["p"] != 2 or callable(hp["rho"]):
            raise Unsupported("p = 2 and a constant rho only")
        climb = optax.chain(optax.contrib.normalize(), optax.sgd(hp["rho"]))
        return optax.contrib.sam(base(hp), climb, opaque_mode=opaque)

    return make


def failures(adapter, method, dtypes=("float64", "bfloat16")):
    outcomes = [replay(adapter, v, d) for v in load_vectors([method]) for d in dtypes]
    assert sum(one.passed is True for one in outcomes) >= 20
    return {one.slug for one in outcomes if one.passed is False}


def test_sgd_agrees_to_the_last_bit():
    assert failures(adapt(lambda params, hp: base(hp)), "sgd") == set()


def test_opaque_sam_agrees_but_for_zero_gradients_and_extreme_ones():
    assert failures(adapt(sam(opaque=True)), "sam") <= NO_ZERO | SCALE


def test_transparent_sam_restores_by_adding_what_is_missing():
    failed = failures(adapt(sam(opaque=False)), "sam", ("float64",))
    restores = {slug for slug in failed if slug.startswith("restore")}
    assert failed - restores <= NO_ZERO | SCALE | {"sam-zero-at-b"}
    assert "restore-absorbed" in restores


def test_the_mode_can_be_given():
    vector = VECTORS["sam-norm-4"]
    assert replay(adapt(sam(opaque=True), mode="opaque"), vector).passed
    assert replay(adapt(sam(opaque=False), mode="transparent"), vector).passed
    wrong = replay(adapt(sam(opaque=False), mode="plain"), vector)
    assert (wrong.passed, wrong.quantity) == (False, "gradient calls")


@pytest.mark.parametrize(("dtype", "wide"), [("float64", "float64"), ("float32", "float32")])
def test_each_format_runs_with_the_precision_that_it_is_used_with(dtype, wide):
    seen = []

    def make(params, hp):
        def update(gradients, state, params):
            seen.append(jax.numpy.asarray(1.5).dtype.name)
            return optax.tree.scale(-hp["lr"], gradients), state

        return optax.GradientTransformation(lambda params: (), update)

    assert check(adapt(make), dtype, method="sgd", probes=["sgd-plain"]).conforms
    assert {*seen} == {wide}


def test_jax_is_left_as_it_was():
    before = jax.config.jax_enable_x64
    replay(adapt(lambda params, hp: base(hp)), VECTORS["sgd-step"])
    assert jax.config.jax_enable_x64 == before


def test_what_is_no_transformation_is_said():
    with pytest.raises(AdapterError, match="has no update"):
        adapt(lambda params, hp: None)([np.ones(2)], HYPERPARAMETERS)
