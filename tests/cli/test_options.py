import argparse
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.cli.compare import parse_rho
from minisam.cli.options import check_whole_options, look_for_data_in, words


@given(
    st.lists(st.sampled_from(["sgd", "sam=0.1", "asam"])), st.sampled_from(["", " ", ",", " , "])
)
def test_a_list_is_read_whatever_stands_between_its_parts(parts, more):
    text = more + f",{more}".join(part.upper() + " " for part in parts) + more
    assert words(text) == parts


def radii_or_error(text):
    try:
        return parse_rho(text, ["sgd", "sam", "asam"])
    except ValueError as error:
        return str(error)


@pytest.mark.fault("option-value", "compare")
@given(st.text("samgd=,.-+0123456789einf \t²ρ") | st.text())
def test_any_text_is_radii_or_refused(text):
    found = radii_or_error(text)
    if isinstance(found, str):
        assert found.startswith("--rho takes ")
    else:
        assert found.keys() <= {"sam", "asam"}
        assert all(0 <= rho < 1e9 for rho in found.values())


def test_an_option_that_is_not_given_is_not_checked():
    check_whole_options(argparse.Namespace(seeds=None, jobs=3), ["seeds", "jobs"], low=2, high=3)
    with pytest.raises(ValueError, match="--train-size must be a whole number from 2 to 3, got 4"):
        check_whole_options(argparse.Namespace(train_size=4), ["train_size"], low=2, high=3)


@pytest.mark.fault("option-alone", "look_for_data_in")
@pytest.mark.fault("home-folder", "look_for_data_in")
def test_data_are_looked_for_where_the_option_says(tmp_path, monkeypatch):
    monkeypatch.setenv("MINISAM_DATA", "before")
    monkeypatch.setenv("HOME", str(tmp_path))
    look_for_data_in(None, "toy")
    with pytest.raises(ValueError, match="--data-dir without effect"):
        look_for_data_in("x", "toy")
    with pytest.raises(ValueError, match="--data-dir must be a folder, got an empty text"):
        look_for_data_in("", "cifar10")
    assert os.environ["MINISAM_DATA"] == "before"
    look_for_data_in("~/x", "cifar10")
    assert os.environ["MINISAM_DATA"] == str(tmp_path / "x")
    monkeypatch.chdir(tmp_path)
    look_for_data_in("y", "cifar100")  # a worker may have another working folder
    assert os.environ["MINISAM_DATA"] == str(tmp_path / "y")
