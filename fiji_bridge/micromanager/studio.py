"""Micro-Manager in the Java of this process: its Studio, and its core as a microscope that minds acquisitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

from parfocal.fiji_bridge.optional import need
from parfocal.focus_control.microscope import MicroscopeError

from .calls import BoundedCalls
from .microscope import MMCoreMicroscope

_STUDIO, _OLD_STUDIO = "org.micromanager.internal.MMStudio", "org.micromanager.MMStudio"
# What the core may take to say whether a sequence runs: a camera that hangs may hold it up.
_ANSWER_S = 1.0
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

    In live mode its frames are used. While an acquisition takes single images nothing is looked at or moved; let it
    focus by Parfocal itself, as its autofocus.

    Parameters
    ----------
    studio : optional
        By default the one that runs in this process.
    **options
        Of `MMCoreMicroscope`.

    Raises
    ------
    StudioError
        As `find_studio`, or where it has no core.
    StageError, CameraError, ValueError
        As `MMCoreMicroscope`.
    """

    def __init__(self, studio: Optional[Any] = None, **options: Any) -> None:
        self.studio = find_studio() if studio is None else studio
        core = self.studio.core()
        if core is None:
            raise StudioError("Micro-Manager has no core: it is being closed, or its libraries could not be loaded")
        super().__init__(core, **options)
        self._studio_calls = BoundedCalls("studio")

    def engaged(self) -> str:
        """Say where an acquisition takes single images, which nobody else may take or move the stage between."""
        try:
            acquiring = self._studio_calls("asking Micro-Manager", _ANSWER_S, self._takes_single_images)
        except (TimeoutError, need("jpype").JException):  # whatever is wrong, a look will say
            return ""
        return "an acquisition of Micro-Manager runs" if acquiring else ""

    def _takes_single_images(self) -> bool:
        if bool(self.core.isSequenceRunning()):
            return False
        return bool(self.studio.acquisitions().isAcquisitionRunning())


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
