import json

import pytest

from minisam.experiments.reproduce import reproduce
from minisam.experiments.statistics import Interval
from minisam.experiments.study import Headline
from minisam.experiments.summary import headlines, rows, summary
from minisam.files import jsonable, write_json


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
    assert headlines(tmp_path).splitlines() == ["| claim |", "|---|"]


def test_a_row_has_headline_seeds_radius_training_accuracy_and_verdict(tmp_path):
    keep(tmp_path / "a", "table3")
    keep(tmp_path / "b", "table3", data="cifar10", gain=-3.0)
    keep(tmp_path / "c", "table3", data="cifar10", train=60.0)
    first, *others = summary(tmp_path).splitlines()[2:]
    assert first == (
        f"| [table3]({tmp_path.as_posix()}/a/table3.md): table3 claims. | toy images | "
        "+3.0 ± 0.1 points | 5 |  | 95 % | **shows*** |"
    )
    assert others[0].endswith("| CIFAR-10 | -3.0 ± 0.1 points | 5 |  | 95 % | **opposite*** |")
    assert others[1].endswith("| 60 % | **under-fitted** |")
    assert headlines(tmp_path).splitlines() == [
        "| claim | CIFAR-10 | toy images |",
        "|---|---|---|",
        "| table3 claims. | **opposite*** -3.0 ± 0.1 points | **shows*** +3.0 ± 0.1 points |",
    ]
    assert "under-fitted" in headlines(tmp_path / "c")  # there is no other


def test_what_a_gpu_trained_is_a_row_with_the_headline_that_it_keeps(tmp_path):
    told = Headline.of(
        Interval(12.0, 11.0, 13.0, 3), "points over SGD, 40% noise", rho="0.2", train=92.0,
        share=Interval(52.0, 50.0, 54.0, 3),
    )  # fmt: skip
    record = {"name": "table4", "claim": "C", "published": "P", "verdict": "V", "smoke": False}
    record |= {"data": "cifar10", "seeds": [0, 1, 2], "device": "a GPU", "results": {}}
    path = tmp_path / "table4.json"
    write_json(path, jsonable({**record, "headline": told._asdict()}))
    assert rows(tmp_path)[0].headline == told
    line = summary(tmp_path).splitlines()[-1]
    page = path.with_suffix(".md").as_posix()
    assert line.startswith(f"| [table4]({page}): C | CIFAR-10, a GPU | +12.0 ± 1.0 points over SGD")
    assert line.endswith(", 40% noise | 3 | 0.2 | 92 % | **shows*** |")
    shown = "**shows*** +12.0 ± 1.0 points over SGD, 40% noise (a GPU)"
    assert headlines(tmp_path).splitlines()[-1] == f"| C | {shown} |"
    write_json(path, jsonable({**record, "headline": Headline("not run", "")._asdict()}))
    assert rows(tmp_path)[0].word == "not run"


def test_a_star_is_for_what_stands_among_all_rows(tmp_path):
    keep(tmp_path / "clear", "table3", gain=3.0)
    assert [row.word for row in rows(tmp_path)] == ["shows*"]
    for data in ("cifar10", "cifar100"):
        keep(tmp_path / data, "table3", data=data, gain=0.03)
    (alone,) = rows(tmp_path / "cifar10")
    assert alone.word == "shows*"
    words = {row.record["data"]: row.word for row in rows(tmp_path)}
    assert words == {"toy": "shows*", "cifar10": "shows", "cifar100": "shows"}


def test_a_damaged_result_is_named_by_the_summary(tmp_path):
    (tmp_path / "width.json").write_text('{"claim": ')
    with pytest.raises(ValueError, match=r"width\.json is no JSON: Expecting value"):
        summary(tmp_path)
