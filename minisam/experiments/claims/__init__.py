"""The claims: one study a file, in the form that `minisam.experiments.study` describes."""
