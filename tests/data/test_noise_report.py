"""Reports: rates, transition matrix and hashes, as numbers, JSON and text."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import label_arrays

from minisam.data import LabelNoise, label_hash, load
from minisam.data.noise import corrupt
from minisam.data.noise_report import as_json, as_table, compare_labels, transition


@given(label_arrays(), st.integers(0, 100))
def test_the_report_counts(drawn, seed):
    clean, classes = drawn
    noise = LabelNoise("symmetric", 0.3, seed)
    noisy = corrupt(clean, noise, classes)
    seen = compare_labels(noisy, clean, noise, classes)
    assert seen.flipped == sum(a != b for a, b in zip(noisy, clean, strict=True))
    assert seen.examples == len(clean)
    assert seen.rate_realized == (seen.flipped / len(clean) if len(clean) else 0)
    assert seen.labels_hash == label_hash(noisy)
    assert seen.clean_labels_hash == label_hash(clean)


@given(label_arrays(min_size=1), st.integers(0, 100))
def test_the_transition_matrix_is_row_by_row_the_share(drawn, seed):
    clean, classes = drawn
    noisy = corrupt(clean, LabelNoise("symmetric", 0.5, seed), classes)
    matrix = transition(noisy, clean, classes)
    for i in range(classes):
        given_labels = noisy[clean == i]
        if len(given_labels):
            assert matrix[i].tolist() == [np.mean(given_labels == j) for j in range(classes)]
        else:
            assert np.all(np.isnan(matrix[i]))


def test_the_hash_depends_on_labels_and_their_order_only():
    labels = np.array([3, 1, 2])
    assert label_hash(labels.astype(np.uint8)) == label_hash(labels.astype(">i4"))
    assert label_hash(labels[::-1]) != label_hash(labels)
    assert label_hash(np.array([3, 1, 2, 9])[:3]) == label_hash(labels)


@pytest.mark.parametrize(
    "noise",
    [
        LabelNoise("symmetric", 0.4, inclusive=True),
        LabelNoise("matrix", matrix=np.full((10, 10), 0.1)),
        LabelNoise("instance", 0.2),
    ],
)
def test_reports_go_to_json_and_text(noise):
    data = load("toy", noise=noise, train_size=100, test_size=10)
    content = json.loads(json.dumps(as_json(data.noise), allow_nan=False))
    assert content["recipe"]["kind"] == noise.kind
    assert content["rate_realized"] == data.noise.rate_realized
    text = as_table(data.noise, data.class_names)
    for part in (noise.kind, data.noise.labels_hash, *(name[:6] for name in data.class_names)):
        assert part in text


def test_a_class_without_examples_has_no_shares():
    seen = compare_labels(np.array([0, 1]), np.array([0, 0]), LabelNoise("pair", 0.5), 2)
    assert as_json(seen)["transition"] == [[0.5, 0.5], [None, None]]
    assert as_table(seen, ("a", "b")).splitlines()[-1].split() == ["b", "-", "-"]


def test_a_hundred_classes_are_not_printed_as_a_matrix():
    labels = np.arange(100)
    seen = compare_labels(labels, labels, LabelNoise("pair", 0.0), 100)
    assert "labelled" not in as_table(seen, tuple(map(str, range(100))))


def test_expected_and_realized_rates_of_inclusive_noise_are_told_apart():
    noise = LabelNoise("symmetric", 0.5, inclusive=True)
    seen = load("toy", noise=noise).noise
    assert seen.rate_asked == 0.5
    assert np.isclose(seen.rate_expected, 0.45)
    assert abs(seen.rate_realized - 0.45) < 0.03


@pytest.mark.fault("dtype", "label_hash")
@pytest.mark.fault("memory-layout", "label_hash")
@pytest.mark.parametrize("kind", [list, "u1", ">i4", "<i2", "u8"])
def test_labels_of_any_whole_type_have_one_hash(kind):
    plain = np.array([6, 9, 9, 4])
    labels = plain.tolist() if kind is list else np.repeat(plain.astype(kind), 2)[::2]
    assert label_hash(labels) == label_hash(plain)
    assert label_hash([]) == label_hash(np.zeros(0, np.int64))


@pytest.mark.fault("dtype", "label_hash")
@pytest.mark.fault("shape", "label_hash")
@pytest.mark.parametrize(
    "labels",
    [
        np.array([0.4]),
        np.array([True]),
        np.array([[6], [9]]),
        np.array([6], object),
        np.array(["6"]),
        6,
    ],
    ids=repr,
)
def test_what_is_no_row_of_labels_has_no_hash(labels):
    with pytest.raises(ValueError, match=r"labels must be integers of shape \(n,\), got"):
        label_hash(labels)
