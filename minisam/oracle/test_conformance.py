"""Test what ``pytest --pyargs minisam.oracle --adapter FILE_OR_MODULE:NAME`` names."""

from __future__ import annotations

from typing import Any

import pytest

from minisam.oracle.checking import check
from minisam.oracle.pytest_plugin import chosen


@pytest.fixture(scope="session")
def minisam_adapter(request: Any) -> Any:
    """Load the implementation, with the options for it."""
    return chosen(request.config)


def test_probe(minisam_case: Any, minisam_adapter: Any) -> None:
    """Run one probe."""
    minisam_case(minisam_adapter[0])


def test_verdict(minisam_adapter: Any) -> None:
    """Raise the verdict, with the mistake's name, unless it conforms."""
    adapter, options = minisam_adapter
    check(adapter, **options).raise_for_failures()
