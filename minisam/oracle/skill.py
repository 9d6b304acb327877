"""Say how well one part of a step is done. A report is made of this, and it loads no NumPy."""

from __future__ import annotations

from typing import NamedTuple


class Skill(NamedTuple):
    """Say how well one part of the step is done.

    Attributes:
        name: its key in `SKILLS`.
        status: "right", "wrong" or "not seen": nothing that ran shows it.
        text: what was seen, in a sentence of numbers.
        probe: where; "" if nowhere.
        dtype: and in which dtype.
        step: and in which step, from 0.
    """

    name: str
    status: str
    text: str
    probe: str = ""
    dtype: str = ""
    step: int = 0
