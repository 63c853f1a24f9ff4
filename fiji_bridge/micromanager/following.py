"""A core as a microscope that minds the acquisitions that run beside."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from parfocal.focus_control.microscope import CameraError, StageError

from .acquisition import RUNS, Acquisition, AcquisitionImages
from .calls import BoundedCalls
from .frames import image_yx
from .microscope import MMCoreMicroscope

# What the core may take to say whether a sequence runs: a camera that hangs may hold it up.
_ANSWER_S = 1.0
# What a pause of an acquisition must still have for a look, with its estimate and move, and for the move alone.
_PAUSE_TO_LOOK_S, _PAUSE_TO_MOVE_S, _POLL_S = 1.0, 0.5, 0.02


class FollowingMicroscope(MMCoreMicroscope):
    """A core as a microscope beside acquisitions.

    In live mode its frames are used. While an acquisition takes single images these are looked at, each once, and the
    stage is moved only while the acquisition sleeps between two time points. Where that cannot be, as in an acquisition
    that visits several positions, nothing is looked at or moved; let it focus by Parfocal itself, as its autofocus.

    Parameters
    ----------
    core : object
        As for `MMCoreMicroscope`.
    acquisition : Acquisition
        What runs beside.
    searching : callable
        Whether positions are searched through, which is refused between the images of an acquisition.
    thrown : tuple of type
        What asking for the acquisition raises.
    **options
        Of `MMCoreMicroscope`.
    """

    def __init__(
        self,
        core: Any,
        acquisition: Acquisition,
        searching: Callable[[], bool],
        thrown: tuple[type[Exception], ...],
        **options: Any,
    ) -> None:
        super().__init__(core, **options)
        self._acquisition, self._searching, self._thrown = acquisition, searching, thrown
        self._asking = BoundedCalls("studio")
        self._acquired = AcquisitionImages(acquisition, self._channel)

    def engaged(self) -> str:
        """Say why there is nothing to look at while an acquisition takes single images; empty where there is."""
        try:
            return str(self._ask(self._engagement))
        except (TimeoutError, *self._thrown):  # whatever is wrong, a look will say
            return ""

    def snap(self) -> np.ndarray:
        """Take an image (y, x); of an acquisition that takes single images its newest, where that was not taken yet."""
        try:
            if self._ask(self._can_follow):
                return self._ask(self._acquired_yx)
        except (TimeoutError, *self._thrown) as error:
            raise CameraError(f"asking Micro-Manager for an image: {error}") from error
        return super().snap()

    def move_to_um(self, z_um: float) -> None:
        """Move there; during an acquisition that is followed, in its next pause."""
        try:
            follows = self._ask(self._can_follow)
            if follows:
                self._wait_for_pause()
        except (TimeoutError, *self._thrown) as error:
            raise StageError(f"asking Micro-Manager for a pause: {error}") from error
        super().move_to_um(z_um)
        if follows:
            self._ask(self._acquired.pass_over)

    def _engagement(self) -> str:
        if not self._acquisition.takes_single_images():
            return ""
        if refusal := self._acquired.refusal():
            return refusal
        ready = self._acquired.has_new() and self._acquired.pause_s() >= _PAUSE_TO_LOOK_S
        return "" if ready else "waiting for an image of the acquisition"

    def _acquired_yx(self) -> np.ndarray:
        position_um = float(self._api.call("getPosition", self.focus_device))
        return image_yx(self._api, self._acquired.take(position_um))

    def _can_follow(self) -> bool:
        return self._acquisition.takes_single_images() and not self._acquired.refusal()

    def _wait_for_pause(self) -> None:
        if self._searching():
            raise StageError(f"{RUNS}: between its images no search can be made")
        until = time.monotonic() + self._stage_timeout_s
        while self._ask(self._can_follow) and self._ask(self._acquired.pause_s) < _PAUSE_TO_MOVE_S:
            if time.monotonic() > until:
                raise StageError(f"{RUNS}, and has made no pause to move in within {self._stage_timeout_s:g} s")
            time.sleep(_POLL_S)

    def _ask(self, act: Callable[[], Any]) -> Any:
        return self._asking("asking Micro-Manager", _ANSWER_S, act)
