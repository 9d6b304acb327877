"""The oracle on what people really use, and the table of it in its guide."""

import pytest
from backends import public_table
from backends.implementations import IMPLEMENTATIONS, OLD

from minisam.oracle.checking import check
from minisam.oracle.report import Verdict

pytestmark = [
    pytest.mark.backends,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
STORED = public_table.TABLE.read_text(encoding="utf-8").splitlines()


def stored_row(one):
    rows = [line for line in STORED if line.startswith(public_table.key(one))]
    assert len(rows) == 1, f"table.md has {len(rows)} rows for {public_table.key(one)}"
    return rows[0]


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(
            one,
            # Another algorithm, for which the search tries all that it knows.
            marks=pytest.mark.slow if "BSAM" in one.name else [],
            id=f"{one.name} {one.version}",
        )
        for one in IMPLEMENTATIONS
    ],
)
def test_the_table_says_what_the_oracle_says(one):
    if one.version and not OLD:
        pytest.skip(
            f"set MINISAM_PYTORCH_OPTIMIZER_2_1_0 to a directory with {one.package} {one.version}, "
            f"filled by: pip install --no-deps --target DIRECTORY {one.package}=={one.version}"
        )
    if not one.installed():
        pytest.skip(f"{one.package} is not installed")
    if public_table.key(one) not in "\n".join(STORED):
        pytest.skip(f"table.md is of another version of {one.package} than {one.installed()}")
    row, stored = public_table.row(one), stored_row(one)
    assert row.agrees_with(stored), f"{row.text}\nis not\n{stored}"


@pytest.mark.fault("same-elsewhere", "backends.public_table")
@pytest.mark.parametrize(
    ("stored", "agrees"),
    [
        ("| conforms | sam: 98 of 100 |", True),
        ("| conforms | sam: 97 of 99 |", True),  # a device on which the extreme one fails
        ("| conforms | sam: 99 of 101 |", True),  # one on which the other passes, too
        ("| conforms | sam: 96 of 98 |", False),
        ("| conforms | sam: 100 of 102 |", False),
        ("| conforms | sam: 97 of 100 |", False),
        ("| bug | sam: 98 of 100 |", False),
    ],
)
def test_a_row_is_the_same_on_a_device_that_keeps_subnormal_numbers(stored, agrees):
    row = public_table.Row("| conforms | sam: 98 of 100 |", extremes=1, most=2)
    assert row.agrees_with(stored) == agrees


def test_the_known_wrong_one_is_named():
    row = next(line for line in STORED if "2.1.0" in line)
    assert "M01-not-restored" in row


def test_with_nothing_declared_its_conventions_are_all_named():
    pytest.importorskip("pytorch_optimizer")
    one = next(one for one in IMPLEMENTATIONS if one.name == "pytorch_optimizer.SAM, adaptive")
    report = check(one.adapter(), "float64", method="asam")
    assert report.outcome == Verdict.UNDECLARED
    assert report.found == one.declare


def test_the_guide_has_the_table():
    guide = public_table.GUIDE.read_text(encoding="utf-8")
    assert public_table.spliced(guide, "\n".join(STORED) + "\n") == guide


def test_every_row_is_an_implementations():
    assert list(public_table.HEAD) == STORED[:2]
    assert len(STORED) == len(IMPLEMENTATIONS) + 2


def test_splicing_needs_its_markers():
    text = f"a\n{public_table.BEGIN}\nold\n{public_table.END}\nb\n"
    assert public_table.spliced(text, "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="the text has no"):
        public_table.spliced("a", "new\n")
