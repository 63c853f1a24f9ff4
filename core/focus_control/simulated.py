"""A microscope in simulated time: a sample that drifts, and a focus device and a camera with faults to switch on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

from parfocal.focus_control.microscope import CameraError, StageError
from parfocal.focus_control.simulated_sample import Sample

STAGE_FAULTS = ("does not move", "moves by half", "overshoots", "reports late", "busy", "raises", "unreadable")
CAMERA_FAULTS = ("time-out", "raises", "not finite", "black", "other size")


@dataclass
class Faults:
    """Faults that are switched on: one of the stage, one of the camera; `light` off leaves the camera's offset."""

    stage: str = ""
    camera: str = ""
    light: bool = True


@dataclass
class SimulatedMicroscope:
    """Implements `Microscope`; time passes only by what is done with it.

    Attributes
    ----------
    sample : Sample
        What is seen, as a function of time and defocus.
    focal_plane : callable
        Seconds to the position of the focal plane, um.
    z : float
        True position of the focus device.
    faults : Faults
    commanded_um : list of float
        Every position that was ever commanded.
    visited_um : list of float
        Every position where the device truly was.
    backlash_um : float
        Play, which the device does not see: after a fall it is by so much above what it reports.
    """

    sample: Sample = field(default_factory=Sample)
    focal_plane: Callable[[float], float] = lambda time_s: 0.0
    z: float = 0.0
    faults: Faults = field(default_factory=Faults)
    backlash_um: float = 0.0
    exposure_s: float = 0.05
    move_s: float = 0.1
    late_s: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._now, self._lock = 0.0, object()
        self.commanded_um: list[float] = []
        self.visited_um: list[float] = [self.z]
        self.images = 0
        self.last_defocus_um = self.z - self.focal_plane(0.0)
        self.last_lit = True
        self._old_z, self._old_until_s = self.z, 0.0
        self._slack = 0.0

    def z_um(self) -> float:
        """Read the position; of before for a while where the device reports late."""
        if self.faults.stage == "unreadable":
            raise StageError("the position cannot be read")
        return self._old_z if self._now < self._old_until_s else self.z - self._slack

    def move_to_um(self, z_um: float) -> None:
        """Move, or do what the fault says."""
        self.commanded_um.append(float(z_um))
        self._now += self.move_s
        fault, before = self.faults.stage, self.z - self._slack
        if fault == "busy":
            raise StageError("time-out: the focus device is busy")
        if fault == "raises":
            raise RuntimeError("serial port: no answer")
        share = {"does not move": 0.0, "moves by half": 0.5, "overshoots": 1.4}.get(fault, 1.0)
        moved = before + share * (z_um - before)
        self.z = min(max(self.z, moved), moved + self.backlash_um)
        self._slack = self.z - moved
        self.visited_um.append(self.z)
        if fault == "reports late":
            self._old_z, self._old_until_s = before, self._now + self.late_s

    def snap(self) -> np.ndarray:
        """Take an image, or do what the fault says."""
        self._now += self.exposure_s
        fault = self.faults.camera
        if fault == "time-out":
            self._now += 5.0
            raise CameraError("time-out: no frame within 5 s")
        if fault == "raises":
            raise RuntimeError("camera: buffer overflow")
        self.images += 1
        self.last_lit = self.faults.light and fault != "black"
        self.last_defocus_um = self.z - self.focal_plane(self._now)
        image = self.sample.image(self.last_defocus_um, self._now, self.last_lit, self._rng)
        if fault == "not finite":
            return np.where(image > np.median(image), np.nan, image)
        return image[: image.shape[0] // 2] if fault == "other size" else image

    def now_s(self) -> float:
        """Simulated seconds."""
        return self._now

    def wait_s(self, seconds: float) -> None:
        """Let simulated time pass."""
        self._now += seconds

    def lock(self) -> Any:
        """The same for the same microscope."""
        return self._lock


def stepped(drift_um_h: float = 0.0, jumps: Optional[dict[float, float]] = None) -> Callable[[float], float]:
    """Focal plane that drifts evenly and jumps (seconds to um)."""
    steps = sorted((jumps or {}).items())

    def position(time_s: float) -> float:
        return drift_um_h * time_s / 3600.0 + sum(size for at_s, size in steps if time_s >= at_s)

    return position
