import argparse
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.cli.compare import parse_rho
from minisam.cli.main import build_parser, main
from minisam.cli.options import check_whole_options, look_for_data_in, words
from minisam.files import given_path

# what is read as text, and names no file
TEXTS = {"methods", "rho", "names", "labels", "slug", "target", "dtype", "method", "declare",
         "known", "probe", "variant", "id", "install"}  # fmt: skip


def arguments_of(parser, words=()):
    """Every argument that takes any text, with the words before it."""
    for one in parser._actions:
        if isinstance(one, argparse._SubParsersAction):
            for word, inner in one.choices.items():
                yield from arguments_of(inner, (*words, word))
        elif one.nargs != 0 and one.choices is None:
            yield words, one


PATHS = [(words, one) for words, one in arguments_of(build_parser())
         if (one.type is None and one.dest not in TEXTS) or one.type is given_path]  # fmt: skip


NO_PATH = "it must be the path of a file or a folder, got {!r}"


@pytest.mark.fault("option-value", "a path of any command")
@pytest.mark.parametrize(("text", "told"), [
    ("", NO_PATH), (" ", NO_PATH), ("\t\n", NO_PATH),
    ("~nobody-here/x", "the home folder that {!r} begins with is not known"),
])  # fmt: skip
def test_a_path_that_is_none_is_refused_and_is_not_the_current_folder(text, told, capsys):
    assert {one.dest for _, one in PATHS} >= {"out", "data_dir", "matrix", "seed_file"}
    for command, one in PATHS:
        given = [f"{one.option_strings[0]}={text}"] if one.option_strings else [text]
        with pytest.raises(SystemExit) as stop:
            main([*command, *given])
        assert stop.value.code == 2
        name = (one.option_strings or [one.metavar or one.dest])[0]
        assert f"argument {name}: {told.format(text)}" in capsys.readouterr().err, command


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
    with pytest.raises(
        ValueError, match="--data-dir must be the path of a file or a folder, got ''"
    ):
        look_for_data_in("", "cifar10")
    assert os.environ["MINISAM_DATA"] == "before"
    look_for_data_in("~/x", "cifar10")
    assert os.environ["MINISAM_DATA"] == str(tmp_path / "x")
    monkeypatch.chdir(tmp_path)
    look_for_data_in("y", "cifar100")  # a worker may have another working folder
    assert os.environ["MINISAM_DATA"] == str(tmp_path / "y")
