import pytest
from oracle import implementations as known
from oracle.slips import verdict_on

from minisam.adapters.reason import Reason
from minisam.oracle.checking import check
from minisam.oracle.report import Result, Verdict, without_results
from minisam.oracle.report_text import (
    BY_CONVENTION,
    COLUMNS,
    FIRST_WRONG,
    MORE,
    SCREEN,
    cut,
    tried,
)

FEW = ["sam-one-tensor", "sam-three-tensors", "sam-rho-zero", "sam-gradient-tiny"]


@pytest.fixture(scope="module")
def bad():
    return check(known.half_climb, dtype="float64", probes=FEW)


def fits(text):
    lines = text.splitlines()
    return len(lines) <= SCREEN and max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("name", [
    "rms_norm", "norm_of_each_tensor", "asam_rows", "every_second_step", "dampened", "in_place",
    "python_floats", "base_step_then_restore", "copies_by_shape",
])  # fmt: skip
def test_a_report_fits_on_one_screen(name):
    report = verdict_on(name)
    text = str(report)
    assert text == report.text()
    assert fits(text)
    assert text.startswith(f"{report.name}: {report.verdict}\n")
    assert report.headline.split()[0] in text
    assert text.endswith(MORE)
    if report.reproduction:
        assert f"\n\n{report.reproduction}\n\n" in text  # as it can be copied


def test_however_much_there_is_to_say_it_fits(bad):
    long = "word " * 400
    for report in (
        bad._replace(headline=long),
        bad._replace(advice=[long, long]),
        bad._replace(advice=["short"] * 60),
        bad._replace(reproduction="x = 1\n" * 60),
        bad._replace(name="n" * 300),
        bad._replace(headline=long, advice=[long] * 9, reproduction="y = 2\n" * 14),
    ):
        assert fits(str(report))
    assert "takes more than is shown" in str(bad._replace(reproduction="x = 1\n" * 60))


def test_what_the_script_shows_is_not_told_in_longer_numbers_too(bad):
    assert any(line.startswith(FIRST_WRONG) for line in bad.advice)
    assert FIRST_WRONG not in str(bad)
    assert FIRST_WRONG in str(bad._replace(reproduction=""))
    assert FIRST_WRONG in bad.text(verbose=True)


@pytest.mark.fault("said-of-the-data", "oracle.check")
def test_what_was_not_tried_is_told_in_words(bad):
    whys = [Reason("it does not take", "weight_decay"), Reason("it has no", "shards")]
    whys += [Reason("it has no", "float32"), Reason("an earlier probe hangs")] * 2
    results = [Result(f"p{number}", "float64", "not run", why) for number, why in enumerate(whys)]
    report = bad._replace(results=[*results, Result("q", "float32", "pass")])
    said = "Not tried: weight decay, split batches. 2 not made: an earlier probe hangs."
    assert tried(report) == said
    assert tried(bad) == "2 of 2 checks fail. Not tried: momentum, float32, bfloat16."
    one = bad._replace(results=[Result("q", "float64", "fail")])
    assert tried(one) == "1 of 1 checks fails."


def test_what_ran_in_another_dtype_was_tried(bad):
    once = [Result("p", "float64", "pass"), Result("p", "float32", "not run", Reason("once"))]
    wide = Result("p", "bfloat16", "not run", Reason("it has no", "bfloat16"))
    assert tried(bad._replace(results=once)) == ""
    assert tried(bad._replace(results=[*once, wide])) == "Not tried: bfloat16."


def test_what_to_declare_comes_before_a_second_mistake_and_what_was_not_tried(bad):
    """Else most checks go on failing, whatever is mended."""
    declare = f"{BY_CONVENTION} declare={{'norm_epsilon': 1e-12, 'saved_state': 'without_base'}}"
    advice = [bad.advice[0], "The scheduler does not reach it. " * 4, declare, "It also … " * 30]
    whys = [Reason("it does not take", f"what number {number} is about") for number in range(60)]
    skipped = [Result("p", "float64", "not run", why) for why in whys]
    report = bad._replace(advice=advice, results=[*bad.results, *skipped])
    shown = str(report)
    assert fits(shown)
    assert " ".join(declare.split()) in " ".join(shown.split())
    assert advice[0].split()[-1] in shown.partition(BY_CONVENTION)[0]
    assert str(bad._replace(advice=[declare])).count(BY_CONVENTION) == 1


def test_what_could_not_be_judged_fits_as_well():
    report = without_results("step", "the import did not return within 10 s")
    assert report.outcome is Verdict.ADAPTER_ERROR
    assert str(report).splitlines() == [
        "step: adapter error", "", "  the import did not return within 10 s",
    ]  # fmt: skip


def test_what_is_cut_says_so():
    assert cut(["  a", "  b", "  c"], 2) == ["  a", "  b …"]
    assert cut(["  a", "  b"], 2) == ["  a", "  b"]


def test_the_script_is_said_to_stand_where_it_runs(bad):
    assert bad.beside == "To see it without minisam, beside your function:"
    of_a_maker = bad._replace(reproduction="import numpy as np\nfrom minisam import oracle")
    assert of_a_maker.beside == "To see it, beside what was checked:"
    of_a_program = bad._replace(reproduction="import json, subprocess\n")
    assert of_a_program.beside == "To see it without minisam, in the folder of the program:"
