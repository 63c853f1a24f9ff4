"""The XY stage behind any core with the MMCore API."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from parfocal.focus_control.microscope import MicroscopeError, StageError

from .calls import BoundedCalls
from .core_api import CoreApi


class MMCoreXYStage:
    """XY stage of a core, as `parfocal.focus_control.fields` needs it.

    Parameters
    ----------
    core : object
        As for `MMCoreMicroscope`.
    device : str
        Label of the stage; by default the XY stage of the core.
    timeout_s : float
        What the stage may take to get ready, before and after a move each.

    Raises
    ------
    StageError
        Where the core has no such device.
    ValueError
        Where the time is not above 0.
    """

    def __init__(self, core: Any, device: str = "", timeout_s: float = 30.0) -> None:
        self._api = CoreApi(core)
        if not 0 < timeout_s < float("inf"):
            raise ValueError(f"timeout_s must be above 0 s and finite, got {timeout_s!r}")
        self.device = device or self._api.text("getXYStageDevice")
        devices = self._api.texts("getLoadedDevices")
        if self.device not in devices:
            missing = f"no XY stage {self.device!r}" if self.device else "the core has no XY stage"
            raise StageError(f"{missing}; its devices: {', '.join(d for d in devices if d != 'Core') or 'none'}")
        self._timeout_s, self._calls = timeout_s, BoundedCalls("xy stage")

    def xy_um(self) -> tuple[float, float]:
        """Read the position."""
        x_um, y_um = self._call("reading the position of", self._read)
        return x_um, y_um

    def move_to_um(self, x_um: float, y_um: float) -> None:
        """Move there, and wait until the stage says that it is ready."""
        if not np.isfinite([x_um, y_um]).all():
            raise StageError(f"a position must be two finite numbers, got {x_um!r}, {y_um!r}")
        self._call(f"the move to {x_um:.1f}, {y_um:.1f} um of", self._move, float(x_um), float(y_um))

    def field_um(self) -> Optional[tuple[float, float]]:
        """Width and height of the image in the sample; None where the core has no pixel size."""
        pixel_um = float(self._api.call("getPixelSizeUm"))
        if not pixel_um > 0:
            return None
        return pixel_um * int(self._api.call("getImageWidth")), pixel_um * int(self._api.call("getImageHeight"))

    def _read(self) -> tuple[float, float]:
        self._api.wait_until_ready(self.device, self._timeout_s)
        # Java's core gives both at once only into arrays.
        return float(self._api.call("getXPosition", self.device)), float(self._api.call("getYPosition", self.device))

    def _move(self, x_um: float, y_um: float) -> None:
        self._api.wait_until_ready(self.device, self._timeout_s)
        self._api.call("setXYPosition", self.device, x_um, y_um)
        self._api.wait_until_ready(self.device, self._timeout_s)

    def _call(self, what: str, act: Any, *arguments: Any) -> Any:
        try:
            return self._calls(f"{what} {self.device}", 2 * self._timeout_s + 1, act, *arguments)
        except MicroscopeError:
            raise
        except Exception as error:  # a Java exception as well
            raise StageError(" ".join(str(error).split()) or type(error).__name__) from error
