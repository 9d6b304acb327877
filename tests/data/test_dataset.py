"""`load`: subsets, splits and noise, each from its own seed and none in the way of another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisam.data import LabelNoise, label_hash, load
from minisam.data.dataset import sizes, stratified_order
from minisam.data.portable_random import stream
from minisam.data.toy import MOST

NOISE = LabelNoise("symmetric", 0.4)


def test_the_default_is_the_clean_toy_set():
    data = load()
    assert (data.name, len(data.train.labels), len(data.test.labels)) == ("toy", 2000, 1000)
    assert data.validation is None
    assert data.noise is None
    assert not data.train.flipped.any()
    assert np.array_equal(data.train.labels, data.train.clean_labels)


def test_types_and_shapes():
    data = load("toy", noise=NOISE, train_size=30, test_size=20, validation=10)
    for split, n in ((data.train, 30), (data.validation, 10), (data.test, 20)):
        assert (split.images.shape, split.images.dtype) == ((n, 32, 32, 3), np.uint8)
        for labels in (split.labels, split.clean_labels, split.indices):
            assert (labels.shape, labels.dtype) == ((n,), np.int64)
        assert (split.flipped.shape, split.flipped.dtype) == ((n,), np.bool_)


@pytest.mark.parametrize("kind", ["symmetric", "pair", "asymmetric", "instance"])
def test_noise_touches_training_labels_and_nothing_else(kind):
    clean = load("toy", train_size=200, test_size=50, validation=50)
    noisy = load("toy", noise=LabelNoise(kind, 0.5), train_size=200, test_size=50, validation=50)
    train = noisy.train
    assert np.array_equal(train.clean_labels, clean.train.labels)
    assert np.array_equal(train.images, clean.train.images)
    assert np.array_equal(train.flipped, train.labels != train.clean_labels)
    assert train.flipped.any()
    for ours, theirs in ((noisy.test, clean.test), (noisy.validation, clean.validation)):
        for a, b in zip(ours[:5], theirs[:5], strict=True):
            assert np.array_equal(a, b)
    assert noisy.noise.rate_realized == train.flipped.mean()


def test_validation_may_be_noisy_and_leaves_the_training_noise_alone():
    options = {"noise": NOISE, "train_size": 100, "test_size": 10, "validation": 50}
    clean = load("toy", **options)
    noisy = load("toy", validation_labels="noisy", **options)
    assert noisy.validation.flipped.sum() == 20
    assert not clean.validation.flipped.any()
    assert np.array_equal(noisy.train.labels, clean.train.labels)
    assert np.array_equal(noisy.validation.clean_labels, clean.validation.labels)
    assert noisy.noise.labels_hash == clean.noise.labels_hash == label_hash(noisy.train.labels)


def test_validation_noise_is_another_draw_than_training_noise():
    options = {"train_size": 50, "test_size": 10, "validation": 50, "validation_labels": "noisy"}
    data = load("toy", noise=NOISE, **options)
    assert not np.array_equal(data.train.flipped, data.validation.flipped)


def test_validation_images_are_no_training_images():
    data = load("toy", train_size=100, test_size=10, validation=0.2)
    assert len(data.validation.indices) == 20
    assert not set(data.validation.indices) & set(data.train.indices)


def test_splits_are_balanced():
    data = load("toy", train_size=100, test_size=50, validation=50)
    assert np.bincount(data.train.labels).tolist() == [10] * 10
    assert np.bincount(data.validation.labels).tolist() == [5] * 10
    assert np.bincount(data.test.labels).tolist() == [5] * 10


def test_the_subset_seed_chooses_the_subset_and_not_the_noise(cifar10_folder):
    def subset(seed, noise_seed=0):
        noise = LabelNoise("symmetric", 0.5, seed=noise_seed)
        return load("cifar10", cifar10_folder, noise, 20, seed=seed, unknown_files=True).train

    assert not np.array_equal(subset(0).indices, subset(1).indices)
    assert np.array_equal(subset(0).indices, subset(0, noise_seed=1).indices)
    assert not np.array_equal(subset(0).labels, subset(0, noise_seed=1).labels)


def test_a_smaller_subset_is_part_of_a_larger_and_of_one_with_validation(cifar10_folder):
    def indices(size, **options):
        return load(
            "cifar10", cifar10_folder, train_size=size, unknown_files=True, **options
        ).train.indices

    assert set(indices(10)) < set(indices(30))
    assert np.array_equal(indices(30), indices(30, validation=20))


def test_the_whole_set_keeps_the_order_of_its_files(cifar10_folder, toy_data):
    data = load("cifar10", cifar10_folder, unknown_files=True)
    assert np.array_equal(data.train.indices, np.arange(50))
    assert np.array_equal(data.train.labels, toy_data.train.labels)


def test_changing_labels_does_not_change_clean_labels():
    train = load("toy", train_size=20, test_size=10).train
    before = train.clean_labels.copy()
    train.labels[:] = 0
    assert np.array_equal(train.clean_labels, before)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 2**32))
def test_every_beginning_and_end_has_classes_in_their_due_share(labels, seed):
    """Within one example for each end of the interval, so two in a middle part."""
    labels = np.array(labels)
    order = stratified_order(labels, stream(seed, "test"))
    assert np.array_equal(np.sort(order), np.arange(len(labels)))
    ordered = labels[order]
    for label in np.unique(labels):
        share = np.mean(labels == label)
        for n in range(len(labels) + 1):
            # A class's r-th of m examples sits at (r − ½)/m; the K classes' roundings add up.
            off = 1 + len(np.unique(labels)) * share / 2
            assert abs(np.sum(ordered[:n] == label) - share * n) <= off
            assert abs(np.sum(ordered[len(labels) - n :] == label) - share * n) <= off


def test_pinned_noise_of_the_toy_set():
    """What a course or a paper names, in one hash; the same on every machine."""
    assert load("toy", noise=NOISE).noise.labels_hash[:16] == "7a255c40546fc121"


def test_pinned_noise_of_cifar_10(real_data):
    data = load("cifar10", real_data, NOISE, train_size=5000)
    assert (data.noise.flipped, data.noise.labels_hash[:16]) == (2000, "80225589ff6caeb1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "cifar11"}, "data set must be one of toy, cifar10, cifar100, imagenet32"),
        ({"name": "cifar10", "version": "matlab"}, "version of cifar10 must be one of python"),
        ({"train_size": 0}, "train_size must be a whole number from 1"),
        ({"train_size": -5}, "train_size must be a whole number from 1"),
        ({"train_size": 10.5}, "train_size must be a whole number from 1 .* got 10.5"),
        ({"test_size": 0}, "test_size must be a whole number from 1"),
        ({"validation": -1}, r"validation must be a number in \[0, inf\), got -1"),
        ({"validation": 1.5}, "validation must be a share below 1 or a whole number"),
        ({"validation": float("nan")}, "validation must be .* got nan"),
        (
            {"validation_labels": "dirty"},
            "validation_labels must be one of 'clean', .* got 'dirty'",
        ),
        ({"noise": LabelNoise("symmetric", 2)}, r"rate must be a number in \[0, 1\], got 2"),
        ({"noise": LabelNoise("human", labels="worse")}, "human labels are known for cifar10"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
    ],
)
def test_bad_arguments_are_named(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load(**{"data_dir": tmp_path, **options})


@pytest.mark.fault("machine-size", "load", "data info")
@pytest.mark.fault("option-value", "load")
@pytest.mark.parametrize("size", [10**12, 10**400, MOST + 1, 0, -1, True, 2.0, "2", np.nan])
@pytest.mark.parametrize("name", ["train_size", "test_size"])
def test_sizes_that_no_set_has_are_refused_before_anything_is_made(name, size, monkeypatch):
    monkeypatch.setattr("minisam.data.toy.toy", lambda *sizes: pytest.fail("made"))
    with pytest.raises(ValueError, match=rf"^{name} must be a whole number from 1 to 1,000,000"):
        load("toy", **{name: size})


@pytest.mark.fault("machine-size", "load")
@pytest.mark.parametrize("validation", [MOST, 1e300, MOST - 1999])
def test_more_validation_images_than_the_toy_set_can_have(validation):
    """2,000 are trained on, so that 998,000 may be held out."""
    with pytest.raises(ValueError, match=r"and train_size 2000 exceed 1,000,000 images"):
        load("toy", validation=validation)


@pytest.mark.fault("option-value", "load")
@pytest.mark.parametrize("validation", [True, "0.1", None, np.inf, -0.1, np.array([0.1])])
def test_what_is_no_number_of_validation_images(validation):
    with pytest.raises(ValueError, match=r"^validation must be a number in \[0, inf\), got"):
        load("toy", validation=validation)


@pytest.mark.fault("dtype", "load")
def test_sizes_of_numpys_types_are_taken():
    data = load("toy", train_size=np.int16(12), test_size=np.uint8(3), validation=np.float32(0.25))
    assert [len(part.labels) for part in (data.train, data.test, data.validation)] == [12, 3, 3]


@pytest.mark.parametrize(
    ("train_size", "validation", "message"),
    [(51, 0, "train_size .* to 50"), (45, 10, "exceed 50 images"), (None, 50, "exceed 50 images")],
)
def test_more_images_than_there_are(train_size, validation, message, cifar10_folder):
    with pytest.raises(ValueError, match=message):
        load(
            "cifar10",
            cifar10_folder,
            train_size=train_size,
            validation=validation,
            unknown_files=True,
        )


@pytest.mark.parametrize(
    ("train_size", "validation", "expected"),
    [(None, 0, 0), (None, 0.1, 10), (50, 0.1, 5), (50, 20, 20), (None, 20.0, 20), (30, 0.05, 2)],
)
def test_validation_is_a_number_or_a_share(train_size, validation, expected):
    assert sizes(train_size, None, validation, 100, 10)[2] == expected


def test_human_labels_of_real_cifar_10(real_data):
    data = load("cifar10", real_data, LabelNoise("human", labels="worse"), train_size=5000)
    whole = load("cifar10", real_data, LabelNoise("human", labels="worse"))
    assert np.array_equal(data.train.labels, whole.train.labels[data.train.indices])
    assert whole.noise.flipped == 20_104


def test_asymmetric_noise_of_a_hundred_classes(hundred_classes, tmp_path):
    from minisam.data.cifar.write import write_dataset

    write_dataset(hundred_classes, tmp_path, "cifar100")
    noise = LabelNoise("asymmetric", 1.0)
    train = load("cifar100", tmp_path, noise, unknown_files=True).train
    # The superclass of fine class i is i mod 20: the next in it is i + 20, circularly.
    assert np.array_equal(train.labels, (train.clean_labels + 20) % 100)
    assert np.array_equal(train.labels % 20, train.coarse_labels)
