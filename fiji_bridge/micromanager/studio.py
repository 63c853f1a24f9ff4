"""Micro-Manager in the Java of this process: its Studio, and its core as a microscope that minds acquisitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Optional

from parfocal.fiji_bridge.optional import need
from parfocal.focus_control.microscope import MicroscopeError

from .following import FollowingMicroscope
from .studio_acquisition import StudioAcquisition

_STUDIO, _OLD_STUDIO = "org.micromanager.internal.MMStudio", "org.micromanager.MMStudio"
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


class StudioMicroscope(FollowingMicroscope):
    """The core of a Studio as a microscope that minds acquisitions.

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
        thrown = (need("jpype").JException,)
        super().__init__(core, StudioAcquisition(self.studio), searching, thrown, **options)


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
