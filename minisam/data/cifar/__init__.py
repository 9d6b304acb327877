"""CIFAR's files: find or download them, read them whatever their format, write them.

`read` is where to begin; `layouts` says what is in each version's files, and `safe_pickle` why a
pickle from anywhere can do no harm.
"""
