"""``python -m minisam``, for when the command ``minisam`` is not on the path."""

import sys

from minisam.cli import main

if __name__ == "__main__":
    sys.exit(main())
