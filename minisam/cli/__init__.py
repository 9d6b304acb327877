"""The command line: one module for each subcommand, and what they have in common."""

from minisam.cli.main import build_parser

__all__ = ["build_parser"]
