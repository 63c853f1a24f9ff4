"""Plugins > Parfocal > Label Images...: a session of labelling in a window of ImageJ."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jpype import JClass

from parfocal.labels.desk import LabelDesk, Seen
from parfocal.labels.session import LabelSession
from parfocal.labels.told import closing_lines, left_out_lines

from .imagej1 import fail, is_headless, log, on_event_queue
from .label_window import LabelWindow

TITLE = "Label Images"


def label_in_window(label_images: Callable[..., LabelSession], arguments: dict[str, Any]) -> None:
    """Begin a session of labelling; its window goes on by itself.

    Raises
    ------
    OSError
        Where there is no window to label in.
    FileNotFoundError, ValueError
        As `label_images` does.
    """
    if is_headless():
        raise OSError("labelling needs ImageJ's window, and this one was started without: use parfocal label")
    Labelling(label_images(**arguments))


class Labelling:
    """A session and its window, and the thread that reads images and writes answers while the window answers.

    Keys count only for an image that is seen: while the next one is on its way they are dropped.
    """

    def __init__(self, session: LabelSession) -> None:
        self._session = session
        self._hand = ThreadPoolExecutor(1, "labelling")
        self._busy = True
        self._hand.submit(self._guarded, self._open)

    def press(self, key: str) -> None:
        """Do what a key asks for."""
        self._begin(lambda: self._desk.press(key))

    def show_plane(self, plane: int) -> None:
        """Go to a plane of the stack."""
        self._begin(lambda: self._desk.show_plane(plane))

    def close(self) -> None:
        """End the session: the window has been closed."""
        self._busy = True
        self._hand.submit(self._guarded, self._end)
        self._hand.shutdown(wait=False)

    def _begin(self, act: Callable[[], Seen]) -> None:
        if not self._busy:
            self._busy = True
            self._hand.submit(self._guarded, lambda: self._show(act()))

    def _open(self) -> None:
        self._desk = LabelDesk(self._session)
        if self._desk.seen.view is not None:
            on_event_queue(lambda: self._guarded(self._open_window))
            return
        self._hand.shutdown(wait=False)
        JClass("ij.IJ").showMessage(TITLE, "\n".join(self._end()))

    def _open_window(self) -> None:
        self._window = LabelWindow(self)
        self._window.show(self._desk.seen, left_out_lines(self._session))
        self._busy = False

    def _show(self, seen: Seen) -> None:
        left_out = left_out_lines(self._session)

        def show() -> None:
            self._window.show(seen, left_out)
            self._busy = False

        on_event_queue(lambda: self._guarded(show))

    def _end(self) -> list[str]:
        """Close the files, and say what came out in ImageJ's log."""
        self._session.pictures.close()
        lines = closing_lines(self._desk)
        log([f"{TITLE}: {lines[0]}", *lines[1:]])
        return lines

    def _guarded(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:
            self._busy = False
            fail(TITLE, error)
