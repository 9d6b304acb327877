"""`minisam specification` prints every statement, and holds implementations against them."""

import ast
import json
import re

import pytest

from minisam.cli.main import main
from minisam.specification import PROPERTIES

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
    target = "minisam.adapters.library:library"
    assert main(["specification", "--try", target, "--trials", "1"]) == 0
    assert f"{len(PROPERTIES)} statements hold." in capsys.readouterr().out


def test_nothing_tried_is_no_success(tmp_path, capsys):
    (tmp_path / "homework.py").write_text(WRONG)
    target = f"{tmp_path}/homework.py:step"
    assert main(["specification", "gsam-contains-sam", "--try", target]) == 4
    printed = capsys.readouterr().out
    assert "it is about gsam: gsam-contains-sam\n--method says" in printed


GSAM = """
import numpy as np

def step(w, grad_fn, *, rho, lr, alpha, p=2):
    d1 = grad_fn(w)
    norm = np.sqrt(sum(np.sum(g * g) for g in d1))
    d2 = grad_fn([x + rho * g / norm if norm else x for x, g in zip(w, d1)])
    share = sum(np.sum(a * b) for a, b in zip(d1, d2)) / sum(np.sum(b * b) for b in d2)
    return [x - lr * (b - {alpha} * (a - share * b)) for x, a, b in zip(w, d1, d2)]
"""


@pytest.mark.parametrize(("alpha", "code"), [("alpha", 0), ("0.2", 1)])
def test_a_step_is_held_against_the_statements_of_the_method_it_is_said_to_be(
    alpha, code, tmp_path, capsys
):
    (tmp_path / "gsam.py").write_text(GSAM.replace("{alpha}", alpha))
    words = ["gsam-contains-sam", "steepest-climb", "--method", "gsam"]
    assert main(["specification", *words, "--try", f"{tmp_path}/gsam.py:step"]) == code
    printed = capsys.readouterr().out
    assert printed.startswith("1 statements hold." if code == 0 else "gsam-contains-sam: ")
    assert "it is about sam: steepest-climb" in printed


def test_one_mistake_in_every_statement_is_told_in_a_line_that_can_be_read(tmp_path, capsys):
    (tmp_path / "sam.py").write_text("def step(w, grad_fn, *, rho, lr, unknown):\n    return w\n")
    assert main(["specification", "--try", f"{tmp_path}/sam.py:step", "--trials", "1"]) == 2
    told = capsys.readouterr().err
    assert "missing a required argument: 'unknown'" in told
    assert re.search(r": \d+ statements\n$", told)
    assert not [slug for slug in PROPERTIES if slug in told]


def test_a_failure_shows_the_hyper_parameters_that_are_not_the_defaults(tmp_path, capsys):
    (tmp_path / "homework.py").write_text(WRONG)
    main(["specification", "steepest-climb", "--try", f"{tmp_path}/homework.py:step"])
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("  with {")]
    shown = ast.literal_eval(line.removeprefix("  with "))
    assert {"rho", "lr", "names"} <= shown.keys() <= {"rho", "lr", "names", "dtype"}


@pytest.mark.fault("option-value", "minisam specification")
@pytest.mark.parametrize("name", ["²", "0", "999", "-0", "1.0", "٣", ""])
def test_what_is_no_number_of_a_statement_is_refused_by_name(name, capsys):
    assert main(["specification", name]) == 2
    assert f"there is no statement {name!r}; " in capsys.readouterr().err


@pytest.mark.fault("option-value", "minisam specification")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "gsan"], "--method must be among sgd, sam, asam, "),
        (["--method", ""], "unnormalized_sam, got ''"),
        (["--trials", "0"], "--trials must be a whole number of at least 1, got 0"),
        (["--seed", "-1"], "--seed must be a whole number of at least 0, got -1"),
        (["--norm-epsilon", "-1"], "--norm-epsilon must be a number in [0, inf), got -1.0"),
        (["--norm-epsilon", "nan"], "--norm-epsilon must be a number in [0, inf), got nan"),
        (["--norm-epsilon", "inf"], "--norm-epsilon must be a number in [0, inf), got inf"),
        (["no-such-statement"], "there is no statement 'no-such-statement'"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_tried(words, message, tmp_path, capsys):
    (tmp_path / "sam.py").write_text(f"open({str(tmp_path / 'seen')!r}, 'w')\n" + WRONG)
    assert main(["specification", *words, "--try", f"{tmp_path}/sam.py:step"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "seen").exists()


@pytest.mark.fault("time-limit-value", "minisam specification")
@pytest.mark.parametrize("value", ["-1", "0", "nan", "inf", "1e30"])
def test_a_limit_that_is_no_time_is_refused_by_name(value, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["specification", "--try", "x.py:step", "--timeout", value])
    assert stop.value.code == 2
    assert "--timeout: must be a number of seconds" in capsys.readouterr().err


@pytest.mark.fault("option-alone", "minisam specification")
@pytest.mark.parametrize(
    "option", ["--method=gsam", "--trials=3", "--seed=3", "--norm-epsilon=1e-12", "--timeout=3"]
)
def test_an_option_of_a_trial_is_refused_without_one(option, capsys):
    assert main(["specification", "1", option]) == 2
    name = option.partition("=")[0]
    assert f"{name} without effect: there is no --try" in capsys.readouterr().err


@pytest.mark.fault("option-alone", "minisam specification")
def test_json_is_of_the_statements_not_of_a_trial(capsys):
    assert main(["specification", "--json", "--try", "x.py:step"]) == 2
    assert "--json without effect" in capsys.readouterr().err


ENDINGS = {
    "exits": ("", "sys.exit(0)", "SystemExit: 0"),
    "leaves": ("", "os._exit(0)", "a step ended the process with exit code 0"),
    "raises": ("", "raise KeyError('rho')", "KeyError: 'rho'"),
    "interrupts": ("", "raise KeyboardInterrupt", "it raised KeyboardInterrupt"),
    "hangs": ("", "time.sleep(60)", "a step did not return within 0.3 s"),
    "returns nothing": ("", "return None", "must be a list of arrays, got None"),
    "exits at import": ("sys.exit(0)", "", "the import ended the process with exit code 0"),
    "leaves at import": ("os._exit(0)", "", "the import ended the process with exit code 0"),
    "not there": ("del step", "", "has no 'step'"),
    "no function": ("step = 3", "", "adapter must be a function"),
}


@pytest.mark.fault("ends-the-process", "minisam specification --try")
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_implementation_that_cannot_be_tried_is_told_why(ending, tmp_path, capsys):
    at_import, in_step, message = ENDINGS[ending]
    (tmp_path / "sam.py").write_text(
        "import os, sys, time\n"
        f"def step(w, grad_fn, *, rho, lr):\n    {in_step or 'pass'}\n{at_import}\n"
    )
    limit = "0.3" if ending == "hangs" else "60"
    words = ["two-gradients", "quadratic-step", "--timeout", limit, "--trials", "2"]
    assert main(["specification", *words, "--try", f"{tmp_path}/sam.py:step"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"minisam specification: {tmp_path}/sam.py:step: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.fault("time-limit-swallowed", "minisam specification --try")
def test_what_was_found_is_printed_though_a_later_step_does_not_let_go(tmp_path, capsys):
    (tmp_path / "sam.py").write_text(
        f"{WRONG}\n"
        "calls = []\n"
        "def tires(w, grad_fn, *, rho, lr):\n"
        "    calls.append(w)\n"
        "    while len(calls) > 1:\n"
        "        try:\n"
        "            len(w)\n"
        "        except:\n"
        "            continue\n"
        "    return step(w, grad_fn, rho=rho, lr=lr)\n"
    )
    words = ["steepest-climb", "quadratic-step", "--timeout", "1", "--trials", "1"]
    assert main(["specification", *words, "--try", f"{tmp_path}/sam.py:tires"]) == 2
    captured = capsys.readouterr()
    assert PROPERTIES["steepest-climb"].equation in captured.out
    assert "1 do not: steepest-climb." in captured.out
    assert "sam.py:tires: a step did not return within 1 s" in captured.err


@pytest.mark.fault("output-mixed", "minisam specification --try")
def test_what_an_implementation_prints_is_not_shown(tmp_path, capfd):
    (tmp_path / "sam.py").write_text("print('at import')\n" + WRONG.replace("g =", "print(w); g ="))
    assert main(["specification", "two-gradients", "--try", f"{tmp_path}/sam.py:step"]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    assert captured.out.splitlines() == [
        "1 statements hold.", "0 do not: none.", "0 were not tried:"
    ]  # fmt: skip
