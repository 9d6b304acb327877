"""``python -m minisam``, for when the command ``minisam`` is not on the path."""

import os
import sys

if sys.path[:1] == [os.getcwd()] and sys.path[0] != os.path.dirname(os.path.dirname(__file__)):
    del sys.path[0]  # a file json.py beside a student's own is not Python's json

from minisam.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
