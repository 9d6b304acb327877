import numpy as np
import pytest
from tiny_network import tiny_examples, tiny_loss, tiny_mean_loss, tiny_params

from minisam.sharpness.m_sharpness import m_sharpness
from minisam.sharpness.worst_case import worst_case


def test_one_shard_of_everything_is_the_worst_case():
    w, examples = tiny_params(), tiny_examples()
    found = m_sharpness(tiny_loss, w, examples, m=24, rho=0.3, steps=7)
    assert found.value == worst_case(tiny_mean_loss, w, 0.3, steps=7).rise
    assert found.shards.shape == (1,)
    assert np.isnan(found.standard_error)


def test_it_is_the_mean_of_the_shards_weighted_by_size():
    w, (inputs, labels) = tiny_params(), tiny_examples()
    found = m_sharpness(tiny_loss, w, (inputs, labels), m=10, rho=0.3, steps=3)
    parts = [slice(0, 10), slice(10, 20), slice(20, 24)]
    rises = [
        worst_case(lambda p, s=s: tiny_loss(p, inputs[s], labels[s]), w, 0.3, steps=3).rise
        for s in parts
    ]
    np.testing.assert_array_equal(found.shards, rises)
    size, error = np.array([10, 10, 4]), found.standard_error
    variance = np.sum((size / 24) ** 2 * (found.shards - found.value) ** 2) * 3 / 2
    assert error == pytest.approx(variance**0.5)
    assert found.value == pytest.approx((10 * rises[0] + 10 * rises[1] + 4 * rises[2]) / 24)


def test_refining_the_partition_never_lowers_it():
    w, examples = tiny_params(), tiny_examples()
    values = [
        m_sharpness(tiny_loss, w, examples, m, rho=0.3, steps=60).value for m in (24, 12, 6, 3, 1)
    ]
    assert np.all(np.diff(values) >= -1e-6)  # up to what the ascent leaves below the maximum
    assert values[-1] > 1.05 * values[0]


def test_equal_shards_have_no_spread():
    inputs, labels = (np.tile(a[:4], (6,) + (1,) * (a.ndim - 1)) for a in tiny_examples())
    found = m_sharpness(tiny_loss, tiny_params(), (inputs, labels), m=4, rho=0.3)
    assert found.standard_error == pytest.approx(0.0, abs=1e-12)


def test_bad_input_is_named():
    w, (inputs, labels) = tiny_params(), tiny_examples()
    with pytest.raises(ValueError, match="m must be a whole number from 1 to 24, got 0"):
        m_sharpness(tiny_loss, w, (inputs, labels), 0, 0.1)
    with pytest.raises(
        ValueError, match=r"examples must be arrays of one length, .* got \[24, 3\]"
    ):
        m_sharpness(tiny_loss, w, (inputs, labels[:3]), 2, 0.1)
