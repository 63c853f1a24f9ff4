"""`parfocal screen` that stands still when so many files are done: the moment in which it is ended is certain.

    python screen_held.py COUNT before|after ARGUMENTS...

stands still before or after the rows of the last are written.
"""

from __future__ import annotations

import sys
import time

from parfocal.cli import main
from parfocal.screen.results import Results


def hold(count, moment):
    add = Results.add

    def held(results, rows):
        if moment == "after":
            add(results, rows)
        while len(results.done) >= count - (moment == "before"):
            time.sleep(0.05)
        if moment == "before":
            add(results, rows)

    Results.add = held


if __name__ == "__main__":
    hold(int(sys.argv[1]), sys.argv[2])
    sys.exit(main(["screen", *sys.argv[3:]]))
