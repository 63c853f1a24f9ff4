"""The parts that a run was done in: one that is gone on with has a time of work for each, and none in between."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

from parfocal.screen.settings import RECORD, RESULTS

# How a part ended; of one that was killed nothing is known but when it last wrote something.
FINISHED, STOPPED, UNKNOWN = "finished", "stopped", "unknown"
Session = dict[str, Optional[str]]


def now() -> str:
    """Time now, ISO 8601 in UTC."""
    return _text(datetime.now(timezone.utc).timestamp())


def begun() -> Session:
    """A part that begins now."""
    return {"begun": now(), "ended": None, "how": None}


def ended(record: Mapping[str, Any], how: str) -> dict[str, Any]:
    """Record of a run whose last part ends now."""
    *others, last = record["sessions"]
    return {**record, "sessions": [*others, {**last, "ended": now(), "how": how}]}


def known_sessions(record: Mapping[str, Any], output: Path) -> list[Session]:
    """Parts of a run; one that has not told its end counts until it last wrote something.

    Parameters
    ----------
    record : mapping
    output : Path
        Output folder of the run.
    """
    sessions = list(record.get("sessions", ()))
    if sessions and sessions[-1]["ended"] is None:
        last = max(str(sessions[-1]["begun"]), _last_written(output))
        sessions[-1] = {**sessions[-1], "ended": last, "how": UNKNOWN}
    return sessions


def _last_written(output: Path) -> str:
    times = [path.stat().st_mtime for path in (output / RECORD, *(output / RESULTS).glob("part-*")) if path.exists()]
    return _text(max(times)) if times else ""


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
