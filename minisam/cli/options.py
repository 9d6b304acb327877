"""Check the options that the commands that train share, and state their exit codes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

from minisam.checks import check_whole
from minisam.files import expanded

EXIT_CODES = (
    "exit code: 0 where the table was printed, even if runs diverged, which it says; 1 where runs "
    "failed, which are listed; 2 for an option or a file that cannot be used; 130 after Ctrl-C"
)
MOST_SEEDS = 1000  # the seeds from there on choose hyper-parameters, and no reported run has one


def check_whole_options(
    arguments: argparse.Namespace, names: Iterable[str], low: int = 1, high: int | None = None
) -> None:
    """Raise ValueError naming an option that was given and lies out of [low, high].

    Example:
        >>> check_whole_options(argparse.Namespace(train_size=0), ["train_size"])
        Traceback (most recent call last):
        ...
        ValueError: --train-size must be a whole number of at least 1, got 0
    """
    for name in names:
        if getattr(arguments, name) is not None:
            check_whole(f"--{name.replace('_', '-')}", getattr(arguments, name), low, high)


def words(text: str) -> list[str]:
    """Return the parts of a list with commas, in small letters, without spaces and empty parts.

    Example:
        >>> words("SAM=0.1, asam=1,")
        ['sam=0.1', 'asam=1']
    """
    return [part for part in (part.strip().lower() for part in text.split(",")) if part]


def look_for_data_in(data_dir: str | None, data: str) -> None:
    """Let this process and its workers find a data set in a folder.

    They inherit it through the environment, as a result does not depend on where its data lay.

    Raises:
        ValueError: if the folder is of no use to the data set, or has no name.
    """
    if data_dir is None:
        return
    if data == "toy":
        raise ValueError("--data-dir without effect: the toy set is made, not read from files")
    os.environ["MINISAM_DATA"] = str(expanded(data_dir, "--data-dir").resolve())
