"""Names of columns and settings, codes, and times as a person reads them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache

_HEADINGS = {
    "file": "File",
    "outcome": "Outcome",
    "plate": "Plate",
    "well": "Well",
    "site": "Site",
    "channel": "Channel",
    "time": "Time point",
    "defocus_level": "Defocus level (0\u00a0to\u00a010)",
    "certainty": "Certainty (0\u00a0to\u00a01)",
    "mean_certainty": "Mean certainty of patches (0\u00a0to\u00a01)",
    "probability": "Probability of defocus (0\u00a0to\u00a01)",
    "status": "Status",
    "warnings": "Warnings",
    "overlays": "Overlays drawn of",
    "previews": "Previews of restored images",
    "python": "Python",
    "parfocal": "Parfocal",
    "numpy": "NumPy",
    "onnxruntime": "ONNX Runtime",
    "dask": "Dask",
    "distributed": "Dask distributed",
    "inputs": "Images from",
    "folder": "Started in",
}
# Not those of the computer's language: a report is read elsewhere.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def heading(name: str) -> str:
    """Heading of a column or setting, with its unit."""
    return _HEADINGS.get(name) or _settings().get(name) or words(name).capitalize()


@lru_cache(maxsize=1)
def _settings() -> dict[str, str]:
    """Labels and units of the arguments of a screen, as its windows show them."""
    from parfocal.commands import command_spec
    from parfocal.screen.image import screen_image

    found = {}
    for parameter in command_spec(screen_image).parameters:
        label, unit = parameter.param.label, parameter.param.unit.replace("um", "\u00b5m")
        if label:
            found[parameter.name] = f"{label} ({unit})" if unit else label
    return found


def words(code: str) -> str:
    """A code (`no_content`), or several (`hot_pixels;partly_saturated`), in words."""
    return code.replace("_", " ").replace(";", ", ")


def moment(text: str) -> str:
    """A time, ISO 8601, as `26 Nov 2026, 13:05 UTC`; as it is where it is none."""
    known = _parsed(text)
    return str(text) if known is None else f"{_day(known)}, {_hour(known)} UTC"


def span(begun: str, ended: str) -> str:
    """From one time to another; of one day the date stands once."""
    first, last = _parsed(begun), _parsed(ended)
    if first is None or last is None or first.date() != last.date():
        return f"{moment(begun)}, to {moment(ended)}"
    return f"{_day(first)}, {_hour(first)} to {_hour(last)} UTC"


def between(begun: str, ended: str) -> timedelta:
    """Time from one time to another; none where either is unknown."""
    first, last = _parsed(begun), _parsed(ended)
    return timedelta() if first is None or last is None else max(last - first, timedelta())


def duration(time: timedelta) -> str:
    """A time span in the units that fit."""
    seconds = round(time.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"


def _parsed(text: str) -> datetime | None:
    try:
        known = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return known.astimezone(timezone.utc) if known.tzinfo else known.replace(tzinfo=timezone.utc)


def _day(known: datetime) -> str:
    return f"{known.day} {_MONTHS[known.month - 1]} {known.year}"


def _hour(known: datetime) -> str:
    return f"{known.hour:02d}:{known.minute:02d}"
