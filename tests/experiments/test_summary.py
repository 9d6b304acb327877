import json

import pytest

from minisam.experiments.reproduce import reproduce
from minisam.experiments.summary import summary


def test_the_summary_has_a_row_for_every_result(tmp_path):
    with pytest.raises(ValueError, match="no results below"):
        summary(tmp_path)
    (tmp_path / "table1.json").write_text('{"somebody": "else"}')
    (tmp_path / "table2.json").write_text("[1]")
    (tmp_path / "width.json").write_text('{"claim": "of another program"}')
    with pytest.raises(ValueError, match="no results below"):
        summary(tmp_path)
    reproduce("width", tmp_path / "width", smoke=True, progress=None)
    lines = summary(tmp_path).splitlines()
    assert len(lines) == 3
    link = f"[toy]({tmp_path.as_posix()}/width/width.md)"
    assert lines[2].startswith("| `width` | SAM's gains are large only where")
    assert lines[2].endswith(f"| {link}, 2 seeds: none: a smoke test |")
    record = json.loads((tmp_path / "width" / "width.json").read_text())
    record |= {"data": "cifar10", "verdict": "shows: +1.0 ± 0.5 (n=2) points; does not show at 4"}
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "width.json").write_text(json.dumps(record))
    (row,) = summary(tmp_path).splitlines()[2:]
    other = f"[cifar10]({tmp_path.as_posix()}/again/width.md)"
    told = f"{other}, 2 seeds: **shows**: +1.0 ± 0.5 points; **does not show** at 4<br>{link}, "
    assert told in row


def test_a_damaged_result_is_named_by_the_summary(tmp_path):
    (tmp_path / "width.json").write_text('{"claim": ')
    with pytest.raises(ValueError, match=r"width\.json is no JSON: Expecting value"):
        summary(tmp_path)
