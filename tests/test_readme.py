"""What the README shows is what one gets."""

import argparse
import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from minisam.cli import build_parser
from minisam.experiments.command import summary

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_ten_line_example_prints_what_it_says():
    example = next(block for block in blocks("python") if "valley" in block)
    assert len(example.strip().splitlines()) <= 10
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(example, {})
    printed = README.split(example)[1].split("```")[2].strip("\n")
    assert out.getvalue().strip("\n") == printed


def test_the_students_step_gets_the_verdict_that_is_shown():
    from minisam.oracle import check

    example = next(block for block in blocks("python") if "mysam.py" in block)
    scope = {}
    exec(example, scope)
    shown = README.split("$ minisam check mysam.py:step\n")[1].split("```")[0].strip()
    assert str(check(scope["step"])).startswith(shown)


def commands():
    lines = "\n".join(blocks("sh")).splitlines()
    found = [line.split("#")[0].strip() for line in lines if line.startswith("minisam ")]
    assert found
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_one(command):
    parsed = build_parser().parse_args(shlex.split(command)[1:])
    assert isinstance(parsed, argparse.Namespace)


def test_its_table_of_claims_is_what_the_kept_results_say(monkeypatch):
    monkeypatch.chdir(ROOT)
    said = README.split("<!-- claims:begin -->\n")[1].split("\n<!-- claims:end -->")[0]
    assert said == summary(Path("tutorials/results")), (
        "paste what `minisam reproduce --summary --out tutorials/results` prints"
    )


def test_every_file_it_links_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
