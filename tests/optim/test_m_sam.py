import numpy as np
import pytest

from minisam.optim import m_sam, sam, sam_perturbation, sgd


def pull(c):
    c = np.asarray(c, float)
    return lambda w: (0.5 * float((w["w"] - c) @ (w["w"] - c)), {"w": w["w"] - c})


def batch(*shards, sizes=None):
    def whole(w):
        raise AssertionError("every shard is asked by itself")

    whole.shards, whole.sizes = list(shards), sizes
    return whole


W = {"w": np.array([1.0, -2.0])}


def test_one_shard_is_sam():
    sharded, plain = m_sam(sgd(lr=0.1), rho=0.3), sam(sgd(lr=0.1), rho=0.3)
    new, _, step = sharded.step(W, sharded.init(W), batch(pull([3.0, 0.5])))
    expected, _, expected_step = plain.step(W, plain.init(W), pull([3.0, 0.5]))
    np.testing.assert_array_equal(new["w"], expected["w"])
    assert step.shards == (step._replace(shards=()),)
    for one, other in zip(step[:-1], expected_step[:-1], strict=True):
        np.testing.assert_equal(one, other)


def test_every_shard_climbs_its_own_way():
    opt = m_sam(sgd(lr=0.1), rho=0.3)
    centres = [[3.0, 0.5], [0.0, 4.0], [1.0, 1.0]]
    new, _, step = opt.step(W, opt.init(W), batch(*map(pull, centres)))
    descents = []
    for c, shard in zip(centres, step.shards, strict=True):
        d1 = pull(c)(W)[1]
        epsilon = sam_perturbation(W, d1, 0.3)["w"]
        np.testing.assert_array_equal(shard.perturbation["w"], epsilon)
        descents.append(W["w"] + epsilon - c)
    np.testing.assert_allclose(step.descent_gradient["w"], np.mean(descents, 0), rtol=1e-15)
    np.testing.assert_allclose(new["w"], W["w"] - 0.1 * np.mean(descents, 0), rtol=1e-15)


def test_it_differs_from_sam_on_the_whole_batch():
    opt = m_sam(sgd(lr=0.1), rho=0.3)
    _, _, step = opt.step(W, opt.init(W), batch(pull([3.0, 0.5]), pull([0.0, 4.0])))
    mean = lambda w: (0.0, {"w": w["w"] - np.array([1.5, 2.25])})  # noqa: E731
    plain = sam(sgd(lr=0.1), rho=0.3)
    _, _, whole = plain.step(W, plain.init(W), mean)
    assert np.abs(step.descent_gradient["w"] - whole.descent_gradient["w"]).max() > 0.01


def test_unequal_shards_are_weighed_by_their_size():
    opt = m_sam(sgd(lr=0.1), rho=0.0)
    unequal = batch(pull([0.0, 0.0]), pull([4.0, 4.0]), sizes=[3, 1])
    _, _, step = opt.step(W, opt.init(W), unequal)
    np.testing.assert_allclose(step.descent_gradient["w"], W["w"] - 1.0, rtol=1e-15)


@pytest.mark.parametrize(("shards", "sizes"), [([], None), ([pull([0.0, 0.0])], [1, 2])])
def test_shards_and_sizes_must_match(shards, sizes):
    opt = m_sam(sgd(lr=0.1))
    with pytest.raises(ValueError, match="shards must be at least one"):
        opt.step(W, opt.init(W), batch(*shards, sizes=sizes))


def test_shards_without_examples_have_no_mean():
    opt = m_sam(sgd(lr=0.1))
    with pytest.raises(ValueError, match=r"sizes must hold a number above 0, got \[0, 0\]"):
        opt.step(W, opt.init(W), batch(pull([0.0, 0.0]), pull([1.0, 1.0]), sizes=[0, 0]))


def test_a_function_without_shards_is_told_what_to_carry():
    opt = m_sam(sgd(lr=0.1))
    with pytest.raises(ValueError, match="must carry shards, one value_and_grad for each part"):
        opt.step(W, opt.init(W), pull([0.0, 0.0]))


def test_every_field_of_the_step_is_the_mean_over_the_shards():
    def with_statistics(c):
        return lambda w: (*pull(c)(w), {"mean": np.array(c) + w["w"]})

    opt = m_sam(sgd(lr=0.1), rho=0.3)
    unequal = batch(with_statistics([3.0, 0.5]), with_statistics([0.0, 4.0]), sizes=[1, 3])
    _, _, step = opt.step(W, opt.init(W), unequal)
    one, other = step.shards
    for field in step._fields[:-1]:
        means, first, second = (getattr(s, field) for s in (step, one, other))
        if not isinstance(means, dict):
            means, first, second = {"": means}, {"": first}, {"": second}
        for key, mean in means.items():
            expected = 0.25 * np.asarray(first[key]) + 0.75 * np.asarray(second[key])
            np.testing.assert_allclose(mean, expected, rtol=1e-15, atol=1e-15)


def test_auxiliary_values_that_are_no_arrays_stay_with_their_shards():
    def with_text(c):
        return lambda w: (*pull(c)(w), f"towards {c}")

    opt = m_sam(sgd(lr=0.1), rho=0.3)
    _, _, step = opt.step(W, opt.init(W), batch(with_text([3.0, 0.5]), with_text([0.0, 4.0])))
    assert step.auxiliary is None
    assert [shard.auxiliary for shard in step.shards] == [
        "towards [3.0, 0.5]",
        "towards [0.0, 4.0]",
    ]
