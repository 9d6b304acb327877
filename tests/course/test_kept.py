"""What is kept of a class is read as it was written, or is said to be none."""

import json

import pytest

from minisam.course.assignments import NAMES, assignment
from minisam.course.judging import Grade, variant_of
from minisam.course.kept import (
    grade_of,
    refuse_another,
    result_in,
    variant_shown,
)
from minisam.course.rubric import Credit, Criterion
from minisam.files import jsonable

A2 = assignment("a2")
WITH_REPORT = A2._replace(criteria=(Criterion("auto", 12, "x"), Criterion("report", 8, "y", True)))
CREDITS = [Credit("auto", 12, "right"), Credit("report", 0, "for the staff")]


def kept(total, credits):
    """A grade as it is stored."""
    return jsonable(Grade(total, "graded", credits))


def test_a_total_that_is_stored_is_that_of_its_lines():
    assert grade_of(WITH_REPORT, kept(20, CREDITS)).total == 12


@pytest.mark.parametrize("credits", [
    [], CREDITS[:1], CREDITS[::-1], [CREDITS[0]._replace(points=13), CREDITS[1]],
    [CREDITS[0]._replace(points=-1), CREDITS[1]], [CREDITS[0]._replace(points="9"), CREDITS[1]],
])  # fmt: skip
def test_points_that_an_assignment_does_not_give_are_not_taken(credits):
    with pytest.raises(ValueError, match="a result"):
        grade_of(WITH_REPORT, kept(12, credits))


@pytest.mark.parametrize("content", [
    b"", b"{", b"[]", b"{}", b"null", b"\xff", b'{"assignment": "a2"}',
    b'{"assignment": "a2", "id": "ann", "path": 5, "grade": {}}',
    b'{"assignment": "a2", "id": "ann", "path": null, "grade": {}}',
    b'{"assignment": "a2", "id": "ann", "path": null, "grade": null}',
])  # fmt: skip
def test_a_file_that_holds_no_result_is_said(content, tmp_path):
    (tmp_path / "ann.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"ann\.json.* holds no result"):
        result_in(tmp_path / "ann.json")


def keep(folder, **changed):
    """Write a result of A2 as `grade_class` does; None takes a key away."""
    whole = {"id": "ann", "path": "ann.py", "assignment": "a2", "variant": {"p": 3, "steps": 1},
             "grade": kept(None, [])} | changed  # fmt: skip
    (folder / "results").mkdir(parents=True, exist_ok=True)
    path = folder / "results" / "ann.json"
    path.write_text(json.dumps({key: one for key, one in whole.items() if one is not None}))
    return path


def test_what_was_graded_is_read(tmp_path):
    (path := keep(tmp_path)).write_text(path.read_text().replace('"p": 3', '"p": 3.0'))
    found = result_in(path)
    assert (found.assignment, found.variant) == (A2, {"p": 3, "steps": 1})
    assert variant_shown(found, {}) == variant_shown(found, {"p": 3.0}) == {"p": 3, "steps": 1}
    with pytest.raises(ValueError, match="--variant must be steps=1, which was graded, got step"):
        variant_shown(found, {"steps": 0})


def test_where_nobody_wrote_the_variant_down_it_is_the_one_given(tmp_path):
    found = result_in(keep(tmp_path, variant=None))
    assert variant_shown(found, {"p": 4}) == {"p": 4, "steps": 0}


@pytest.mark.parametrize("changed", [{"variant": {"p": 7}}, {"variant": 3}, {"assignment": "a9"}])
def test_a_variant_or_an_assignment_that_is_none_is_no_result(tmp_path, changed):
    with pytest.raises(ValueError, match=r"ann\.json' holds no result: grade again"):
        result_in(keep(tmp_path, **changed))


def test_a_folder_of_another_variant_is_refused(tmp_path):
    keep(tmp_path)
    refuse_another(tmp_path, A2, {"p": 3, "steps": 1})
    for variant, told in (
        ({"p": 2, "steps": 1}, "give --variant p=3 again"),
        ({"p": 2, "steps": 0}, "give --variant p=3 --variant steps=1 again"),
    ):
        with pytest.raises(ValueError, match=told):
            refuse_another(tmp_path, A2, variant)


@pytest.mark.parametrize("there", NAMES)
def test_a_folder_of_another_assignment_is_refused_whatever_variants_each_has(tmp_path, there):
    keep(tmp_path, assignment=there, variant=variant_of(assignment(there), {}))
    for asked in map(assignment, NAMES):
        variant = variant_of(asked, {})
        if asked.name == there:
            refuse_another(tmp_path, asked, variant)
            continue
        with pytest.raises(ValueError, match=f"holds results of {there}: {asked.name} needs"):
            refuse_another(tmp_path, asked, variant)


@pytest.mark.parametrize("changed", [{"variant": None}, {"variant": []}, {"variant": {"q": 1}}])
def test_what_is_no_result_of_another_is_graded_again(tmp_path, changed):
    keep(tmp_path, **changed)
    assert refuse_another(tmp_path, A2, {"p": 3, "steps": 1}) is None
