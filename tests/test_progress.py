import io

from minisam.progress import print_row


def test_heading_only_once_and_columns_line_up():
    out = io.StringIO()
    for epoch in (1, 2):
        record = {"epoch": epoch, "loss": 1.5, "a_long_column_name": 0.25, "seconds": 0.1}
        print_row(out, record, 2, 61.0)
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["1/2", "1.5000", "0.2500", "0.10", "1:01"]
