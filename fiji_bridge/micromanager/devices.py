"""A camera and a stage in Python that play a sample, for demonstrations and tests without hardware.

They are loaded into a `UniMMCore` of pymmcore-plus with `core.loadPyDevice`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .optional import need

_unicore = need("pymmcore_plus.experimental.unicore")

STAGE_FAULTS = ("does not move", "moves by half", "overshoots", "reports late", "busy", "raises", "unreadable")
CAMERA_FAULTS = ("time-out", "raises", "black", "saturated", "other size")
_SHARES = {"does not move": 0.0, "moves by half": 0.5, "overshoots": 1.4}
_UNIT_EXPOSURE_MS = 10.0


class _Faulty:
    """Mixin: a fault that is switched on as property Fault of the device, or as an attribute."""

    _FAULTS: tuple[str, ...] = ()
    _fault = ""

    @property
    def fault(self) -> str:
        """What is wrong with the device now; empty for nothing."""
        return self._fault

    @fault.setter
    def fault(self, fault: str) -> None:
        if fault not in ("", *self._FAULTS):
            raise ValueError(f"fault must be empty or one of {', '.join(self._FAULTS)}, got {fault!r}")
        self._fault = fault

    def _register_fault(self) -> None:
        self.register_property(  # type: ignore[attr-defined]
            "Fault",
            default_value="",
            getter=lambda device: device.fault,
            setter=lambda device, value: setattr(device, "fault", value),
            allowed_values=("", *self._FAULTS),
        )


class PlayedStage(_Faulty, _unicore.StageDevice):  # type: ignore[name-defined, misc]
    """Focus device that is where it says, unless it has play or a fault is on.

    Parameters
    ----------
    z_um : float
        Position at the start.
    late_s : float
        How long the position of before is reported with the fault `reports late`.
    play_um : float
        Play, which it does not see: after a fall it is by so much above what it reports.
    """

    _FAULTS = STAGE_FAULTS

    def __init__(self, z_um: float = 0.0, late_s: float = 0.3, play_um: float = 0.0) -> None:
        super().__init__()
        # Where it truly is, whatever it reports.
        self.true_z_um = z_um
        # Every position that was commanded.
        self.commanded_um: list[float] = []
        self._play_um, self._slack = play_um, 0.0
        self._late_s, self._before, self._until = late_s, z_um, 0.0
        self._register_fault()

    def set_position_um(self, val: float) -> None:
        """Move, or do what the fault says."""
        self.commanded_um.append(float(val))
        if self.fault == "raises":
            raise RuntimeError("no answer from the controller of the stage")
        self._before = self.true_z_um - self._slack
        reported = self._before + _SHARES.get(self.fault, 1.0) * (float(val) - self._before)
        self.true_z_um = min(max(self.true_z_um, reported), reported + self._play_um)
        self._slack = self.true_z_um - reported
        self._until = time.monotonic() + self._late_s * (self.fault == "reports late")

    def get_position_um(self) -> float:
        """Report the position; of before for a while with `reports late`."""
        if self.fault == "unreadable":
            raise RuntimeError("the position cannot be read")
        return self._before if time.monotonic() < self._until else self.true_z_um - self._slack

    def busy(self) -> bool:
        """Whether it moves: with the fault `busy` for ever."""
        return self.fault == "busy"

    def home(self) -> None:
        """Go to 0."""
        self.set_position_um(0.0)

    def stop(self) -> None:
        """Nothing to stop: moves take no time."""

    def set_origin(self) -> None:
        """Call the present position 0."""
        self.true_z_um = self._before = self._slack = 0.0


class SampleCamera(_Faulty, _unicore.SimpleCameraDevice):  # type: ignore[name-defined, misc]
    """Camera that shows a sample at the position of a stage, with photon noise.

    Parameters
    ----------
    sample : callable
        Distance from the focal plane in um, positive above it, to an image (y, x), such as a `StackSample`.
    stage : PlayedStage
    focal_plane_z_um : callable
        Seconds since the camera was made to the position of the stage in which the sample is in focus: a drift.
    electrons_per_unit : float
        Photoelectrons that a value of 1 in the sample's image gives in an exposure of 10 ms.
    offset, read_noise : float
        Counts without light, and the standard deviation of reading; a count is an electron.
    exposure_ms : float
    seed : int
    """

    _FAULTS = CAMERA_FAULTS

    def __init__(
        self,
        sample: Callable[[float], np.ndarray],
        stage: PlayedStage,
        focal_plane_z_um: Callable[[float], float] = lambda seconds: 0.0,
        electrons_per_unit: float = 1.0,
        offset: float = 100.0,
        read_noise: float = 1.5,
        exposure_ms: float = 10.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self._sample, self._stage, self._focal_plane = sample, stage, focal_plane_z_um
        self._gain, self._offset, self._read_noise = electrons_per_unit, offset, read_noise
        self._exposure_ms = exposure_ms
        self._rng = np.random.default_rng(seed)
        self._start, self._freed = time.monotonic(), threading.Event()
        self._shape = sample(0.0).shape
        # Distance to the focal plane of the last image.
        self.last_defocus_um = float("nan")
        self._register_fault()

    @_Faulty.fault.setter  # type: ignore[attr-defined]
    def fault(self, fault: str) -> None:
        """Switch a fault on or off; an exposure that hangs ends with the fault."""
        _Faulty.fault.fset(self, fault)  # type: ignore[attr-defined]
        (self._freed.clear if fault == "time-out" else self._freed.set)()

    def sensor_shape(self) -> tuple[int, int]:
        """Size of the image (y, x); half as high with the fault `other size`."""
        height, width = self._shape
        return (height // 2 if self.fault == "other size" else height), width

    def dtype(self) -> Any:
        """Type of the counts."""
        return np.uint16

    def get_exposure(self) -> float:
        """Exposure in ms."""
        return self._exposure_ms

    def set_exposure(self, exposure: float) -> None:
        """Set the exposure in ms; it takes so long, and gives light in proportion."""
        self._exposure_ms = float(exposure)

    def snap(self, buffer: np.ndarray) -> Mapping[str, Any]:
        """Expose, or do what the fault says."""
        if self.fault == "time-out":
            self._freed.wait()
            raise RuntimeError("no frame came")
        if self.fault == "raises":
            raise RuntimeError("buffer overflow in the camera")
        time.sleep(self._exposure_ms / 1000)
        self.last_defocus_um = self._stage.true_z_um - self._focal_plane(time.monotonic() - self._start)
        buffer[:] = self._counts(self._sample(self.last_defocus_um))[: buffer.shape[0]]
        return {}

    def _counts(self, light: np.ndarray) -> np.ndarray:
        if self.fault == "saturated":
            return np.full(light.shape, 65535, np.uint16)
        lit = self.fault != "black"
        electrons = self._rng.poisson(lit * self._gain * self._exposure_ms / _UNIT_EXPOSURE_MS * light)
        counts = electrons + self._rng.normal(self._offset, self._read_noise, light.shape)
        return np.clip(np.rint(counts), 0, 65535)
