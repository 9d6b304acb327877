"""Random numbers: pinned, separate by purpose, and independent of everything else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_random import plain_words

from minisam.data.portable_random import random_bytes, random_words, stream, uniform

sizes = st.integers(0, 300)
seeds = st.integers(0, 2**64)


def test_pinned_numbers():
    """These may never change: published noise depends on them."""
    bits = stream(1, "test")
    assert random_words(bits, 2).tolist() == [3156776279974309526, 8375375358407500928]
    assert uniform(bits, 2).tolist() == [0.6743840929384933, 0.41172043742879094]
    assert random_bytes(bits, 3).tolist() == [164, 159, 223]


@given(seeds, sizes)
def test_uniform_lies_in_the_half_open_interval_on_the_grid(seed, n):
    numbers = uniform(stream(seed, "a"), n)
    assert np.all((numbers >= 0) & (numbers < 1))
    assert np.array_equal(numbers * 2.0**53, np.floor(numbers * 2.0**53))


def test_random_bytes_are_the_bytes_of_words_lowest_first():
    word = int(random_words(stream(3, "a"), 1)[0])
    octets = random_bytes(stream(3, "a"), 11)
    assert octets[:8].tolist() == list(word.to_bytes(8, "little"))
    assert octets.shape == (11,)


def test_purposes_and_seeds_give_other_numbers():
    drawn = {
        int(random_words(stream(seed, purpose), 1)[0])
        for seed in range(50)
        for purpose in ("noise", "validation noise", "training subset")
    }
    assert len(drawn) == 150


def test_drawing_piecewise_is_drawing_at_once():
    bits = stream(0, "a")
    pieces = np.concatenate([random_words(bits, n) for n in (3, 0, 5)])
    assert np.array_equal(pieces, random_words(stream(0, "a"), 8))


def test_the_global_generator_is_neither_used_nor_touched():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = uniform(stream(0, "a"), 5)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(uniform(stream(0, "a"), 5), first)


@pytest.mark.parametrize("seed", [-1, 0.5, "0", None])
def test_bad_seeds_are_named(seed):
    with pytest.raises(ValueError, match=r"seed must be .* got"):
        stream(seed, "a")


@pytest.mark.fault("same-elsewhere", "data.portable_random.stream")
@given(st.integers(0, 2**200), st.text(max_size=20), st.integers(1, 20))
def test_the_same_words_come_from_whole_numbers(seed, purpose, n):
    assert random_words(stream(seed, purpose), n).tolist() == plain_words(seed, purpose, n)
