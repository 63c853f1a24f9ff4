"""A microscope whose next look ends a sweep that is to be stopped."""

from __future__ import annotations

import threading
from typing import Any

from parfocal.focus_control.microscope import Microscope, MicroscopeError


class StoppedError(MicroscopeError):
    """A sweep or a stack was to end."""


class StoppableMicroscope:
    """A microscope for a sweep or a stack: whoever takes it goes back to its start where a look fails.

    Parameters
    ----------
    microscope : Microscope
    stopping : threading.Event
        Set where it is to end.
    """

    def __init__(self, microscope: Microscope, stopping: threading.Event) -> None:
        self._behind, self._stopping = microscope, stopping

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def snap(self) -> Any:
        """Take an image (y, x), unless it is to end (StoppedError)."""
        if self._stopping.is_set():
            raise StoppedError("stopped")
        return self._behind.snap()
