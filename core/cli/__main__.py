"""Runs the command line with `python -m parfocal.cli`."""

import sys

from parfocal.cli import main

if __name__ == "__main__":
    sys.exit(main())
