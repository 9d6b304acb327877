import numpy as np
import pytest

from minisam.data import load
from minisam.experiments.subset import Data, load_subset


def test_noise_flips_training_and_validation_labels_but_not_test_labels():
    clean, noisy = (load_subset(Data("toy", 0, 200, 100, 100, noise)) for noise in (0.0, 0.4))
    assert np.mean(noisy.labels != noisy.clean_labels) == pytest.approx(0.4)
    assert np.mean(noisy.validation_labels != clean.validation_labels) == pytest.approx(0.4)
    np.testing.assert_array_equal(noisy.test_labels, clean.test_labels)
    np.testing.assert_array_equal(noisy.images, clean.images)


def test_classes_are_kept_and_renumbered():
    part = load_subset(Data("toy", 0, 200, 100, 0, 0.0, (7, 2)))
    whole = load_subset(Data("toy", 0, 200, 100, 0, 0.0))
    assert part.classes == 2
    assert len(part.images) == np.sum(np.isin(whole.labels, (7, 2)))
    assert len(part.validation_labels) == 0
    first = np.flatnonzero(np.isin(whole.labels, (7, 2)))[0]
    np.testing.assert_array_equal(part.images[0], whole.images[first])
    assert part.labels[0] == (7, 2).index(whole.labels[first])


@pytest.mark.fault("test-data", "load_subset")
def test_no_test_image_stands_in_for_one_that_is_held_out():
    without, held = (load_subset(Data("toy", 0, 200, 100, n)) for n in (0, 50))
    assert without.validation_images.shape == (0, 32, 32, 3)
    assert without.validation_labels.shape == (0,)
    images = load("toy", train_size=200, test_size=100, validation=50, seed=0)
    np.testing.assert_array_equal(held.validation_labels, images.validation.labels)
    pixels = {image.tobytes() for image in held.test_images}
    assert not pixels & {image.tobytes() for image in held.validation_images}
