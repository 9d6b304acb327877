from xml.etree import ElementTree

import pytest
from oracle import implementations as known

from minisam.oracle.checking import check
from minisam.oracle.reports import junit, table


@pytest.fixture(scope="module")
def two():
    probes = ["sam-one-tensor", "sam-three-tensors", "sam-rho-zero", "sam-momentum"]
    good = check(known.right, dtype="float64", probes=probes, name="right <one>")
    return good, check(known.half_climb, dtype="float64", probes=probes)


def test_junit_counts_what_happened(two):
    root = ElementTree.fromstring(junit(two))
    first, second = root
    assert first.get("name") == "right <one>"
    assert first.get("failures") == "0"
    assert int(second.get("failures")) == len(second.findall("testcase/failure"))
    assert int(second.get("skipped")) == len(second.findall("testcase/skipped"))
    assert len(first) == int(first.get("tests")) == len(two[0].results) + 1
    assert "bug: M52-half-the-radius" in second.find("testcase[@name='verdict']/failure").get(
        "message"
    )


def test_the_markdown_table_has_a_row_each(two):
    rows = table(two, {"half_climb": "1.0"}).splitlines()
    assert len(rows) == 4
    assert rows[3].startswith("| half_climb | 1.0 | bug: M52-half-the-radius |")
