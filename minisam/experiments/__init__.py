"""Every claim of the paper as something one can run, and what runs it."""
