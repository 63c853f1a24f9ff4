"""Say how many defocused fields of the example were found, and how long sorting and restoring took.

python examples/screen/report.py OUTPUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

FLAG = "Metadata_Defocused_DNA"
MODULES = ("FlagDefocused", "RestoreDefocus")


def main(output: Path) -> None:
    """Hold the flags against the truth, and add up the time of the two modules."""
    found = pd.read_csv(output / "Image.csv")
    truth = pd.read_csv(output / "truth.csv").set_index("file")["level"]
    found = found[found["FileName_DNA"].isin(truth.index)]
    level = found["FileName_DNA"].map(truth)
    flagged, defocused = found[FLAG] == 1, level > 0
    restored = found["RestoreDefocus_Restored_DNARestored"] == 1
    print(f"{len(found)} fields, {int(defocused.sum())} of them out of focus")
    hits, alarms = int((flagged & defocused).sum()), int((flagged & ~defocused).sum())
    print(f"flagged: {hits} of {int(defocused.sum())}, falsely {alarms}")
    print(f"restored: {int(restored.sum())} of {int(flagged.sum())} flagged")
    for row in found[flagged & ~restored].to_dict("records"):
        print(f"  {row['FileName_DNA']} is as it was: {row['RestoreDefocus_Reason_DNARestored']}")
    times = [column for column in found if column.startswith("ExecutionTime_") and column[16:] in MODULES]
    print(f"sorting and restoring took {found[times].sum().sum():.1f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
