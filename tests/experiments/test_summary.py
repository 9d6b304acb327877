import json

import pytest

from minisam.experiments.reproduce import reproduce
from minisam.experiments.summary import headlines, rows, summary


def keep(folder, name, data="toy", gain=3.0, train=95.0, **more):
    """Write a result of `table3` in which SAM gains something, a little more with odd seeds."""
    runs = [
        {"pretrained": "SGD", "method": m, "seed": s, "train": train,
         "last": 50.0 + s + (gain + 0.1 * (s % 2)) * (m == "SAM")}
        for s in range(5) for m in ("SGD", "SAM")
    ]  # fmt: skip
    record = {"name": name, "claim": f"{name} claims.", "published": "", "verdict": "shows: …",
              "data": data, "seeds": list(range(5)),
              "results": {"runs": runs}, **more}  # fmt: skip
    folder.mkdir(parents=True)
    (folder / f"{name}.json").write_text(json.dumps(record))


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(ValueError, match="no results below"):
        summary(tmp_path)
    (tmp_path / "table1.json").write_text('{"somebody": "else"}')
    (tmp_path / "table2.json").write_text("[1]")
    (tmp_path / "width.json").write_text('{"claim": "of another program"}')
    with pytest.raises(ValueError, match="no results below"):
        summary(tmp_path)


def test_a_smoke_test_is_a_row_without_a_verdict(tmp_path):
    reproduce("width", tmp_path / "width", smoke=True, progress=None)
    lines = summary(tmp_path).splitlines()
    assert len(lines) == 3
    link = f"[width]({tmp_path.as_posix()}/width/width.md)"
    assert lines[2].startswith(f"| {link}: SAM's gains are large only where")
    assert lines[2].endswith("| toy images |  | 2 |  |  | **none: a smoke test** |")
    assert headlines(tmp_path).splitlines() == ["| claim | verdict |", "|---|---|"]


def test_a_row_has_headline_seeds_radius_training_accuracy_and_verdict(tmp_path):
    keep(tmp_path / "a", "table3")
    keep(tmp_path / "b", "table3", data="cifar10", gain=-3.0)
    keep(tmp_path / "c", "table3", data="cifar10", device="one GPU", train=60.0)
    first, *others = summary(tmp_path).splitlines()[2:]
    assert first == (
        f"| [table3]({tmp_path.as_posix()}/a/table3.md): table3 claims. | toy images | "
        "+3.0 ± 0.1 points | 5 |  | 95 % | **shows*** |"
    )
    assert others[0].endswith("| CIFAR-10 | -3.0 ± 0.1 points | 5 |  | 95 % | **opposite*** |")
    assert "| CIFAR-10, one GPU |" in others[1]
    assert others[1].endswith("| 60 % | **under-fitted** |")
    (line,) = headlines(tmp_path).splitlines()[2:]
    assert line == (
        "| table3 claims. | **shows*** +3.0 ± 0.1 points (toy images); "
        "**opposite*** -3.0 ± 0.1 points (CIFAR-10) |"
    )
    assert "under-fitted" in headlines(tmp_path / "c")  # there is no other


def test_a_star_is_for_what_stands_among_all_rows(tmp_path):
    keep(tmp_path / "clear", "table3", gain=3.0)
    assert [row.word for row in rows(tmp_path)] == ["shows*"]
    keep(tmp_path / "small", "table3", data="cifar10", gain=0.03)
    (alone,) = rows(tmp_path / "small")
    both = {row.record["data"]: row for row in rows(tmp_path)}
    assert alone.word == "shows*"
    assert [both[data].word for data in ("toy", "cifar10")] == ["shows*", "shows"]


def test_a_damaged_result_is_named_by_the_summary(tmp_path):
    (tmp_path / "width.json").write_text('{"claim": ')
    with pytest.raises(ValueError, match=r"width\.json is no JSON: Expecting value"):
        summary(tmp_path)
