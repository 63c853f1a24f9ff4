"""Micro-Manager in the Java of this process: its Studio, and its core as a microscope that minds acquisitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Optional

import numpy as np

from parfocal.fiji_bridge.optional import need
from parfocal.focus_control.microscope import CameraError, MicroscopeError, StageError

from .acquisition import RUNS, AcquisitionImages
from .calls import BoundedCalls
from .frames import image_yx
from .microscope import MMCoreMicroscope

_STUDIO, _OLD_STUDIO = "org.micromanager.internal.MMStudio", "org.micromanager.MMStudio"
# What the core may take to say whether a sequence runs: a camera that hangs may hold it up.
_ANSWER_S = 1.0
# What a pause of an acquisition must still have for a look, with its estimate and move, and for the move alone.
_PAUSE_TO_LOOK_S, _PAUSE_TO_MOVE_S, _POLL_S = 1.0, 0.5, 0.02
_ELSE = "or hold focus without ImageJ: parfocal hold-focus --config MMConfig.cfg"


class StudioError(MicroscopeError):
    """There is no Micro-Manager to be used; the message says what to do."""


def find_studio() -> Any:
    """Find the Studio of the Micro-Manager that runs in this process.

    Raises
    ------
    StudioError
        Where there is no Java, no Micro-Manager, or it has not been started, or is another than version 2.
    """
    if not need("jpype").isJVMStarted():
        raise StudioError("no Java runs in this process: start the ImageJ that has Micro-Manager first (parfocal fiji)")
    classes = list(_found(_STUDIO))
    if not classes:
        if list(_found(_OLD_STUDIO)):
            raise StudioError(f"this is Micro-Manager 1: version 2 is needed; install that, {_ELSE}")
        raise StudioError(
            "Micro-Manager is not in this ImageJ: put its folder plugins/Micro-Manager into that of this Fiji and start"
            f" again, {_ELSE}"
        )
    for studio in filter(None, map(_instance, classes)):
        return studio
    raise StudioError("Micro-Manager has not been started: Plugins > Micro-Manager Studio, then try again")


class StudioMicroscope(MMCoreMicroscope):
    """The core of a Studio as a microscope.

    In live mode its frames are used. While an acquisition takes single images these are looked at, each once, and the
    stage is moved only while the acquisition sleeps between two time points. Where that cannot be, as in an acquisition
    that visits several positions, nothing is looked at or moved; let it focus by Parfocal itself, as its autofocus.

    Parameters
    ----------
    studio : optional
        By default the one that runs in this process.
    searching : callable, optional
        Whether positions are searched through, which is refused between the images of an acquisition.
    **options
        Of `MMCoreMicroscope`.

    Raises
    ------
    StudioError
        As `find_studio`, or where it has no core.
    StageError, CameraError, ValueError
        As `MMCoreMicroscope`.
    """

    def __init__(
        self, studio: Optional[Any] = None, searching: Callable[[], bool] = lambda: False, **options: Any
    ) -> None:
        self.studio = find_studio() if studio is None else studio
        core = self.studio.core()
        if core is None:
            raise StudioError("Micro-Manager has no core: it is being closed, or its libraries could not be loaded")
        super().__init__(core, **options)
        self._searching = searching
        self._studio_calls = BoundedCalls("studio")
        self._acquired = AcquisitionImages(self.studio, self._channel)

    def engaged(self) -> str:
        """Say why there is nothing to look at while an acquisition takes single images; empty where there is."""
        try:
            return str(self._ask(self._engagement))
        except (TimeoutError, need("jpype").JException):  # whatever is wrong, a look will say
            return ""

    def snap(self) -> np.ndarray:
        """Take an image (y, x); of an acquisition that takes single images its newest, where that was not taken yet."""
        try:
            if self._ask(self._can_follow):
                return self._ask(self._acquired_yx)
        except (TimeoutError, need("jpype").JException) as error:
            raise CameraError(f"asking Micro-Manager for an image: {error}") from error
        return super().snap()

    def move_to_um(self, z_um: float) -> None:
        """Move there; during an acquisition that is followed, in its next pause."""
        try:
            follows = self._ask(self._can_follow)
            if follows:
                self._wait_for_pause()
        except (TimeoutError, need("jpype").JException) as error:
            raise StageError(f"asking Micro-Manager for a pause: {error}") from error
        super().move_to_um(z_um)
        if follows:
            self._ask(self._acquired.pass_over)

    def _engagement(self) -> str:
        if not self._takes_single_images():
            return ""
        if refusal := self._acquired.refusal():
            return refusal
        ready = self._acquired.has_new() and self._acquired.pause_s() >= _PAUSE_TO_LOOK_S
        return "" if ready else "waiting for an image of the acquisition"

    def _acquired_yx(self) -> np.ndarray:
        position_um = float(self._api.call("getPosition", self.focus_device))
        return image_yx(self._api, self._acquired.take(position_um))

    def _can_follow(self) -> bool:
        return self._takes_single_images() and not self._acquired.refusal()

    def _takes_single_images(self) -> bool:
        if bool(self.core.isSequenceRunning()):
            return False
        return bool(self.studio.acquisitions().isAcquisitionRunning())

    def _wait_for_pause(self) -> None:
        if self._searching():
            raise StageError(f"{RUNS}: between its images no search can be made")
        until = time.monotonic() + self._stage_timeout_s
        while self._ask(self._can_follow) and self._ask(self._acquired.pause_s) < _PAUSE_TO_MOVE_S:
            if time.monotonic() > until:
                raise StageError(f"{RUNS}, and has made no pause to move in within {self._stage_timeout_s:g} s")
            time.sleep(_POLL_S)

    def _ask(self, act: Callable[[], Any]) -> Any:
        return self._studio_calls("asking Micro-Manager", _ANSWER_S, act)


def _found(name: str) -> Iterator[Any]:
    """The class as Java has it, and as ImageJ's own loader has it, where plugins are."""
    jclass = need("jpype").JClass
    for load in (lambda: jclass(name), lambda: jclass(jclass("ij.IJ").getClassLoader().loadClass(name))):
        try:
            yield load()
        except (TypeError, AttributeError, need("jpype").JException):  # no such class, or no loader
            continue


def _instance(found: Any) -> Any:
    try:
        return found.getInstance()
    except AttributeError:
        raise StudioError("Micro-Manager is of another version than 2: MMStudio has no getInstance") from None
