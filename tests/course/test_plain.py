"""What others wrote can be stored, legible and used as a name, whatever it is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minisam.course.plain import LONGEST_NAME, LONGEST_TEXT, file_name, legible, readable

ANY = st.text(st.characters(codec=None), max_size=40)  # surrogates, too


@given(ANY)
@example("\x1b]0;owned\x07\x1b[2J")
@example("lone \ud800 surrogate")
@example("x" * (LONGEST_TEXT + 1))
def test_a_text_is_one_short_line_that_can_be_written(text):
    got = legible(text)
    got.encode()
    assert got.isprintable()
    assert len(got) <= 10 * LONGEST_TEXT + 1  # an escape has at most ten characters
    assert len(legible(text, 5)) <= 51


@given(ANY)
@example("Константин Константинопольский-Преображенский" * 3)
@example("ก" * 200)
@example("..")
def test_a_name_is_one_of_a_file_on_every_system(name):
    got = file_name(name)
    assert 0 < len(got.encode()) <= LONGEST_NAME + 9
    assert not set(got) & set('/\\:*?"<>|\0')
    assert got.strip(".") == got or ".." not in got


@pytest.mark.parametrize("name", ["Jürgen Müller", "李雷", "สมชาย ใจดี", "Иван"])
def test_letters_of_every_script_stay(name):
    assert file_name(name) == name


def test_long_names_that_differ_have_files_that_differ():
    assert file_name("ж" * 100 + "a") != file_name("ж" * 100 + "b")


def test_a_name_that_is_no_text_is_written_with_escapes(tmp_path):
    assert readable("M\udcfcller") == "M\\xfcller"


def test_a_text_of_just_the_most_is_not_cut():
    assert (legible("abc", 3), legible("abcd", 3)) == ("abc", "abc…")
