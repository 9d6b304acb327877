"""Run code that is not trusted in a process of its own, within limits."""
