"""The offset of a continuous (hardware) focus, moved in place of the focus device while that focus is on."""

from __future__ import annotations

import time
from typing import Optional

from parfocal.focus_control.microscope import StageError

from .core_api import CoreApi

_POLL_S = 0.002


class ContinuousFocus:
    """Continuous focus of a core. Whether it is what is moved is settled by the first question.

    Parameters
    ----------
    api : CoreApi
    focus_device : str
        Moved instead where it can be moved under the continuous focus.
    um_per_unit : float
        Micrometres that one unit of the offset moves the focal plane.
    timeout_s : float
        What it may take to lock again after a move.
    """

    def __init__(self, api: CoreApi, focus_device: str, um_per_unit: float, timeout_s: float) -> None:
        self._api, self._focus_device = api, focus_device
        self._um_per_unit, self._timeout_s = um_per_unit, timeout_s
        self._was_moved: Optional[bool] = None

    @property
    def by_offset(self) -> bool:
        """Whether positions are offsets, as far as it was asked for."""
        return bool(self._was_moved)

    def is_moved(self) -> bool:
        """Whether the offset is to be moved; StageError where that cannot be, or has changed since the first time."""
        api = self._api
        enabled = bool(api.call("isContinuousFocusEnabled"))
        moved = enabled and not bool(api.call("isContinuousFocusDrive", self._focus_device))
        if self._was_moved is None:
            self._was_moved = moved
        if moved != self._was_moved:
            now, then = ("on", "off") if moved else ("off", "on")
            raise StageError(f"continuous focus was {then} at the start and is {now} now: start again for it to count")
        if moved and not bool(api.call("isContinuousFocusLocked")):
            device = api.text("getAutoFocusDevice")
            raise StageError(f"continuous focus ({device}) is on but not locked: lock it, or switch it off")
        return moved

    def offset_um(self) -> float:
        """Read the offset."""
        return float(self._api.call("getAutoFocusOffset")) * self._um_per_unit

    def move_to_um(self, offset_um: float) -> None:
        """Set the offset; one at which the lock is lost is taken back, for nothing could be moved without it."""
        before = float(self._api.call("getAutoFocusOffset"))
        self._api.call("setAutoFocusOffset", offset_um / self._um_per_unit)
        try:
            self._wait_for_lock()
        except StageError as error:
            self._api.call("setAutoFocusOffset", before)
            raise StageError(f"{error}: the offset of before, {before:g}, was restored") from None

    def _wait_for_lock(self) -> None:
        until = time.monotonic() + self._timeout_s
        while not bool(self._api.call("isContinuousFocusLocked")):
            if time.monotonic() > until:
                raise StageError(f"continuous focus has not locked again within {self._timeout_s:g} s")
            time.sleep(_POLL_S)
