"""What the control loop needs of a microscope, whatever drives it."""

from __future__ import annotations

from typing import Any, Optional, Protocol

import numpy as np


class MicroscopeError(RuntimeError):
    """Something of the microscope failed; the message says what it was doing."""


class CameraError(MicroscopeError):
    """No image: a time-out, an exception of the camera, a frame that cannot be used."""


class StageError(MicroscopeError):
    """A move that failed, or a position that cannot be read."""


class Microscope(Protocol):
    """A focus device and a camera. Positions in um, larger ones farther up (towards positive defocus).

    Where an attribute `by_offset` is there and true, positions are offsets of a hardware autofocus, which has limits of
    its own. Where a method `engaged` is there, the thread of a session takes no look while it names who else has the
    microscope; it is asked often, and must not raise.

    Every method returns within a bounded time; what takes longer is a time-out and raises. No method tries again: that
    is for the control loop to decide.
    """

    def z_um(self) -> float:
        """Read the position of the focus device (StageError where that fails)."""

    def move_to_um(self, z_um: float) -> None:
        """Move the focus device and wait until it says that it is there (StageError where it fails or is late)."""

    def snap(self) -> np.ndarray:
        """Take an image (y, x) in the focusing channel; the channel of before is restored (CameraError)."""

    def now_s(self) -> float:
        """Seconds of a clock that never goes back; of simulated time in a simulation."""

    def wait_s(self, seconds: float) -> None:
        """Let time pass."""

    def lock(self) -> Any:
        """Something that is the same for everything that drives the same hardware: one control loop each (hashable)."""


def check_microscope(microscope: Any) -> None:
    """Raise TypeError where something has not all that a microscope must do."""
    methods = ("z_um", "move_to_um", "snap", "now_s", "wait_s", "lock")
    missing = [name for name in methods if not callable(getattr(microscope, name, None))]
    if missing:
        raise TypeError(
            f"microscope must have {', '.join(methods)} (MMCoreMicroscope(core) makes one of a core), got"
            f" {type(microscope).__name__} without {', '.join(missing)}"
        )


class FieldStage(Protocol):
    """What moves the sample from field to field. Positions in um."""

    def xy_um(self) -> tuple[float, float]:
        """Read the position (StageError where that fails)."""

    def move_to_um(self, x_um: float, y_um: float) -> None:
        """Move, and wait until the stage says that it is there (StageError where it fails or is late)."""

    def field_um(self) -> Optional[tuple[float, float]]:
        """Width and height of the image in the sample; None where the pixel size is not known."""
