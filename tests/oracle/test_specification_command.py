"""`minisam specification` prints every statement, and holds implementations against them."""

import json

import pytest

from minisam.cli import main
from minisam.oracle.properties import PROPERTIES

WRONG = """
def step(w, grad_fn, *, rho, lr):
    g = grad_fn(w)
    b = [x + rho * d for x, d in zip(w, g)]
    return [x - lr * d for x, d in zip(w, grad_fn(b))]
"""


def test_prints_every_statement_with_its_number(capsys):
    assert main(["specification"]) == 0
    printed = capsys.readouterr().out
    for number, (slug, statement) in enumerate(PROPERTIES.items(), start=1):
        assert f"{number:3d}. {slug} " in printed
        assert statement.section in printed


def test_one_statement_comes_with_its_proof_bound_and_picture(capsys):
    assert main(["specification", "bounce"]) == 0
    printed = capsys.readouterr().out
    assert "because: " in printed
    assert "to within: " in printed
    assert "picture: minisam reproduce bounce" in printed


def test_numbers_are_names_too(capsys):
    main(["specification", "1"])
    assert "1. two-gradients" in capsys.readouterr().out


def test_json_holds_everything(capsys):
    assert main(["specification", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["slug"] for record in records] == list(PROPERTIES)
    assert all(record["source"] and record["bound"] for record in records)


def test_unknown_statement_is_answered_with_the_nearest(capsys):
    assert main(["specification", "bounse"]) == 2
    assert "did you mean 'bounce'?" in capsys.readouterr().err


@pytest.mark.parametrize("slug", ["steepest-climb", "quadratic-step"])
def test_a_wrong_implementation_is_told_what_does_not_hold(tmp_path, capsys, slug):
    (tmp_path / "homework.py").write_text(WRONG)
    code = main(["specification", slug, "--try", f"{tmp_path}/homework.py:step"])
    printed = capsys.readouterr().out
    assert code == 1
    assert PROPERTIES[slug].equation in printed
    assert f"1 do not: {slug}." in printed


def test_the_library_itself_holds(capsys):
    target = "minisam.oracle.properties.followups:library"
    assert main(["specification", "--try", target, "--trials", "1"]) == 0
    assert f"{len(PROPERTIES)} statements hold." in capsys.readouterr().out


def test_nothing_tried_is_no_success(capsys):
    target = "minisam.oracle.reference:reference"
    assert main(["specification", "gsam-contains-sam", "--try", target]) == 4
    assert "it is about gsam" in capsys.readouterr().out
