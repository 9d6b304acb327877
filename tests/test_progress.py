import io

import pytest

from minisam.progress import clock, print_row


def test_heading_only_once_and_columns_line_up():
    out = io.StringIO()
    for epoch in (1, 2):
        record = {"epoch": epoch, "loss": 1.5, "a_long_column_name": 0.25, "seconds": 0.1}
        print_row(out, record, 2, 61.0)
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["1/2", "1.5000", "0.2500", "0.10", "1", "min", "1", "s"]


def test_a_duration_turns_over_at_the_minute_and_at_the_hour():
    assert [clock(seconds) for seconds in (0, 59.4, 59.6, 3599.4, 3599.6, 86400)] == [
        "0 s",
        "59 s",
        "1 min 0 s",
        "59 min 59 s",
        "1 h 0 min",
        "24 h 0 min",
    ]


@pytest.mark.fault("returned-value", "print_row")
def test_a_row_holds_texts_and_gaps_too():
    out = io.StringIO()
    print_row(out, {"epoch": 1, "seconds": 0.5, "who": "a", "gap": None, "n": 2}, 1, 0)
    assert out.getvalue().splitlines()[1].split() == ["1/1", "a", "–", "2.0000", "0.50", "0", "s"]
