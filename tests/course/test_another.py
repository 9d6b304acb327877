"""Files of another assignment are said to be so, and are no class of zeros."""

import pytest
from course import submissions as known

from minisam.course.another import Another, another, another_of, for_assignment
from minisam.course.assignments import NAMES, assignment
from minisam.course.handed_in import found_in
from minisam.course.texts import code_cells, notebook, reference, source_of, stripped_cells, stub
from minisam.course.work import Work

A2 = assignment("a2")


@pytest.mark.parametrize("name", NAMES)
def test_each_assignment_looks_like_itself_and_to_another_like_this_one(name):
    own = assignment(name)
    cells = code_cells(notebook(stripped_cells(source_of(own, {}))))
    for parts in ([reference(own, {})], [stub(own, {})], cells):
        for asked in map(assignment, NAMES):
            for file in (f"{asked.file}.py", f"{own.file}.py"):
                assert another(asked, file, parts).name == ("" if asked == own else name)


@pytest.mark.parametrize("kind", known.KINDS)
def test_no_answer_to_this_one_looks_like_another(kind):
    assert another(A2, "hw2.py", [known.text_of(known.KINDS[kind][0])]) == Another()


@pytest.mark.parametrize(("text", "file", "name"), [
    ("def step(w): pass\ndef flip(w): pass\ndef flip_pair(w): pass", "hw4.py", ""),  # it is there
    ("if True:\n    step = lambda w: w\ndef flip(w): pass", "hw2.py", ""),
    ("from mine import sam as step\nflip = 1", "hw2.py", ""),
    ("def flip(w):\n    step = 1\n    return step", "hw2.py", "a4"),  # which is another's
    ("flip = lambda w: w", "hw2.py", "a4"),
    ("def sam_step(w): pass", "hw2.py", ""),
    ("def sam_step(w): pass", "mine.py", ""),
    ("def sam_step(w): pass", "hw3.py", "a3"),
    ("def sam_step(w)", "roejohn_124_4568_HW3-1.py", "a3"),
    ("", "hw2_roe_attempt_2026-11-27-10-00-00_hw3.py", "a3"),
    ("", "hw2_roe_attempt_2026-11-27-10-00-00_mine.py", ""),
    ("", "hw1_and_hw3.py", ""),
    ("", "hw33.py", ""), ("", "hw7.py", ""), ("", "show3.py", ""),
])  # fmt: skip
def test_what_is_defined_counts_and_else_the_files_name(text, file, name):
    assert another(A2, file, [text]).name == name


def test_one_of_what_is_asked_for_is_enough():
    asked = assignment("a4")
    assert another(asked, "hw2.py", ["def flip(w): pass\ndef step(w): pass"]) == Another()
    assert another(asked, "hw2.py", ["def step(w): pass"]).name == "a2"


def fill(folder, **texts):
    for who, text in texts.items():
        (folder / who).mkdir()
        (folder / who / "hw2.py").write_text(text)
    return found_in(folder, "hw2")


STEP, FLIP = "def step(w): pass", "def flip(w): pass"


def test_one_of_another_is_for_a_person_to_look_at(tmp_path):
    (tmp_path / "cy").mkdir()
    everybody = fill(tmp_path, ann=STEP, bob=FLIP, di="\0")
    ann, bob, cy, di = for_assignment(A2, everybody)
    assert (ann.trouble, cy.trouble, di.trouble) == ("", "", "")
    assert bob.trouble == "it looks like a4, and has nothing of a2: it defines flip"


@pytest.mark.parametrize("others", [{"bob": FLIP}, {"bob": FLIP, "cy": FLIP}])
def test_a_class_of_another_is_refused(tmp_path, others):
    (tmp_path / "ann").mkdir()
    with pytest.raises(ValueError, match=r"^--assignment must be a4, got a2: .*it defines flip"):
        for_assignment(A2, fill(tmp_path, **others))


def test_one_student_may_hand_in_the_wrong_file(tmp_path):
    (one,) = for_assignment(A2, fill(tmp_path, bob=FLIP), alone=True)
    assert one.trouble == "it looks like a4, and has nothing of a2: it defines flip"


def test_a_class_of_several_others_or_of_nobody_is_not(tmp_path):
    everybody = fill(tmp_path, ann=FLIP, bob="def judge(step): pass")
    assert [one.trouble[:16] for one in for_assignment(A2, everybody)] == [
        "it looks like a4", "it looks like a5"
    ]  # fmt: skip
    nobody = [Work("ann", None)]
    assert for_assignment(A2, nobody) == nobody
    assert another_of(A2, Work("ann", tmp_path / "gone.py")) == Another()
