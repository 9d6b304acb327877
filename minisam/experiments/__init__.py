"""One file per claim of the paper, each something one can run."""
