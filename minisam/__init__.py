"""minisam."""
