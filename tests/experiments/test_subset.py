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


def test_a_seed_draws_toy_images_of_its_own_to_train_and_to_test_on():
    one, other = (load_subset(Data("toy", seed, 50, 40, 30)) for seed in (1, 2))
    for part in ("images", "test_images", "validation_images"):
        seen = {image.tobytes() for image in getattr(one, part)}
        assert not seen & {image.tobytes() for image in getattr(other, part)}


def test_small_images_are_means_of_squares_of_pixels():
    whole, half = (load_subset(Data("toy", 0, 20, 10, side=side)) for side in (32, 16))
    assert half.test_images.shape == (10, 16, 16, 3)
    corner = whole.images[:, 4:6, 30:32].mean(axis=(1, 2))
    np.testing.assert_allclose(
        half.images[:, 2, 15], corner, rtol=0, atol=4 * np.spacing(np.float32(8))
    )
    assert half.images.dtype == np.float32
    for side in (0, 3, 64):
        with pytest.raises(ValueError, match="side must"):
            load_subset(Data("toy", 0, 20, 10, side=side))


@pytest.mark.fault("test-data", "load_subset")
def test_no_test_image_stands_in_for_one_that_is_held_out():
    without, held = (load_subset(Data("toy", 0, 200, 100, n)) for n in (0, 50))
    assert without.validation_images.shape == (0, 32, 32, 3)
    assert without.validation_labels.shape == (0,)
    images = load("toy", train_size=200, test_size=100, validation=50, seed=0)
    np.testing.assert_array_equal(held.validation_labels, images.validation.labels)
    pixels = {image.tobytes() for image in held.test_images}
    assert not pixels & {image.tobytes() for image in held.validation_images}
