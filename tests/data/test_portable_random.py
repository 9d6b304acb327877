"""Random numbers: pinned, separate by purpose, and independent of everything else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_random import plain_words

from minisam.data import portable_random as streams

sizes = st.integers(0, 300)
seeds = st.integers(0, 2**64)


def test_pinned_numbers():
    """These may never change: published noise depends on them."""
    bits = streams.stream(1, "test")
    assert streams.words(bits, 2).tolist() == [3156776279974309526, 8375375358407500928]
    assert streams.uniform(bits, 2).tolist() == [0.6743840929384933, 0.41172043742879094]
    assert streams.integers(bits, 10, 8).tolist() == [2, 5, 1, 2, 0, 0, 6, 7]
    assert streams.permutation(bits, 8).tolist() == [7, 6, 2, 4, 3, 1, 5, 0]
    assert streams.octets(bits, 3).tolist() == [77, 130, 79]


@given(seeds, sizes)
def test_permutation_has_every_number_once(seed, n):
    assert np.array_equal(np.sort(streams.permutation(streams.stream(seed, "a"), n)), np.arange(n))


@given(seeds, sizes, st.integers(1, 1000))
def test_integers_lie_below_their_bound(seed, n, bound):
    numbers = streams.integers(streams.stream(seed, "a"), bound, n)
    assert numbers.shape == (n,)
    assert np.all((numbers >= 0) & (numbers < bound))


@given(seeds, sizes)
def test_uniform_lies_in_the_half_open_interval_on_the_grid(seed, n):
    numbers = streams.uniform(streams.stream(seed, "a"), n)
    assert np.all((numbers >= 0) & (numbers < 1))
    assert np.array_equal(numbers * 2.0**53, np.floor(numbers * 2.0**53))


def test_octets_are_the_bytes_of_words_lowest_first():
    word = int(streams.words(streams.stream(3, "a"), 1)[0])
    octets = streams.octets(streams.stream(3, "a"), 11)
    assert octets[:8].tolist() == list(word.to_bytes(8, "little"))
    assert octets.shape == (11,)


def test_purposes_and_seeds_give_other_numbers():
    drawn = {
        int(streams.words(streams.stream(seed, purpose), 1)[0])
        for seed in range(50)
        for purpose in ("noise", "validation noise", "training subset")
    }
    assert len(drawn) == 150


def test_drawing_piecewise_is_drawing_at_once():
    bits = streams.stream(0, "a")
    pieces = np.concatenate([streams.words(bits, n) for n in (3, 0, 5)])
    assert np.array_equal(pieces, streams.words(streams.stream(0, "a"), 8))


def test_the_global_generator_is_neither_used_nor_touched():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = streams.uniform(streams.stream(0, "a"), 5)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(streams.uniform(streams.stream(0, "a"), 5), first)


@pytest.mark.parametrize("seed", [-1, 0.5, "0", None])
def test_bad_seeds_are_named(seed):
    with pytest.raises(ValueError, match=r"seed must be .* got"):
        streams.stream(seed, "a")


@pytest.mark.fault("same-elsewhere", "data.streams.stream")
@given(st.integers(0, 2**200), st.text(max_size=20), st.integers(1, 20))
def test_the_same_words_come_from_whole_numbers(seed, purpose, n):
    assert streams.words(streams.stream(seed, purpose), n).tolist() == plain_words(seed, purpose, n)
