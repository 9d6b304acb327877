from pathlib import Path

from minisam.experiments.overview import errors_removed, in_points, overview, problems
from minisam.experiments.summary import rows

KEPT = Path(__file__).parents[2] / "tutorials" / "results"


def test_every_line_of_the_forest_says_what_it_is_and_has_an_interval():
    found = rows(KEPT)
    shares, points = errors_removed(found), in_points(found)
    names = [line.name for line in shares]
    assert len(set(names)) == len(names)
    assert {name.split()[0].strip(",") for name in names} >= {"table1", "table3", "table4"}
    assert all(line.interval.low <= line.interval.value <= line.interval.high for line in shares)
    assert any(line.paper for line in shares)
    assert {line.name.split(",")[0] for line in points} >= {"m_sharpness", "curvature"}


def test_both_pictures_are_drawn_beside_the_results(tmp_path):
    record = KEPT / "toy" / "table3.json"
    (tmp_path / "table3.json").write_bytes(record.read_bytes())
    paths = overview(tmp_path)
    assert [path.name for path in paths] == ["claims.png", "fitted.png"]
    assert all(path.stat().st_size > 10_000 for path in paths)


def test_a_problem_is_one_that_both_methods_were_run_on():
    runs = [
        {"method": m, "noise": noise, "train": 99.0, "last": 50.0}
        for m, noise in (("SGD", 0.2), ("SAM", 0.2), ("SGD", 0.4), ("SAM", 0.6), ("SAM", 0.2))
    ]
    assert list(problems(runs)) == [{"noise": 0.2}]
    untested = [{name: run[name] for name in ("method", "noise", "train")} for run in runs]
    assert list(problems(untested)) == list(problems([])) == []


def test_a_frozen_problem_is_not_the_one_that_moves():
    runs = [
        {"method": m, "images": 1000, "frozen": frozen, "train": 99.0, "last": 50.0}
        for m in ("SGD", "SAM")
        for frozen in (False, True)
    ]
    assert [labels["frozen"] for labels in problems(runs)] == [False, True]
