"""Run one function over a grid of settings: in parallel, resumable, each result kept in a file."""
