"""A session of labelling as keys lead it: what is seen, and what a key does. It knows no window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from parfocal.images.metadata import UnreadableImage
from parfocal.labels.agreement import summary_lines
from parfocal.labels.keys import ACTION_KEYS, GAMMAS, LABEL_KEYS, NAMES, PLANE_LOST, STACK_ANSWER
from parfocal.labels.rows import PLANE
from parfocal.labels.session import LabelSession, View


@dataclass(frozen=True)
class Seen:
    """What a window shows.

    Attributes
    ----------
    view : View or None
        The image; None where every image has been shown.
    plane : int
        Plane that is shown, from 0.
    picture_yx : ndarray or None
        Its pixels (y, x), uint8; None where there is nothing to see.
    pixels : bool
        Whether a pixel of the image is to be one of the screen; else the image fits the window.
    note : str
        What there is to say.
    lines : tuple of str
        What is to be read in place of the image.
    """

    view: Optional[View]
    plane: int = 0
    picture_yx: Optional[np.ndarray] = None
    pixels: bool = False
    note: str = ""
    lines: tuple[str, ...] = ()


class LabelDesk:
    """Does what keys ask of a session; for one thread at a time.

    Parameters
    ----------
    session : LabelSession

    Attributes
    ----------
    seen : Seen
        What is to be shown now.
    """

    def __init__(self, session: LabelSession) -> None:
        self.session = session
        self.seen = Seen(None)
        self._next()

    def press(self, key: str) -> Seen:
        """Do what a key asks for; a key without a meaning changes nothing.

        Parameters
        ----------
        key : str
            As browsers name it: `s`, `Enter`, `ArrowUp`; of letters the case does not count.
        """
        key = key.lower() if len(key) == 1 else key
        try:
            if key in LABEL_KEYS:
                self._answer(LABEL_KEYS[key])
            elif key in ACTION_KEYS:
                getattr(self, f"_{ACTION_KEYS[key]}")()
        except OSError as error:  # a full disk, or a table that another program holds
            self._say(f"The answer could not be written: {error}")
        return self.seen

    def show_plane(self, plane: int) -> Seen:
        """Go to a plane of the stack, to the last one where there are not so many."""
        view = self.seen.view
        if view is not None and view.n_planes > 1:
            self._show(view, min(max(plane, 0), view.n_planes - 1))
        return self.seen

    def _answer(self, label: str) -> None:
        view = self.seen.view
        if view is None or (view.n_planes == 1 and label == PLANE):
            return
        if self.seen.picture_yx is None:
            self._say(PLANE_LOST)
        elif view.n_planes > 1 and label in ("sharp", "defocused"):
            self._say(STACK_ANSWER)
        else:
            self.session.answer(view.number, label, self.seen.plane if label == PLANE else None)
            self._next()

    def _skip(self) -> None:
        if self.seen.view is not None:
            self.session.skip(self.seen.view.number)
            self._next()

    def _undo(self) -> None:
        if self.session.undo():
            self._next()
        else:
            self._say("There is nothing to undo in this session.")

    def _back(self) -> None:
        self.session.move(-1)
        self._next()

    def _forward(self) -> None:
        if self.seen.view is not None:
            self.session.move(1)
            self._next()

    def _pixels(self) -> None:
        self.seen = replace(self.seen, pixels=not self.seen.pixels)

    def _brighter(self) -> None:
        self._contrast(-1)

    def _darker(self) -> None:
        self._contrast(1)

    def _up(self) -> None:
        self.show_plane(self.seen.plane + 1)

    def _down(self) -> None:
        self.show_plane(self.seen.plane - 1)

    def _contrast(self, step: int) -> None:
        pictures = self.session.pictures
        pictures.gamma = GAMMAS[min(max(GAMMAS.index(pictures.gamma) + step, 0), len(GAMMAS) - 1)]
        if self.seen.view is not None:
            self._show(self.seen.view, self.seen.plane, self.seen.note)

    def _say(self, note: str) -> None:
        self.seen = replace(self.seen, note=note)

    def _next(self) -> None:
        """Show what the session shows now; the image after it is prepared meanwhile."""
        view = self.session.view()
        if view is None:
            lines = ("Every image has been shown. Z takes the last answer back.", *summary_lines(self.session.rows))
            self.seen = Seen(None, pixels=self.seen.pixels, lines=lines)
            return
        self._show(view, view.plane, _own_answer(view))
        coming = self.session.upcoming()
        if coming is not None:
            self.session.pictures.prepare(coming)

    def _show(self, view: View, plane: int, note: str = "") -> None:
        import imageio.v3 as iio

        picture_yx: Optional[np.ndarray] = None
        lines: tuple[str, ...] = ()
        pictures = self.session.pictures
        try:
            picture_yx = iio.imread(pictures.png(self.session.path_of(view.number), plane, pictures.gamma))
        except (UnreadableImage, OSError) as error:
            lines = (f"Plane {plane + 1} cannot be read.", str(error))
        self.seen = Seen(view, plane, picture_yx, self.seen.pixels, note, lines)


def _own_answer(view: View) -> str:
    if not view.label:
        return ""
    marked = f" {view.plane + 1}" if view.label == PLANE else ""
    return f"Your answer: {NAMES[view.label]}{marked}"
