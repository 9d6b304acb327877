"""Find CIFAR's files or download them, read them in any of their formats, write them.

Start at `read`. `layouts` says what each version's files hold, `safe_pickle` why a pickle from
anywhere can do no harm.
"""
