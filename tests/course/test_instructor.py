"""What the page for instructors says can be done as it says."""

import re
import shlex
from pathlib import Path

import pytest

from minisam.cli.main import build_parser
from minisam.course.assignments import NAMES, assignment
from minisam.course.desk import NOT_WRITTEN
from minisam.course.judging import SEVERE, UNGRADED, variant_of
from minisam.course.rubric import ADVICE

PAGE = Path(__file__).parents[2] / "tutorials" / "INSTRUCTOR.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [line.split("  #")[0].strip() for line in TEXT.splitlines()
            if line.startswith("minisam ")]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one(command):
    assert build_parser(["course"]).parse_args(shlex.split(command)[1:]).command == "course"


def test_every_file_it_links_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert target.startswith("http") or (PAGE.parent / target).exists(), target


def test_every_status_and_every_assignment_is_told():
    for status in (*SEVERE, *ADVICE, NOT_WRITTEN, UNGRADED):
        assert status in TEXT
    for name in NAMES:
        assert f"{name.upper()} {assignment(name).title}" in TEXT


def test_every_variant_is_told():
    for name in NAMES:
        for key, values in assignment(name).variants.items():
            assert f"`{key}`" in TEXT
            assert ", ".join(f"{value:g}" for value in values) in TEXT
            for value in values:
                assert variant_of(assignment(name), {key: value})[key] == value
