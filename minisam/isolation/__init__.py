"""Run code that is not trusted in another process, within limits."""
