"""Tables and folders as `parfocal screen` leaves them."""

from __future__ import annotations

import base64
import gzip
import json
import re

import pandas as pd

from parfocal.screen.record import new_record, write_record

_SCRIPT = "</script><script>window.hacked='script'</script>"
HOSTILE = f"<img src=x onerror=\"window.hacked='name'\">{_SCRIPT} \u00e4\u2603\U0001f52c.tif"


def screen_table(n=8, **columns):
    """Images on two wells of a plate with two channels each, the last of them without an answer."""
    numbers = range(n)
    table = pd.DataFrame(
        {
            "file": [f"plate/B{2 + i % 2:02d}_s1_w{i // 2 % 2 + 1}.tif" for i in numbers],
            "series": 0,
            "time": 0,
            "channel": [i // 2 % 2 for i in numbers],
            "channel_name": [("DNA", "actin")[i // 2 % 2] for i in numbers],
            "plate": "P1",
            "well": [f"B{2 + i % 2:02d}" for i in numbers],
            "site": "1",
            "defocus_level": [min(9.5, 1.25 * i) for i in numbers],
            "certainty": [0.9 - 0.05 * (i % 10) for i in numbers],
            "mean_certainty": 0.8,
            "answered": True,
            "status": "ok",
        }
    )
    for name, value in columns.items():
        table[name] = value
    last = table.index[-1:]
    table.loc[last, ["defocus_level", "certainty", "mean_certainty"]] = float("nan")
    table.loc[last, ["answered", "status", "reason"]] = [False, "blank", "every pixel is 7"]
    return table


SESSIONS = (
    {"begun": "2026-05-01T09:00:00+00:00", "ended": "2026-05-01T10:30:00+00:00", "how": "stopped"},
    {"begun": "2026-05-03T08:00:00+00:00", "ended": "2026-05-03T08:45:00+00:00", "how": "finished"},
)


def write_screen(folder, table, sessions=SESSIONS[1:]):
    (folder / "results").mkdir(parents=True)
    half = len(table) // 2
    table[:half].to_parquet(folder / "results" / "part-000001.parquet")
    table[half:].to_parquet(folder / "results" / "part-000002.parquet")
    models = {"focus_quality": ("default", "ab" * 32)}
    record = new_record({"pixel_size_um": 0.65, "restore": True}, {"overlays": "flagged"}, ["my plates"], models)
    write_record(folder, {**record, "sessions": list(sessions), "ended": sessions[-1]["ended"]})
    return folder


def unpacked(html):
    """What the page packs for its scripts."""
    text = re.search(r'id="packed">([^<]*)<', html)[1]
    return json.loads(gzip.decompress(base64.b64decode(text)))
