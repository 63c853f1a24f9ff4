"""What is known of a run: how it was made, and how to make it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.screen.record import read_record

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
        """When the run began and ended, as far as it is known."""
        return ", ".join(f"{name} {self.about[name]}" for name in ("begun", "ended") if self.about.get(name))

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
        told = [line for part in self.about if part != "models" for line in flattened(part, self.about[part])]
        return [*told, ("report written by", f"Parfocal {metadata.version('parfocal')}")]

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
        return read_record(folder)
    except (OSError, ValueError):
        return {}


def row_settings(rows: pd.DataFrame, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Settings of the measurement that rows state, with all their values where they are few."""
    found = []
    for name in names:
        values = [value for value in rows[name].dropna().drop_duplicates() if value != ""]
        if values:
            found.append((name, _few([f"{value:g}" if isinstance(value, float) else str(value) for value in values])))
    return tuple(found)


def flattened(name: str, value: Any) -> list[tuple[str, str]]:
    """Names and values of nested settings; a long list is cut."""
    if isinstance(value, dict):
        return [line for key, part in value.items() for line in flattened(f"{name}: {key}", part)]
    if isinstance(value, list):
        return [(name, _few([_text(each) for each in value]))] if value else []
    return [(name, _text(value))] if value not in (None, "") else []


def _few(texts: list[str]) -> str:
    more = f", and {len(texts) - _MOST_VALUES:,} more" if len(texts) > _MOST_VALUES else ""
    return ", ".join(texts[:_MOST_VALUES]) + more


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _option(name: str, value: Any) -> list[str]:
    """An argument as the command line takes it."""
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [] if value is None else [f"--{option}", str(value)]
