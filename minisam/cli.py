"""The command line: parse, call, print. Each subcommand lives beside the code that it runs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "compare": "minisam.experiments.compare",
    "reproduce": "minisam.experiments.command",
    "sharpness": "minisam.sharpness.command",
    "data": "minisam.data.command",
    "specification": "minisam.oracle.specification_command",
    "check": "minisam.oracle.check_command",
    "vectors": "minisam.oracle.vectors_command",
}
