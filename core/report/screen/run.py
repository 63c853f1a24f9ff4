"""What is known of a run: how it was made, and how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.focus_quality.measure import MODALITIES
from parfocal.report.screen.headlines import times
from parfocal.report.screen.words import between, duration, heading, span, words
from parfocal.screen.record import read_record
from parfocal.screen.sessions import UNKNOWN, known_sessions

if TYPE_CHECKING:
    import pandas as pd

# Longest list of values that is written out.
_MOST_VALUES = 5


@dataclass(frozen=True)
class ModelName:
    """A model by its name and the SHA-256 of its weights."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Run:
    """A run of `parfocal screen`, or a table of which nothing else is known.

    Attributes
    ----------
    name : str
        What the report is called after.
    about : dict
        Content of `run.json`; empty without one.
    settings : tuple of (name, value)
        Settings that the rows state.
    """

    name: str
    about: dict[str, Any] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def version(self) -> str:
        """Version of Parfocal that did the work; empty where it is not known."""
        return str(self.about.get("versions", {}).get("parfocal", ""))

    @property
    def span(self) -> str:
        """When the run was at work, and for how long where it was gone on with; as far as it is known."""
        parts = self._sessions()
        if not parts:
            return ""
        first, last = str(parts[0]["begun"]), str(parts[-1]["ended"])
        if len(parts) == 1:
            return f"{span(first, last)}, {self._at_work()} at work"
        return f"{span(first, last)}, gone on with {times(len(parts) - 1)}, {self._at_work()} at work"

    def _sessions(self) -> list[dict[str, Any]]:
        return list(self.about.get("sessions", ()))

    def _at_work(self) -> str:
        return duration(sum((between(part["begun"], part["ended"]) for part in self._sessions()), timedelta()))

    @property
    def finished(self) -> bool:
        """Whether the run came to its end; also where nothing is known of it."""
        return not self.about or bool(self.about.get("ended"))

    @property
    def models(self) -> list[tuple[str, ModelName]]:
        """Models by their task in words."""
        told = self.about.get("models", {})
        return [(task.replace("_", " "), ModelName(str(of["name"]), str(of["sha256"]))) for task, of in told.items()]

    def lines(self) -> list[tuple[str, str]]:
        """All else that is known, as names and values."""
        if not self.about:
            return [_written_by()]
        settings = {**self.about["arguments"], **self.about.get("options", {})}
        versions = {heading(name): number for name, number in self.about.get("versions", {}).items()}
        told = [
            *((heading(name), _text(value)) for name, value in settings.items()),
            *((name, str(number)) for name, number in versions.items()),
            (heading("inputs"), _few([str(path) for path in self.about["inputs"]])),
            *((f"Part {number}", _in_words(part)) for number, part in enumerate(self._sessions(), 1)),
            ("Time at work", self._at_work() if self._sessions() else ""),
        ]
        return [*(line for line in told if line[1]), _written_by()]

    def command(self) -> str:
        """Command line that repeats the run; empty where it is not known."""
        if not self.about:
            return ""
        given = {**self.about["arguments"], **self.about.get("options", {})}
        words = [word for name, value in given.items() for word in _option(name, value)]
        return shlex.join(["parfocal", "screen", *map(str, self.about["inputs"]), "-o", "OUT", *words])


def read_run(folder: Path) -> dict[str, Any]:
    """Read the record of a screen; empty where there is none, or it is damaged: the report is made all the same."""
    try:
        record = read_record(folder)
        return {**record, "sessions": known_sessions(record, folder)}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def row_settings(rows: pd.DataFrame, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Settings of the measurement that rows state, with all their values where they are few."""
    found = []
    for name in names:
        values = [value for value in rows[name].dropna().drop_duplicates() if value != ""]
        if values:
            texts = [f"{value:g}" if isinstance(value, float) else words(str(value)) for value in values]
            found.append((heading(name), _few(texts)))
    return tuple(found)


def _in_words(session: dict[str, Any]) -> str:
    """When a part of a run was at work, and how it ended."""
    how = "no end is recorded: it is still at work, or was killed; this is when it last wrote something"
    return f"{span(session['begun'], session['ended'])} ({how if session['how'] == UNKNOWN else session['how']})"


def _written_by() -> tuple[str, str]:
    return "Report written by", f"Parfocal {metadata.version('parfocal')}"


def _few(texts: list[str]) -> str:
    more = f", and {len(texts) - _MOST_VALUES:,} more" if len(texts) > _MOST_VALUES else ""
    return ", ".join(texts[:_MOST_VALUES]) + more


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else words(value) if value in MODALITIES else str(value)


def _option(name: str, value: Any) -> list[str]:
    """An argument as the command line takes it."""
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [] if value is None else [f"--{option}", str(value)]
