"""Tasks of a session that holds focus: the controller is in the worker, the microscope in Fiji's Java."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from parfocal.arguments import read_arguments
from parfocal.commands import CommandSpec, command_spec
from parfocal.focus_control.asked import SOURCES, Asked
from parfocal.focus_control.desk import FocusDesk
from parfocal.focus_control.seen import SeenFocus, number_texts, summary_line
from parfocal.worker.memory import read_array

from ..hold_charts import LEGEND, WIDTH_PX, told_charts
from ..hold_options import CALIBRATING, GROUPS, shown_label
from ..micromanager.remote import RemoteMicroscope, Requests

# Without a word of the host for so long it has gone: nothing can be moved any more.
_HOST_S, _POLL_S = 30.0, 1.0
_LONGEST_WAIT_S = 1.0


class Held:
    """The desk of this worker.

    Parameters
    ----------
    host_s : float
        Time without a word of the host after which a session ends.
    """

    def __init__(self, host_s: float = _HOST_S) -> None:
        self._host_s, self._heard_s = host_s, time.monotonic()
        self._requests = Requests()
        self._desk = FocusDesk(self._microscope, self._changed, "estimator=metric")
        self._arguments: dict[str, Any] = {}
        # The model that was calibrated last, and what is wrong with what was given last.
        self._model = self._wrong = ""
        self._watching = False

    def _microscope(self) -> RemoteMicroscope:
        return RemoteMicroscope(self._requests, lambda: self._desk.searching)

    def begin(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Read `arguments` of `HoldFocus`, `HoldingChoice` and `estimate_focal_position`; nothing is moved.

        The answer has what is `seen`, `legend` with colours by their meaning, and `width_px` of the charts; and the
        fields of `calibrating`, each with `name`, `label`, `help` and `text`.
        """
        self._heard_s = time.monotonic()
        self._arguments = _arguments(inputs.get("arguments"))
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="watch of the host", daemon=True).start()
        shown = {"legend": LEGEND, "width_px": WIDTH_PX, "calibrating": _calibrating()}
        return {"seen": self._seen(), **shown}

    def next(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Hand in `answers` and do `commands`; the next `requests`, and what is `seen` where that has changed.

        It waits for either as long as `wait_s` says. A request has a `number`, by which it is answered, the `thread` it
        comes from, the `name` of a method of the core and its `arguments`; an answer has a `value` or an `error`.
        """
        self._heard_s = time.monotonic()
        for answer in inputs.get("answers") or ():
            value = None if answer.get("error") else _value(answer.get("value"))
            self._requests.answer(int(answer["number"]), value, str(answer.get("error") or ""))
        for command in inputs.get("commands") or ():
            self._do(command)
        asked, news = self._requests.take(min(float(inputs.get("wait_s") or 0.0), _LONGEST_WAIT_S))
        return {"requests": asked, "seen": self._seen() if news else None}

    def _do(self, command: Mapping[str, Any]) -> None:
        acts = {"settings": self._set, "lock": self._lock, "calibrate": self._calibrate}
        plain = {"pause": self._desk.pause, "stop": self._desk.stop}
        name, given = command.get("name"), command.get("arguments")
        if name in plain:
            plain[name]()
            return
        if name not in acts:
            raise ValueError(f"command must be one of {', '.join([*acts, *plain])}, got {name!r}")
        self._wrong = ""
        self._enter_model()
        try:
            acts[name](given)
        except (TypeError, ValueError) as error:
            self._wrong = str(error)
            self._changed()

    def _set(self, given: Any) -> None:
        self._arguments = _arguments(given)
        # Another sample may be there.
        if not self._desk.begun:
            self._desk.forget()

    def _lock(self, given: Any) -> None:
        """By these arguments, or by those of before, and by what was learned since."""
        if given is not None:
            self._set(given)
        self._desk.lock(self._arguments)

    def _calibrate(self, given: Any) -> None:
        self._desk.calibrate({**self._arguments, **_arguments(given)})

    def _enter_model(self) -> None:
        """Hold by the model that was calibrated last, until another is given."""
        model = self._desk.seen.model
        if model != self._model:
            self._model = self._arguments["model"] = model

    def _seen(self) -> dict[str, Any]:
        seen = _told(self._desk)
        return {**seen, "told": self._wrong, "error": self._wrong} if self._wrong else seen

    def _changed(self) -> None:
        self._requests.tell()

    def _watch(self) -> None:
        """End what goes on where the host has gone."""
        while time.monotonic() - self._heard_s < self._host_s:
            time.sleep(min(_POLL_S, self._host_s / 4))
        self._desk.stop()
        self._requests.end(f"Fiji has not been heard of for {self._host_s:g} s")


def _arguments(given: Any) -> dict[str, Any]:
    """Arguments that differ from their defaults (ValueError, TypeError where one is wrong)."""
    spec = _spec()
    read = read_arguments(dict(given or {}), spec)
    chosen = {name: value for name, value in read.items() if value != spec.parameter(name).default}
    Asked.of(chosen)
    return chosen


def _spec() -> CommandSpec:
    specs = [command_spec(source) for source in SOURCES]
    parameters = {p.name: p for spec in reversed(specs) for p in spec.parameters}
    return replace(specs[1], name="hold_focus", parameters=tuple(parameters.values()))


def _calibrating() -> list[dict[str, str]]:
    parameters = (_spec().parameter(name) for name in GROUPS[CALIBRATING])
    return [
        {"name": p.name, "label": shown_label(p), "help": p.help, "text": "" if p.default is None else str(p.default)}
        for p in parameters
    ]


def _value(value: Any) -> Any:
    """What a method has given: pixels out of the memory of the host, an image with its tags, or as it came."""
    if not isinstance(value, Mapping):
        return value
    if "shm" in value:
        return read_array(value, "pixels")
    if "pix" not in value:
        return value
    return SimpleNamespace(pix=read_array(value["pix"], "pixels"), tags=dict(value["tags"]))


def _told(desk: FocusDesk) -> dict[str, Any]:
    seen: SeenFocus = desk.seen
    error = "" if seen.error is None else str(seen.error) or type(seen.error).__name__
    return {
        "state": f"{seen.state}, {seen.waits}" if seen.waits else seen.state,
        "begun": seen.begun,
        "held": seen.held,
        "waits": bool(seen.waits),
        "told": error or seen.advice or seen.told,
        "error": error,
        "care": bool(seen.advice),
        "numbers": number_texts(seen.looks[-1] if seen.looks else None),
        "charts": told_charts(seen),
        "model": seen.model,
        "summary": "" if desk.session is None or seen.begun else summary_line(desk.session.rows),
    }


_held = Held()
TASKS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {"hold_begin": _held.begin, "hold_next": _held.next}
