"""Tasks of a session of labelling: the worker has the session, the host shows the images and passes on the keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

from parfocal.answers import completed
from parfocal.arguments import read_arguments
from parfocal.commands import command_spec
from parfocal.labels.command import label_images
from parfocal.labels.desk import LabelDesk
from parfocal.labels.keys import HELD_KEYS
from parfocal.labels.told import closing_lines, left_out_lines, window_texts
from parfocal.worker.memory import write_array


class Labelling:
    """The session of this worker, one at a time."""

    def __init__(self) -> None:
        self._desk: Optional[LabelDesk] = None

    def begin(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a session by the arguments of `label_images`; another one ends."""
        given = read_arguments(dict(inputs.get("arguments") or {}), command_spec(label_images))
        session = label_images(**completed(label_images, given, {}))
        self._close()
        self._desk = LabelDesk(session)
        return {**self._seen(), "held_keys": HELD_KEYS}

    def press(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a `key` asks for, named as browsers name it."""
        self._begun().press(str(inputs.get("key")))
        return self._seen()

    def plane(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Go to a `plane` of a stack, from 0."""
        self._begun().show_plane(int(inputs.get("plane") or 0))
        return self._seen()

    def picture(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Write what is shown into the memory of the host, `picture`, which has its size."""
        picture_yx = self._begun().seen.picture_yx
        if picture_yx is None:
            raise ValueError("there is no picture to be shown")
        write_array(inputs.get("picture") or {}, "picture", picture_yx)
        return {}

    def end(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """End the session; `lines` say what came out."""
        lines = closing_lines(self._begun())
        self._close()
        return {"lines": lines}

    def _close(self) -> None:
        if self._desk is not None:
            self._desk.session.pictures.close()
        self._desk = None

    def _begun(self) -> LabelDesk:
        if self._desk is None:
            raise ValueError("no session of labelling has begun: begin one")
        return self._desk

    def _seen(self) -> dict[str, Any]:
        desk = self._begun()
        seen, view = desk.seen, desk.seen.view
        height, width = (0, 0) if seen.picture_yx is None else seen.picture_yx.shape
        return {
            "number": None if view is None else view.number,
            "file": "" if view is None else view.file,
            "n_planes": 0 if view is None else view.n_planes,
            "plane": seen.plane,
            "height": height,
            "width": width,
            "pixels": seen.pixels,
            "lines": seen.lines,
            "texts": window_texts(seen, left_out_lines(desk.session)),
        }


_labelling = Labelling()
TASKS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "label_begin": _labelling.begin,
    "label_press": _labelling.press,
    "label_plane": _labelling.plane,
    "label_picture": _labelling.picture,
    "label_end": _labelling.end,
}
