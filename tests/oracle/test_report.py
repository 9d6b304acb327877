import json
import re
from html import unescape

import pytest
from oracle import implementations as known

from minisam.adapters.library import own
from minisam.adapters.reason import Reason
from minisam.oracle.checking import check
from minisam.oracle.probes import PROBES
from minisam.oracle.report import (
    SCHEMA,
    NotConforming,
    Report,
    Result,
    Verdict,
    restored,
    without_results,
)
from minisam.oracle.report_html import page
from minisam.oracle.reports import table


@pytest.fixture(scope="module")
def good():
    return check(known.right, dtype="float64", name="right <one>")


@pytest.fixture(scope="module")
def bad():
    probes = ["sam-one-tensor", "sam-three-tensors", "sam-rho-zero", "sam-gradient-tiny"]
    return check(known.half_climb, dtype="float64", probes=probes)


def test_json_is_the_whole_report(good, bad):
    for report in (good, bad):
        data = json.loads(report.to_json())
        assert data["schema"] == SCHEMA
        assert data["verdict"] == report.verdict
        assert data["exit_code"] == report.exit_code
        kept = {"headline", "advice", "declared", "found", "explanations", "reproduction"}
        assert {key: data[key] for key in kept} == {key: getattr(report, key) for key in kept}
        for shown, result in zip(data["results"], report.results, strict=True):
            assert " ".join(shown) == "probe dtype status reason error step quantity"
            assert (shown["status"], shown["reason"]) == (result.status, result.reason)
        assert " ".join(data) == (
            "schema name verdict cause headline advice results declared found explanations "
            "reproduction versions seconds skills ran of exit_code"
        )


def test_a_report_survives_the_way_from_another_process(good, bad):
    for report in (good, bad):
        back = restored(json.loads(json.dumps(report)))
        assert back == report
        assert back.outcome is report.outcome
        assert str(back) == str(report)


def test_all_of_it_is_said_where_all_is_asked_for(good, bad):
    for report in (good, bad):
        text = report.text(verbose=True)
        assert max(map(len, text.splitlines())) <= 88
        for line in (report.headline, *report.advice, report.summary()):
            assert line in re.sub(r"\s+", " ", text.replace("→", ""))
    assert "2 results fail, in probes sam-one-tensor, sam-three-tensors" in bad.text(verbose=True)
    assert "ran 3 of 12" in bad.text(verbose=True)


def test_a_single_failure_is_told_in_the_singular(bad):
    first = next(result for result in bad.results if result.status == "fail")
    assert bad._replace(results=[first]).failures() == f"1 result fails, in probe {first.probe}"
    assert bad._replace(results=[]).failures() == ""


def test_reasons_are_counted_together(good):
    told = re.search("it has no ([^;]*);", good.summary()).group(1).split(", ")
    assert {"bfloat16", "asam", "sgd", "missing-gradient", "frozen", "shards"} <= {*told}
    assert "it does not take momentum, p, weight_decay" in good.summary()
    assert sum(count for count, _ in good.not_run()) == len(good.results) - good.ran


def test_html_compares_and_needs_nothing_else(good, bad):
    text = page([good, bad])
    assert "right &lt;one&gt;" in text
    assert text.count('<td class="name verdict">') == 2
    assert "sam-three-tensors" in text
    for outside in ("http", "src=", "<script", "@import"):
        assert outside not in text
    assert "half_climb" in bad._repr_html_()
    assert bad.to_html().startswith("<!doctype html>")


def test_html_tells_of_what_ran_alone_in_the_order_of_the_probes(good):
    few = check(known.half_climb, dtype="float32", probes=["sam-six-tensors", "sam-one-tensor"])
    other = check(own(), method="sgd", dtype="float32", probes=["sgd-plain"], name="own")
    text = page([few, other])
    heads = re.findall(r"<span>(.*?)</span>", text)
    assert heads == ["sam-one-tensor", "sam-six-tensors", "sgd-plain"]
    assert f'title="{PROBES["sam-one-tensor"].note}"' in text
    assert "✗ fails" in text
    assert "known to fail" not in text
    assert "float32. Point" in text
    assert "float64" not in text[: text.index("<h2>")]
    assert '<a href="#r1">own</a>' in text
    assert '<div id="r1"><h2>own</h2>' in text
    assert "one sign per dtype" not in text
    assert "one sign per dtype: float64, float32. " in page([check(known.right)])


def test_html_folds_away_what_is_for_a_maintainer(bad):
    shown, folded = bad._repr_html_().split("<details")
    assert unescape(shown).count(bad.headline) == 1
    assert "not run because" not in shown
    assert "not run because" in folded
    assert "First wrong" not in shown


def test_html_says_what_the_terminal_says(bad):
    shown = unescape(re.sub("<[^>]*>", " ", bad._repr_html_()))
    for line in (bad.headline, *bad.advice, *bad.reproduction.splitlines(), bad.summary()):
        assert line in shown


def test_the_error_is_the_report(bad):
    with pytest.raises(NotConforming) as caught:
        bad.raise_for_failures()
    assert str(caught.value) == str(bad)
    assert bad.versions.keys() == {"minisam", "python", "numpy"}


def report_with(outcome, names, status="fail"):
    results = [Result("p", "float64", status)]
    return Report("x", outcome, "", "", [], results, {}, {}, names, "", {}, 0.0)


@pytest.mark.parametrize(
    ("outcome", "names", "verdict", "code"),
    [
        (Verdict.CONFORMS, [], "conforms", 0),
        (Verdict.AS_DECLARED, [], "conforms as declared", 0),
        (Verdict.BUG, ["M01"], "bug: M01", 1),
        (Verdict.BUG, ["M1", "M2", "M3", "M4", "M5"], "bug: M1 or M2 or M3 or M4", 1),
        (Verdict.BUG, [], "bug: unidentified", 1),
        (Verdict.OUT_OF_RANGE, [], "out of range", 1),
        (Verdict.ADAPTER_ERROR, [], "adapter error", 2),
        (Verdict.UNDECLARED, ["eta, scope"], "undeclared convention: eta, scope", 3),
    ],
)
def test_every_verdict_has_its_words_and_its_exit_code(outcome, names, verdict, code):
    assert report_with(outcome, names).verdict == verdict
    assert report_with(outcome, names).exit_code == code
    assert report_with(outcome, names, "not run").exit_code == 4
    assert report_with(outcome, names).conforms == (code == 0)


def test_an_implementation_with_a_name_like_a_verdict_gets_its_own():
    report = report_with(Verdict.BUG, ["conforms"])._replace(name="conforms: undeclared")
    assert (report.conforms, report.exit_code, report.verdict) == (False, 1, "bug: conforms")


@pytest.mark.fault("ends-the-process", "minisam check")
def test_what_could_not_be_judged_has_a_report_in_every_form():
    report = without_results("step", "the import did not return within 10 s")
    assert report.exit_code == 2
    assert json.loads(report.to_json())["exit_code"] == 2
    for form in (str(report), report.to_html(), report.to_junit(), table([report])):
        assert "adapter error" in form


def test_reasons_are_counted_by_their_kind_not_by_how_they_begin():
    whys = [Reason("it does not take", "p"), Reason("it does not take", "momentum")]
    whys += [Reason("it does not take part"), Reason("it does not take", "momentum")]
    results = [Result(str(number), "float64", "not run", why) for number, why in enumerate(whys)]
    report = report_with(Verdict.BUG, [])._replace(results=results)
    assert report.not_run() == [(3, "it does not take momentum, p"), (1, "it does not take part")]
