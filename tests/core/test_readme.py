"""The quickstart of the README runs as pasted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_quickstart_runs_as_pasted_and_levels_rise_with_the_distance():
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    rows = re.findall(r"(\d+) um: level ([\d.]+), certainty ([\d.]+), ok", done.stdout)
    assert [int(distance) for distance, _, _ in rows] == [0, 4, 8, 16]
    levels = [float(level) for _, level, _ in rows]
    assert levels == sorted(levels)
    assert levels[0] < 2 < 6 < levels[-1]
