from anatomy.test_measuring import facts
from oracle import implementations as known

from minisam.adapters.plain import as_adapter
from minisam.anatomy.features import features_of_probe, features_of_step, lost_at_b
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS


def test_what_is_special_about_a_probe_is_named():
    def special(slug, dtype="float64"):
        return features_of_probe(watch(as_adapter(known.right), PROBES[slug], dtype))

    assert special("sam-one-tensor") == []
    assert special("sam-one-tensor", "float32") == ["in float32"]
    assert "with a schedule of ρ" in special("sam-rho-schedule")
    assert "with two tensors of one shape" in special("sam-six-tensors")
    assert "with two tensors of one shape" not in special("sam-three-tensors")


def test_what_is_special_about_a_step_is_named():
    reference = MUTANTS["M35-shadowed-gradient"].adapter
    first, second, *_ = facts(reference, "sam-lr-schedule")
    assert "in the first step" in features_of_step(first)
    assert "once the learning rate has changed" not in features_of_step(first)
    assert "once the learning rate has changed" in features_of_step(second)
    (one, *_) = facts(reference, "sam-tensor-missing-at-B")
    assert lost_at_b(one) == ["fc1.weight"]
    assert "where a tensor has a gradient at A and none at B" in features_of_step(one)


def test_what_a_tensor_had_before_is_known():
    reference = MUTANTS["M35-shadowed-gradient"].adapter
    steps = facts(reference, "sam-tensor-zero-at-times")
    named = "where a tensor has no gradient, and had one before"
    assert named in features_of_step(steps[1], steps[:1])
    assert named not in features_of_step(steps[1])
    assert "with several tensors" in features_of_step(steps[0])
    assert "with several tensors" not in features_of_step(steps[1])  # that have a gradient
    assert "where there are several tensors" in features_of_step(steps[1])
    (alone, *_) = facts(reference, "sam-one-tensor")
    assert "where there are several tensors" not in features_of_step(alone)


def test_the_size_of_the_gradients_is_named_last():
    reference = MUTANTS["M35-shadowed-gradient"].adapter
    (one, *_) = facts(reference, "sam-gradient-1e-6")
    named = features_of_step(one)
    assert named[-2:] == ["with gradients of 0.001 or less", "with gradients of 1e-06 or less"]
    assert named[-2:] == features_of_probe(one.trace)[-2:]
    (one, *_) = facts(reference, "sam-gradient-1e6")
    assert features_of_step(one)[-1] == "with gradients of 1e+06"
    huge = PROBES["sam-gradient-huge"]
    for dtype, name in (("float64", "1e+200"), ("float32", "1e+25")):
        assert features_of_probe(watch(reference, huge, dtype))[-1] == f"with gradients of {name}"
