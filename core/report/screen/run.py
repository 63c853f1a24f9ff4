"""What is known of a run: how it was made, and how to make it again."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    import pandas as pd

RUN = "run.json"
# Longest list of values that is written out.
_MOST_VALUES = 5
_LONGEST_COMMAND = 4000


@dataclass(frozen=True)
class Run:
    """A run of `parfocal screen`, or a table of which nothing else is known.

    Attributes
    ----------
    name : str
        What the report is called after.
    about : dict
        Content of `run.json`; empty without one.
    settings : list of (name, value)
        Settings that the rows state.
    """

    name: str
    about: dict[str, Any] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def version(self) -> str:
        """Version of Parfocal that did the work; empty where it is not known."""
        return str(_section(self.about, "versions").get("parfocal", ""))

    @property
    def span(self) -> str:
        """When the run began and ended, as far as it is known."""
        return ", ".join(f"{name} {self.about[name]}" for name in ("begun", "ended") if self.about.get(name))

    @property
    def finished(self) -> bool:
        """Whether the run came to its end; also where nothing is known of it."""
        return not self.about or bool(self.about.get("ended"))

    @property
    def models(self) -> tuple[tuple[str, str], ...]:
        """Models by task, with name and checksum in one text."""
        return tuple(_model_line(task, told) for task, told in _pairs(self.about.get("models")))

    def lines(self) -> list[tuple[str, str]]:
        """All that is known, as names and values."""
        told = [
            (name, text) for part in self.about if part != "models" for name, text in flattened(part, self.about[part])
        ]
        return told + [("report written by", f"Parfocal {metadata.version('parfocal')}")]

    def command(self) -> str:
        """Command line that repeats the run; empty where it is not known."""
        given = self.about.get("command")
        if isinstance(given, list):
            return shlex.join(map(str, given))[:_LONGEST_COMMAND]
        return str(given or "")[:_LONGEST_COMMAND]


def read_run(folder: Path) -> dict[str, Any]:
    """Read `run.json` of a screen; empty where there is none, or it is damaged: the report is made all the same."""
    try:
        found = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def row_settings(rows: pd.DataFrame, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Settings of the measurement that rows state, with all their values where they are few."""
    found = []
    for name in names:
        values = rows[name].dropna().drop_duplicates()
        texts = [
            f"{value:g}" if isinstance(value, float) else str(value) for value in values[:_MOST_VALUES] if value != ""
        ]
        if texts:
            more = f", and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else ""
            found.append((name, ", ".join(texts) + more))
    return tuple(found)


def flattened(name: str, value: Any) -> list[tuple[str, str]]:
    """Names and values of nested settings; a long list is cut."""
    if isinstance(value, dict):
        return [line for key, part in value.items() for line in flattened(f"{name}: {key}", part)]
    if isinstance(value, list):
        shown = ", ".join(map(_text, value[:_MOST_VALUES]))
        return [(name, shown + (f", and {len(value) - _MOST_VALUES} more" if len(value) > _MOST_VALUES else ""))]
    return [(name, _text(value))] if value not in (None, "") else []


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _section(about: dict[str, Any], name: str) -> dict[str, Any]:
    found: Optional[Any] = about.get(name)
    return found if isinstance(found, dict) else {}


def _pairs(models: Any) -> list[tuple[str, Any]]:
    if isinstance(models, dict):
        return [(str(task), told) for task, told in models.items()]
    return [(str(told.get("task", "model")), told) for told in models or [] if isinstance(told, dict)]


def _model_line(task: str, told: Any) -> tuple[str, str]:
    if not isinstance(told, dict):
        return task.replace("_", " "), str(told)
    parts = [str(told.get("name", ""))] + [f"SHA-256 {told['sha256']}"] * bool(told.get("sha256"))
    return task.replace("_", " "), ", ".join(filter(None, parts))
