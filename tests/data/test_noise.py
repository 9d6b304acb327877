"""Label noise keeps exactly what each kind promises."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_random import plain_words
from strategies import label_arrays, stochastic_matrices

from minisam.data import LabelNoise, label_hash, load
from minisam.data.noise import (
    GOES_WITH,
    KINDS,
    check_matrix,
    check_noise,
    corrupt,
    expected_rate,
    relabel,
    shares_and_destinations,
)

rates = st.floats(0, 1)
seeds = st.integers(0, 2**32)
NO_RATES = (True, "0.4", None, np.nan, -0.1, 1.5, np.float32(1.5), 0.4j, [0.4], np.array([0.4]))
MAP = np.array([0, 1, 0, 5, 7, 3, 6, 7, 8, 1])  # CIFAR-10's: two classes share a destination


def wrong(labels, clean):
    return int(np.count_nonzero(labels != clean))


def nearest(x):
    return int(np.floor(x + 0.5))


def binomial_bound(n, p):
    """How far a binomial count strays with probability below 1e-9 (Bernstein's inequality)."""
    log = np.log(2 / 1e-9)
    return log / 3 + np.sqrt(log**2 / 9 + 2 * log * n * p * (1 - p))


@given(label_arrays(), rates, seeds)
def test_symmetric_noise_changes_exactly_the_share_asked_for(drawn, rate, seed):
    clean, classes = drawn
    noisy = corrupt(clean, LabelNoise("symmetric", rate, seed), classes)
    assert wrong(noisy, clean) == nearest(rate * len(clean))
    assert np.all((noisy >= 0) & (noisy < classes))


@given(label_arrays(), rates, seeds)
def test_pair_noise_goes_to_the_next_class_only(drawn, rate, seed):
    clean, classes = drawn
    noisy = corrupt(clean, LabelNoise("pair", rate, seed), classes)
    assert wrong(noisy, clean) == nearest(rate * len(clean))
    assert set(((noisy - clean) % classes).tolist()) <= {0, 1}


@given(st.lists(st.integers(0, 9), max_size=80), rates, seeds, st.booleans())
def test_asymmetric_noise_never_leaves_its_map(clean, rate, seed, per_sample):
    clean = np.array(clean, np.int64)
    noise = LabelNoise("asymmetric", rate, seed, per_sample=per_sample)
    noisy = corrupt(clean, noise, 10, look_alikes=MAP)
    assert np.all((noisy == clean) | (noisy == MAP[clean]))
    if not per_sample:
        affected = np.count_nonzero(MAP[clean] != clean)
        assert wrong(noisy, clean) == nearest(rate * affected)


@given(label_arrays(), seeds, st.data(), st.booleans())
def test_matrix_noise_uses_possible_transitions_only(drawn, seed, data, per_sample):
    clean, classes = drawn
    matrix = data.draw(stochastic_matrices(classes))
    noise = LabelNoise("matrix", seed=seed, matrix=matrix, per_sample=per_sample)
    noisy = corrupt(clean, noise, classes)
    assert np.all(matrix[clean, noisy] > 0)
    if not per_sample:
        off_diagonal = matrix * (1 - np.eye(classes))
        share = np.round(off_diagonal.sum(axis=1), 12)
        for rate in np.unique(share):
            group = share[clean] == rate
            assert wrong(noisy[group], clean[group]) == nearest(rate * np.count_nonzero(group))


def test_the_extreme_tickets_have_their_place():
    """0 does not choose a class of probability 0, nor the largest number below 1 one beyond K."""
    short = [0, 1 - 1e-7, 0]  # within what a row may lack
    destinations = np.array([short, [0.5, 0, 0.5], [0.1] * 3])
    tickets = np.array([0.0, np.nextafter(1, 0)])
    for label, expected in ((0, [1, 1]), (1, [0, 2]), (2, [0, 2])):
        labels = np.full(2, label)
        assert relabel(labels, destinations, tickets).tolist() == expected
    assert relabel(np.array([1]), destinations, np.array([0.5])).tolist() == [2]


@given(label_arrays(), seeds)
def test_rate_0_changes_nothing_and_rate_1_everything(drawn, seed):
    clean, classes = drawn
    assert wrong(corrupt(clean, LabelNoise("symmetric", 0.0, seed), classes), clean) == 0
    assert wrong(corrupt(clean, LabelNoise("symmetric", 1.0, seed), classes), clean) == len(clean)


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
@pytest.mark.parametrize("rate", [0.2, 0.4, 0.8])
def test_inclusive_noise_makes_less_wrong_than_it_selects(classes, rate):
    """r (K − 1)/K of the labels: 45 % for "50 %" of ten classes."""
    clean = np.arange(50_000) % classes
    noisy = corrupt(clean, LabelNoise("symmetric", rate, inclusive=True), classes)
    selected, other = nearest(rate * len(clean)), (classes - 1) / classes
    assert abs(wrong(noisy, clean) - selected * other) < binomial_bound(selected, other)
    noise = LabelNoise("symmetric", rate, inclusive=True)
    assert np.isclose(expected_rate(noise, clean, classes), rate * other, rtol=1e-12)


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("rate", [0.05, 0.4, 0.8])
def test_per_sample_noise_is_binomial(rate, inclusive):
    clean = np.arange(50_000) % 10
    noise = LabelNoise("symmetric", rate, per_sample=True, inclusive=inclusive)
    count = wrong(corrupt(clean, noise, 10), clean)
    share = rate * 0.9 if inclusive else rate
    assert abs(count - share * len(clean)) < binomial_bound(len(clean), share)
    assert count != nearest(share * len(clean))  # so it is drawn: exact with probability < 1 %


def test_symmetric_destinations_are_uniform_over_the_other_classes():
    clean = np.repeat(np.arange(10), 5000)
    noisy = corrupt(clean, LabelNoise("symmetric", 1.0), 10)
    counts = np.bincount(clean * 10 + noisy, minlength=100).reshape(10, 10)
    assert np.all(np.diag(counts) == 0)
    bound = binomial_bound(5000, 1 / 9)
    assert np.all(abs(counts + np.eye(10) * 5000 / 9 - 5000 / 9) < bound)


def test_a_matrix_is_met_in_every_entry():
    matrix = np.array([[0.7, 0.2, 0.1], [0, 1, 0], [0.5, 0.25, 0.25]])
    clean = np.arange(60_000) % 3
    noisy = corrupt(clean, LabelNoise("matrix", matrix=matrix), 3)
    counts = np.bincount(clean * 3 + noisy, minlength=9).reshape(3, 3)
    for (i, j), share in np.ndenumerate(matrix):
        assert abs(counts[i, j] - 20_000 * share) < binomial_bound(20_000, share) + 1


@given(label_arrays(min_size=1), seeds)
def test_noise_is_drawn_from_clean_labels_and_changes_no_argument(drawn, seed):
    clean, classes = drawn
    before = clean.copy()
    corrupt(clean, LabelNoise("symmetric", 1.0, seed), classes)
    assert np.array_equal(clean, before)


def test_cats_and_dogs_are_not_flipped_back():
    """Selecting dogs after cats became dogs would change some labels twice."""
    clean = np.array([3] * 1000 + [5] * 1000)
    noisy = corrupt(clean, LabelNoise("asymmetric", 1.0), 10, look_alikes=MAP)
    assert np.array_equal(noisy, np.array([5] * 1000 + [3] * 1000))


@given(label_arrays(min_size=1), st.lists(rates, min_size=2, max_size=2), seeds)
def test_more_noise_contains_less(drawn, two_rates, seed):
    """Of one seed, every label that a lower rate changes is changed alike by a higher rate."""
    clean, classes = drawn
    low, high = (
        corrupt(clean, LabelNoise("symmetric", rate, seed), classes) for rate in sorted(two_rates)
    )
    flipped = low != clean
    assert np.array_equal(low[flipped], high[flipped])


@given(seeds, st.integers(0, 100))
def test_the_order_of_other_draws_does_not_matter(seed, others):
    clean = np.arange(40) % 10
    first = corrupt(clean, LabelNoise("symmetric", 0.5, seed), 10)
    np.random.default_rng(seed).random(others)
    np.random.seed(others)  # noqa: NPY002
    np.random.random(others)  # noqa: NPY002
    corrupt(clean, LabelNoise("pair", 0.1, seed), 10)
    assert np.array_equal(corrupt(clean, LabelNoise("symmetric", 0.5, seed), 10), first)


def test_seeds_and_purposes_give_other_noise():
    clean = np.arange(1000) % 10
    hashes = {
        label_hash(corrupt(clean, LabelNoise("symmetric", 0.4, seed), 10, purpose=purpose))
        for seed in range(10)
        for purpose in ("noise", "validation noise")
    }
    assert len(hashes) == 20


def in_whole_numbers(clean, noise, classes):
    """The first table of the module in Python's whole numbers and fractions, without NumPy.

    Words have 53 of their 64 bits in use: a ticket t of them picks the ⌊t m / 2⁵³⌋-th of m classes.
    """
    n, rate = len(clean), Fraction(noise.rate)
    words = [word >> 11 for word in plain_words(noise.seed, "noise", 2 * n)]
    affected = [i for i in range(n) if noise.kind != "asymmetric" or MAP[clean[i]] != clean[i]]
    share = int(rate * len(affected) + Fraction(1, 2))
    first = sorted(affected, key=lambda i: (words[i], i))[:share]
    if noise.per_sample:
        first = [i for i in affected if words[i] < rate * 2**53]
    labels = list(clean)
    for i in first:
        if noise.kind == "symmetric":
            others = [k for k in range(classes) if noise.inclusive or k != clean[i]]
            labels[i] = others[words[n + i] * len(others) >> 53]
        else:
            labels[i] = (clean[i] + 1) % classes if noise.kind == "pair" else int(MAP[clean[i]])
    return labels


@pytest.mark.fault("same-elsewhere", "LabelNoise", "data noise")
@pytest.mark.parametrize(
    ("n", "classes", "noise"),
    [
        (1000, 10, LabelNoise("symmetric", 0.4)),
        (999, 10, LabelNoise("symmetric", 0.2, seed=7)),
        (500, 100, LabelNoise("symmetric", 1.0, seed=3)),
        (500, 100, LabelNoise("symmetric", 0.0, seed=3)),
        (17, 3, LabelNoise("symmetric", 0.5, seed=2**40)),
        (300, 10, LabelNoise("symmetric", 0.5, seed=1, inclusive=True)),
        (300, 10, LabelNoise("symmetric", 0.3, seed=1, per_sample=True)),
        (300, 7, LabelNoise("pair", 0.45, seed=2**200)),
        (300, 10, LabelNoise("asymmetric", 0.4, seed=5)),
        (1, 2, LabelNoise("symmetric", 0.5)),
    ],
)
def test_the_same_labels_come_from_whole_numbers(n, classes, noise):
    clean = [(3 * i + i // 7) % classes for i in range(n)]
    labels = corrupt(np.array(clean), noise, classes, look_alikes=MAP).tolist()
    assert labels == in_whole_numbers(clean, noise, classes)


@pytest.mark.fault("same-elsewhere", "LabelNoise")
@pytest.mark.parametrize(
    ("noise", "expected"),
    [
        (LabelNoise("symmetric", 0.4, seed=0), "1682862545680940"),
        (LabelNoise("symmetric", 0.4, seed=1), "b989e596d2011eef"),
        (LabelNoise("symmetric", 0.4, inclusive=True), "7ae655e17da415e4"),
        (LabelNoise("symmetric", 0.4, per_sample=True), "57741a192cdf3bc2"),
        (LabelNoise("pair", 0.2), "2d3fa12a2307ef70"),
        (LabelNoise("asymmetric", 0.4), "ee173f1f53d40ce9"),
        (LabelNoise("matrix", matrix=np.full((10, 10), 0.1)), "25261c758570ec88"),
    ],
)
def test_pinned_labels(noise, expected):
    """The same on every machine, and always will be: published experiments name these hashes."""
    clean = np.arange(50_000) % 10
    assert label_hash(corrupt(clean, noise, 10, look_alikes=MAP))[:16] == expected


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (LabelNoise("gaussian", 0.1), "noise kind must be one of 'symmetric', "),
        (LabelNoise("symmetric", 1.1), r"rate must be a number in \[0, 1\], got 1.1"),
        (LabelNoise("symmetric", -0.1), "rate must be a number in"),
        (LabelNoise("symmetric", float("nan")), "rate must be .* got nan"),
        (LabelNoise("symmetric"), "rate must be .* got None"),
        (LabelNoise("symmetric", "40%"), "rate must be .* got '40%'"),
        (
            LabelNoise("pair", 0.1, inclusive=True),
            "inclusive goes with noise 'symmetric', n",
        ),
        (LabelNoise("matrix", 0.3, matrix=np.eye(3)), "rate goes with noise .*, not with 'matrix'"),
        (LabelNoise("matrix"), "noise 'matrix' needs matrix"),
        (
            LabelNoise("symmetric", 0.1, matrix=np.eye(3)),
            "matrix goes with noise 'matrix', n",
        ),
        (
            LabelNoise("symmetric", 0.1, seed=-1),
            "seed must be a whole number of at",
        ),
        (LabelNoise("symmetric", 0.1, labels="worse"), "labels goes with noise 'human'"),
        (LabelNoise("asymmetric", 0.1), "'asymmetric' is not defined for this data set"),
        (LabelNoise("matrix", matrix=np.eye(4)), r"matrix must have shape \(3, 3\)"),
        (LabelNoise("matrix", matrix=np.full((3, 3), 0.3)), "rows that sum to 1"),
        (LabelNoise("matrix", matrix=2 * np.eye(3) - 1 / 3), "no negative entry"),
        (LabelNoise("matrix", matrix=np.full((3, 3), np.nan)), "no negative entry"),
    ],
)
def test_recipes_without_sense_are_refused(noise, message):
    with pytest.raises(ValueError, match=message):
        corrupt(np.array([0, 1, 2]), noise, 3)


MATRIX = np.full((3, 3), 1 / 3)
OF_ITS_OWN = {  # what a recipe of each kind has to say at least
    "symmetric": {"rate": 0.5},
    "pair": {"rate": 0.5},
    "asymmetric": {"rate": 0.5},
    "instance": {"rate": 0.5},
    "matrix": {"matrix": MATRIX},
    "human": {"labels": "worse"},
}
GIVEN = {
    "rate": 0.5,
    "inclusive": True,
    "per_sample": np.True_,
    "matrix": MATRIX,
    "labels": "worse",
    "path": "x.npz",
}


@pytest.mark.fault("option-alone", "LabelNoise")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GIVEN)
def test_a_part_of_a_recipe_is_taken_only_by_the_kinds_it_says_something_about(kind, name):
    noise = LabelNoise(kind, **{**OF_ITS_OWN[kind], name: GIVEN[name]})
    if kind in GOES_WITH[name]:
        assert getattr(check_noise(noise), name) is not None
    else:
        with pytest.raises(ValueError, match=f"^{name} goes with noise .*, not with '{kind}'$"):
            check_noise(noise)


@pytest.mark.fault("option-alone", "LabelNoise")
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_needs_is_asked_for(kind):
    (needed,) = OF_ITS_OWN[kind]
    with pytest.raises(ValueError, match=f"{needed}"):
        check_noise(LabelNoise(kind))


@pytest.mark.fault("dtype", "LabelNoise")
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.array, Fraction])
def test_a_rate_of_any_real_type_is_that_rate(kind):
    """0.5 is a short binary fraction: every type holds it, and 20 of 40 labels are changed."""
    clean = np.arange(40) % 10
    noise = LabelNoise("symmetric", kind(0.5), seed=np.int64(3), per_sample=np.False_)
    expected = corrupt(clean, LabelNoise("symmetric", 0.5, seed=3), 10)
    assert wrong(expected, clean) == 20
    assert np.array_equal(corrupt(clean, noise, 10), expected)
    assert [type(part) for part in check_noise(noise)[:5]] == [str, float, int, bool, bool]


@pytest.mark.fault("dtype", "LabelNoise", "load")
@pytest.mark.parametrize(
    ("parts", "message"),
    [
        *(({"rate": rate}, "rate must be a number in") for rate in NO_RATES),
        *(({"seed": seed}, "seed must be a whole number") for seed in (True, 1.0, "1", None)),
        ({"inclusive": 1}, "inclusive must be True or False, got 1"),
        ({"per_sample": "no"}, "per_sample must be True or False, got 'no'"),
        ({"kind": 0.4}, "noise kind must be one of 'symmetric', .* got 0.4"),
        ({"kind": np.array(["pair"] * 2)}, "noise kind must be one of 'symmetric'"),
    ],
)
def test_parts_of_a_recipe_of_another_type_are_named(parts, message):
    noise = LabelNoise(**{"rate": 0.1, **parts})
    for action in (lambda: check_noise(noise), lambda: load("toy", noise=noise, train_size=10)):
        with pytest.raises(ValueError, match=message):
            action()


@pytest.mark.fault("dtype", "load")
@pytest.mark.parametrize("noise", [0.4, "symmetric", LabelNoise, ("pair", 0.4), {"rate": 0.4}, 0])
def test_noise_that_is_no_recipe_is_refused(noise):
    with pytest.raises(
        ValueError, match=r"noise must be None or as LabelNoise\('symmetric', 0.4\)"
    ):
        load("toy", noise=noise, train_size=10, test_size=1)


@pytest.mark.parametrize("kind", ["instance", "human"])
def test_noise_that_needs_more_than_labels_is_not_drawn_from_them(kind):
    with pytest.raises(ValueError, match=f"noise '{kind}' is not drawn from the labels alone"):
        corrupt(np.arange(10), LabelNoise(kind, **OF_ITS_OWN[kind]), 10, look_alikes=MAP)


@pytest.mark.fault("dtype", "LabelNoise")
@pytest.mark.parametrize("kind", [np.float32, np.int8, ">f8", ">i4", object, list])
def test_a_matrix_of_any_real_type_is_that_matrix(kind):
    rolled = np.roll(np.eye(3), 1, axis=1)
    matrix = rolled.tolist() if kind is list else rolled.astype(kind)
    assert corrupt(np.arange(3), LabelNoise("matrix", matrix=matrix), 3).tolist() == [1, 2, 0]


@pytest.mark.fault("shape", "LabelNoise")
@pytest.mark.fault("dtype", "LabelNoise")
@pytest.mark.fault("special-value", "LabelNoise")
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 0.0, 0.0], [0.0, 1.0]], "matrix must have 3 rows of numbers"),
        (np.eye(3, dtype=bool), "got an array of bool"),
        (np.eye(3, dtype=complex), "got an array of complex128"),
        (np.eye(3).astype(str), "got an array of <U32"),
        ([[[]] * 3] * 3, r"matrix must have shape \(3, 3\), got \(3, 3, 0\)"),
        ([["a", None, {}]] * 3, "matrix must have 3 rows of numbers"),
        (0.4, r"matrix must have shape \(3, 3\), got \(\)"),
        (np.zeros((0, 0)), r"got \(0, 0\)"),
        (np.ones((3, 1)), r"got \(3, 1\)"),
        (np.full((3, 3), np.inf), "rows that sum to 1"),
        (np.array([[1, np.inf, -np.inf], [0, 1, 0], [0, 0, 1]]), "no negative entry"),
    ],
)
def test_what_is_no_transition_matrix_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        corrupt(np.array([0, 1, 2]), LabelNoise("matrix", matrix=matrix), 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 3]), "labels must lie from 0 to 2, got 0 to 3"),
        (np.array([-1, 0]), "labels must lie from 0 to 2, got -1 to 0"),
        (np.array([0.0, 1.0]), "labels must be integers"),
        (np.array([[0, 1]]), "labels must be integers"),
        (np.array([[0], [1]]), "labels must be integers of shape"),
        (np.array([True, False]), "labels must be integers"),
        (np.array([0, 1], object), "labels must be integers"),
        (1, "labels must be integers"),
    ],
)
@pytest.mark.fault("shape", "LabelNoise")
@pytest.mark.fault("dtype", "LabelNoise")
def test_labels_without_sense_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        corrupt(labels, LabelNoise("symmetric", 0.1), 3)


@given(st.integers(2, 12), st.data())
def test_share_and_destinations_make_up_the_matrix(classes, data):
    """T = (1 − q) I + q D."""
    matrix = data.draw(stochastic_matrices(classes))
    share, destinations = shares_and_destinations(LabelNoise("matrix", matrix=matrix), classes)
    identity = np.eye(classes)
    rebuilt = (1 - share)[:, None] * identity + share[:, None] * destinations
    # Shares are rounded to twelve digits.
    assert np.allclose(rebuilt, check_matrix(matrix, classes), atol=1e-12)
