"""Adapters: the ways in which implementations meet the oracle."""
