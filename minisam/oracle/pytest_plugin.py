"""Plug into pytest: ``pytest --pyargs minisam.oracle --adapter FILE_OR_MODULE:NAME``.

It is loaded in every pytest session of an environment that has minisam, so it imports nothing (its
functions do) and does nothing unless ``--adapter`` is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CONFORMANCE = Path(__file__).with_name("test_conformance.py")


def pytest_addoption(parser: Any) -> None:
    """Add ``--adapter`` and its companions."""
    add = parser.getgroup("minisam", "minisam's oracle").addoption
    what = "the SAM to check with `pytest --pyargs minisam.oracle`"
    add("--adapter", metavar="FILE_OR_MODULE:NAME", help=what)
    what = "a convention that it follows, such as norm_epsilon=1e-12"
    add("--adapter-declare", action="append", default=[], metavar="NAME=VALUE", help=what)
    add("--adapter-dtype", action="append", help="float64, float32 or bfloat16")
    add("--adapter-method", action="append", help="sam, asam or sgd")
    add("--adapter-timeout", type=float, default=60.0, help="seconds that one step may take (60)")


def pytest_ignore_collect(collection_path: Path, config: Any) -> bool | None:
    """Leave the conformance tests out where there is nothing to check."""
    if collection_path == CONFORMANCE and not config.getoption("--adapter"):
        return True
    return None


def pytest_generate_tests(metafunc: Any) -> None:
    """Make one test per probe and dtype that the adapter claims."""
    if "minisam_case" not in metafunc.fixturenames:
        return
    from minisam.oracle.parametrization import cases  # not in everybody's test sessions

    adapter, options = chosen(metafunc.config)
    metafunc.parametrize("minisam_case", cases(adapter, **options), ids=repr)


def chosen(config: Any) -> tuple[Any, dict[str, Any]]:
    """Return the adapter and the options of the command line."""
    import pytest  # not in everybody's sessions

    # Only with --adapter: pytest loads this plugin in every session of everybody's.
    from minisam.adapters.targets import load_target, pairs
    from minisam.isolation.limits import check_seconds

    timeout = config.getoption("--adapter-timeout")
    try:
        adapter = load_target(config.getoption("--adapter"))
        declare = pairs(config.getoption("--adapter-declare"), "--adapter-declare")
        check_seconds("--adapter-timeout", timeout)
    except ValueError as error:
        raise pytest.UsageError(f"--adapter: {error}") from None
    return adapter, {
        "declare": declare,
        "dtype": config.getoption("--adapter-dtype"),
        "method": config.getoption("--adapter-method"),
        "timeout": timeout,
    }
