"""`python -m vistune` is the `vistune` command.

Python puts the current folder first on the path for `-m`. It is taken away before anything is imported: it may be a folder
that somebody handed over, and a file called `numpy.py` in it is not NumPy.
"""

import sys

if not sys.flags.safe_path:
    del sys.path[0]

from vistune.cli import main

main()
