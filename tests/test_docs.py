"""What the README and the guides show is what one gets."""

import argparse
import contextlib
import importlib.util
import io
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
import where

from minisam.cli.main import build_parser
from minisam.experiments.summary import headlines, summary

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
GUIDES = sorted((ROOT / "tutorials" / "guides").glob("*.md"))
PAGES = [README, *GUIDES]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def blocks(text):
    """Return (language, text) of every fenced block, in order."""
    return re.findall(r"^```(\S*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def examples(text):
    """Return (code, output) pairs: a Python block, and the block without a language behind it."""
    found = [*blocks(text), ("end", "")]
    return [
        (code, output if language == "" else None)
        for (kind, code), (language, output) in pairwise(found)
        if kind == "python"
    ]


def missing(code):
    """Return the modules that a block imports and that are not installed."""
    names = re.findall(r"^(?:import|from) (\w+)", code, flags=re.MULTILINE)
    return [name for name in names if importlib.util.find_spec(name) is None]


def run(text):
    """Run a page's Python blocks one after the other; return what each should and did print."""
    scope, results = {}, []
    for code, output in examples(text):
        if missing(code):
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, scope)
        results.append((output, printed.getvalue()))
    return results


@every_page
def test_examples_print_what_they_show(page):
    for shown, printed in run(page.read_text(encoding="utf-8")):
        assert (shown or "").strip() == printed.strip()


def test_an_example_that_prints_something_else_would_be_seen():
    assert run("```python\nx = 1\nprint(x)\n```\n\n```\n2\n```\n") == [("2\n", "1\n")]


def commands(text):
    lines = "\n".join(code for language, code in blocks(text) if language == "sh").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.startswith("minisam ")]


COMMANDS = [
    (page.stem, command) for page in PAGES for command in commands(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_every_command_is_one(page, command):
    parsed = build_parser().parse_args(shlex.split(command)[1:])
    assert isinstance(parsed, argparse.Namespace)


def test_a_student_gets_the_verdict_that_is_shown():
    from minisam.oracle import check

    guide = (ROOT / "tutorials/guides/oracle.md").read_text(encoding="utf-8")
    scope = {}
    exec(next(code for code, _ in examples(guide) if "mysam.py" in code), scope)
    shown = guide.split("$ minisam check mysam.py:step\n")[1].split("```")[0].strip()
    assert str(check(scope["step"])).startswith(shown)


@every_page
def test_every_file_it_links_to_is_there(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_guide_is_linked_from_the_readme():
    text = README.read_text(encoding="utf-8")
    assert [page.name for page in GUIDES if f"guides/{page.name}" not in text] == []


def test_the_table_of_claims_is_what_the_kept_results_say(monkeypatch):
    monkeypatch.chdir(ROOT)
    guide = (ROOT / "tutorials/guides/claims.md").read_text(encoding="utf-8")
    said = guide.split("<!-- claims:begin -->\n")[1].split("\n<!-- claims:end -->")[0]
    kept = summary(Path("tutorials/results")).replace("](tutorials/results/", "](../results/")
    assert said == kept, "paste what `minisam reproduce --summary --out tutorials/results` prints"


def test_the_headlines_are_what_the_kept_results_say():
    said = README.read_text(encoding="utf-8").split("<!-- headlines:begin -->\n")[1]
    said = said.split("\n<!-- headlines:end -->")[0]
    kept = headlines(ROOT / "tutorials" / "results")
    assert said == kept, "paste what `minisam reproduce --headlines --out tutorials/results` prints"


def test_the_readme_can_be_read_in_five_minutes():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert sum(bool(re.search(r"\w", word)) for word in text.split()) <= 900


def test_the_list_of_modules_is_what_their_docstrings_say():
    text = where.GUIDE.read_text(encoding="utf-8")
    assert text == where.spliced(text, where.modules()), "run `python tests/where.py`"
    assert not [line for line in where.modules().splitlines() if line.endswith(")")]
