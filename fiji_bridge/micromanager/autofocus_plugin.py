"""Parfocal among the autofocus methods of Micro-Manager: called by its acquisitions and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import numpy as np

from parfocal.commands import command_spec
from parfocal.fiji_bridge.optional import need
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.desk import FocusDesk
from parfocal.focus_control.metrics import focus_score
from parfocal.focus_control.states import LOST

from .autofocus_properties import AutofocusProperties
from .studio import StudioMicroscope

NAME = "Parfocal"
_INTERFACE = "org.micromanager.AutofocusPlugin"


class AutofocusPlugin:
    """What Micro-Manager asks of an autofocus method, by its names.

    While the desk holds focus it is brought to the setpoint by that session; else the focal plane is found once, by
    `autofocus`, whose parameters are the properties. Where it is not found z is restored, and an exception says why.

    Parameters
    ----------
    studio
        Of Micro-Manager.
    desk : FocusDesk
    """

    def __init__(self, studio: Any, desk: FocusDesk) -> None:
        self._studio, self._desk = studio, desk
        self._properties = AutofocusProperties(NAME, self._java)
        self._images, self._status, self._score = 0, "not used yet", float("nan")

    def fullFocus(self) -> float:
        """Bring the sample into focus; the score of the image there."""
        return self._told(self._focus)

    def incrementalFocus(self) -> float:
        """Do the same: an estimate needs no steps."""
        return self.fullFocus()

    def getNumberOfImages(self) -> int:
        """Images that the last focusing took."""
        return self._images

    def getVerboseStatus(self) -> str:
        """How the last focusing ended."""
        return self._status

    def getCurrentFocusScore(self) -> float:
        """Score of an image that is taken now."""
        return self._told(lambda: self._score_of(self._microscope().snap()))

    def computeScore(self, processor: Any) -> float:
        """Score of an image of ImageJ."""
        from parfocal.fiji_bridge.images import pixels_of
        from parfocal.fiji_bridge.places import Place

        image = need("jpype").JClass("ij.ImagePlus")("", processor)
        pixels = pixels_of(image, (Place(1, 1, 1),))
        return self._score_of(pixels if pixels.ndim == 2 else pixels.mean(axis=-1))

    def enableContinuousFocus(self, enable: bool) -> None:
        """Hold focus as it was held last, or stop."""
        if not enable:
            self._desk.stop()
        elif not self._desk.begun:
            self._told(lambda: self._desk.begin(self._desk.arguments))

    def isContinuousFocusEnabled(self) -> bool:
        """Whether the desk holds focus."""
        return self._desk.held

    def isContinuousFocusLocked(self) -> bool:
        """Whether it is locked."""
        return self._desk.seen.state == "locked"

    def getPropertyNames(self) -> Any:
        """Names of the parameters of `autofocus`."""
        return self._properties.names()

    def getProperties(self) -> Any:
        """The parameters with their values."""
        return self._properties.items()

    def getProperty(self, key: str) -> Any:
        """One of them."""
        return self._told(lambda: self._properties.item(str(key)))

    def setProperty(self, item: Any) -> None:
        """Take the value of a property over."""
        self.setPropertyValue(str(item.name), str(item.value))

    def getPropertyValue(self, name: str) -> str:
        """Value as text; empty where nothing is given."""
        return self._told(lambda: self._properties.text(str(name)))

    def setPropertyValue(self, name: str, value: str) -> None:
        """Set a value, given as text."""
        self._told(lambda: self._properties.set(str(name), str(value)))

    def setContext(self, studio: Any) -> None:
        """Micro-Manager names its Studio."""
        self._studio = studio

    def initialize(self) -> None:
        """Nothing is kept of the hardware."""

    def applySettings(self) -> None:
        """They hold at once."""

    def saveSettings(self) -> None:
        """They end with Micro-Manager."""

    def getName(self) -> str:
        """Name in the list."""
        return NAME

    def getHelpText(self) -> str:
        """What it is."""
        return command_spec(autofocus).summary

    def getVersion(self) -> str:
        """Of Parfocal."""
        from importlib.metadata import version

        return version("parfocal")

    def getCopyright(self) -> str:
        """Licence."""
        return "BSD 3-clause"

    def _focus(self) -> float:
        microscope = self._microscope()
        session = self._desk.session
        if session is not None and self._desk.held:
            before = len(session.rows)
            row = session.settle()
            self._images = len(session.rows) - before
            self._status = f"{row['state']}: {row['reason'] or row['decision']}"
            if row["state"] == LOST:
                raise ValueError(f"focus is {self._status}")
        else:
            found = autofocus(microscope, self._desk.estimator, **self._properties.arguments)
            self._images, self._status = found.images, found.reason or f"in focus at {found.z_um:.2f} um"
            if not found.found:
                raise ValueError(f"the focal plane was not found, z is where it was: {found.reason}")
        return self._score_of(microscope.snap())

    def _microscope(self) -> StudioMicroscope:
        return StudioMicroscope(self._studio)

    def _score_of(self, image_yx: np.ndarray) -> float:
        metric = self._properties.arguments.get("metric", command_spec(autofocus).parameter("metric").default)
        return focus_score(image_yx, metric)

    def _java(self, name: str) -> Any:
        """A class as the loader of Micro-Manager has it."""
        loader = self._studio.getClass().getClassLoader()
        return need("jpype").JClass(need("jpype").JClass("java.lang.Class").forName(name, True, loader))

    def _told(self, act: Callable[[], Any]) -> Any:
        """Do it; an error of Python would reach Java without its text."""
        try:
            return act()
        except Exception as error:
            raise need("jpype").JClass("java.lang.Exception")(f"{NAME}: {error or type(error).__name__}") from error


def offer_autofocus(studio: Any, desk: FocusDesk) -> str:
    """Put Parfocal into the list of autofocus methods, where it is not yet; what was selected stays so.

    Micro-Manager itself takes plugins from files of classes alone: it is given to the method that these go through.

    Returns
    -------
    str
        Empty, or why it is not in the list.
    """
    manager = studio.getAutofocusManager()
    if NAME in map(str, manager.getAllAutofocusMethods()):
        return ""
    plugin = AutofocusPlugin(studio, desk)
    interface = plugin._java(_INTERFACE)
    plugins = studio.plugins()
    add: Optional[Any] = next(
        (m for m in plugins.getClass().getDeclaredMethods() if str(m.getName()) == "addPlugin"), None
    )
    if add is None:
        return "this Micro-Manager lists no other autofocus methods than its files"
    add.setAccessible(True)
    add.invoke(plugins, need("jpype").JProxy(interface, inst=plugin))
    manager.refresh()
    return ""
