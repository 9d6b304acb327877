import numpy as np

from minisam.data.dataset import load
from minisam.data.toy import toy
from minisam.experiments.claims.table2 import (
    EPOCHS,
    IMAGES,
    days,
    headline,
    steps,
    verdict,
    write_imagenet32,
)


def test_what_is_written_in_imagenets_format_is_read_back(tmp_path):
    images, labels, *_ = toy(n_train=44, n_test=1)
    (tmp_path / "imagenet32").mkdir()
    write_imagenet32(tmp_path / "imagenet32", images, 99 * labels)
    data = load("imagenet32", data_dir=tmp_path, unknown_files=True)
    np.testing.assert_array_equal(data.train.images, images[:40])
    np.testing.assert_array_equal(data.train.labels, 99 * labels[:40])
    np.testing.assert_array_equal(data.test.labels, 99 * labels[40:])
    assert len(data.class_names) == 1000


def test_steps_are_timed_and_multiplied_out():
    found = steps(0, "MLP 1024-1024", "sam", batch=8, small=True)
    assert np.all(np.isfinite(found["losses"]))
    runs = [{"network": "n", "method": "SAM", "seconds_per_image": 1e-3}]
    assert days({"runs": runs}, "n", "SAM") == 1e-3 * IMAGES * EPOCHS / 86400


def test_it_says_that_it_was_not_run_and_what_that_would_cost():
    runs = [
        {"network": "n", "method": method, "seconds_per_image": seconds}
        for method, seconds in (("SGD", 1e-3), ("SAM", 2e-3))
    ]
    results = {"networks": ["n"], "runs": runs}
    assert headline(results)[:2] == (
        "not run",
        f"{days(results, 'n', 'SAM'):.0f} days of one process",
    )
    assert verdict(results).startswith("not run: only format, loader and cost were tested")
    assert "(2.00 times SGD's)" in verdict(results)
