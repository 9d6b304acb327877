"""The command line: one module for each subcommand, and what they have in common."""
