"""A microscope behind any core with the MMCore API, for the control loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Optional

import numpy as np

from parfocal.focus_control.microscope import CameraError, MicroscopeError, StageError

from .calls import BoundedCalls
from .channel import ChannelSwitch, FocusChannel
from .continuous_focus import ContinuousFocus
from .core_api import CoreApi
from .frames import awaited_frame, snapped_frame


class MMCoreMicroscope:
    """Focus device and camera of a core, as `parfocal.focus_control` needs them.

    While continuous (hardware) focus is on and locked, positions are those of its offset and the focus device is left
    alone, unless that device can be moved under it. Which of the two holds is settled by the first use.

    Parameters
    ----------
    core : object
        Core of pymmcore, pymmcore-plus or Pycro-Manager, or Micro-Manager's Java core through JPype.
    channel : FocusChannel
        What looks are taken with; by default what is set.
    focus_device : str
        Label of the device to move; by default the focus device of the core.
    reversed_z : bool
        Whether larger positions of the focus device lie farther down. Positions are then given with the other sign.
    um_per_offset_unit : float
        Micrometres that one unit of the offset of the continuous focus moves the focal plane: few count in um.
    stage_timeout_s : float
        What the focus device may take to get ready, before and after a move each.
    camera_timeout_s : float
        What a look may take beyond its exposures, and the devices of the channel before and after it each.
    frames_to_skip : int
        Frames of a running sequence that are let pass after the call, since they began before it: the one in exposure,
        and the next at cameras that expose while they read out.

    Raises
    ------
    StageError, CameraError
        Where there is no focus device or no camera; the message names the devices there are.
    ValueError
        Where the channel names what the core does not have.
    """

    def __init__(
        self,
        core: Any,
        channel: Optional[FocusChannel] = None,
        focus_device: str = "",
        reversed_z: bool = False,
        um_per_offset_unit: float = 1.0,
        stage_timeout_s: float = 10.0,
        camera_timeout_s: float = 10.0,
        frames_to_skip: int = 2,
    ) -> None:
        self.core, self._api = core, CoreApi(core)
        _check(um_per_offset_unit, stage_timeout_s, camera_timeout_s, frames_to_skip)
        self._sign = -1.0 if reversed_z else 1.0
        self._stage_timeout_s, self._camera_timeout_s = stage_timeout_s, camera_timeout_s
        self._frames_to_skip = frames_to_skip
        self.focus_device = _focus_device(self._api, focus_device)
        self.camera = _camera(self._api)
        self._channel = channel
        if channel is not None:
            channel.check(self._api)
        self._switch = None if channel is None else ChannelSwitch(self._api, channel, camera_timeout_s)
        self._continuous = ContinuousFocus(self._api, self.focus_device, um_per_offset_unit, stage_timeout_s)
        # Apart, so that a camera that hangs does not keep the stage from being moved to safety.
        self._stage_calls, self._camera_calls = BoundedCalls("stage"), BoundedCalls("camera")

    @property
    def by_offset(self) -> bool:
        """Whether positions are those of the offset of a continuous focus; known from the first use on."""
        return self._continuous.by_offset

    def z_um(self) -> float:
        """Read the position of the focus device, or of the offset of the continuous focus."""
        return float(self._stage("reading the position of", self._read))

    def move_to_um(self, z_um: float) -> None:
        """Move there, and wait until the device says that it is ready."""
        if not np.isfinite(z_um):
            raise StageError(f"a position must be a finite number, got {z_um!r}")
        self._stage(f"the move to {z_um:.3f} um of", self._move, float(z_um))

    def snap(self) -> np.ndarray:
        """Take an image (y, x), or the first frame of a running sequence that was begun after the call."""
        try:
            exposure_s = self._camera_calls("asking for the exposure", self._camera_timeout_s, self._exposure_s)
            frame_s = self._camera_timeout_s + exposure_s * (self._frames_to_skip + 2)
            # Longer than the waits within, which say more when they fail.
            allowed_s = frame_s + self._camera_timeout_s * (1 if self._switch is None else 3)
            return self._camera_calls(f"a look through {self.camera}", allowed_s, self._look, frame_s)
        except MicroscopeError:
            raise
        except Exception as error:
            raise CameraError(_told(error)) from error

    def now_s(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    def wait_s(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(max(0.0, seconds))

    def lock(self) -> Any:
        """Same for every wrapper of the same core in this process."""
        return self._api.identity()

    def _stage(self, what: str, act: Callable[..., Any], *arguments: Any) -> Any:
        try:
            # Long enough for the waits within, which say more when they fail.
            allowed_s = 2 * self._stage_timeout_s + 1
            return self._stage_calls(f"{what} {self.focus_device}", allowed_s, act, *arguments)
        except MicroscopeError:
            raise
        except Exception as error:
            raise StageError(_told(error)) from error

    def _read(self) -> float:
        if self._continuous.is_moved():
            return self._continuous.offset_um()
        self._api.wait_until_ready(self.focus_device, self._stage_timeout_s)
        return self._sign * float(self._api.call("getPosition", self.focus_device))

    def _move(self, z_um: float) -> None:
        if self._continuous.is_moved():
            self._continuous.move_to_um(z_um)
            return
        self._api.wait_until_ready(self.focus_device, self._stage_timeout_s)
        self._api.call("setPosition", self.focus_device, self._sign * z_um)
        self._api.wait_until_ready(self.focus_device, self._stage_timeout_s)

    def _exposure_s(self) -> float:
        given = None if self._channel is None else self._channel.exposure_ms
        return (float(self._api.call("getExposure")) if given is None else given) / 1000

    def _look(self, frame_s: float) -> np.ndarray:
        if bool(self._api.call("isSequenceRunning")):
            if self._switch is not None and self._switch.changes_anything():
                raise CameraError("a sequence runs in another channel than the focusing channel: nothing was switched")
            return awaited_frame(self._api, self._frames_to_skip, frame_s)
        with self._switch or nullcontext():
            self._api.wait_until_ready(self.camera, self._camera_timeout_s)
            self._api.call("snapImage")
            return snapped_frame(self._api)


def _check(um_per_offset_unit: float, stage_timeout_s: float, camera_timeout_s: float, frames_to_skip: int) -> None:
    if not np.isfinite(um_per_offset_unit) or um_per_offset_unit == 0:
        raise ValueError(f"um_per_offset_unit must be a number other than 0, got {um_per_offset_unit!r}")
    for name, value in (("stage_timeout_s", stage_timeout_s), ("camera_timeout_s", camera_timeout_s)):
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be above 0 s and finite, got {value!r}")
    if frames_to_skip < 0:
        raise ValueError(f"frames_to_skip must be at least 0, got {frames_to_skip!r}")


def _focus_device(api: CoreApi, given: str) -> str:
    devices = api.texts("getLoadedDevices")
    device = given or api.text("getFocusDevice")
    if not device:
        raise StageError(f"the core has no focus device; its devices: {_listed(devices)}")
    if device not in devices:
        raise StageError(f"no device {device!r} to focus with; there are {_listed(devices)}")
    return device


def _camera(api: CoreApi) -> str:
    camera = api.text("getCameraDevice")
    if not camera:
        raise CameraError(f"the core has no camera; its devices: {_listed(api.texts('getLoadedDevices'))}")
    return camera


def _listed(devices: list[str]) -> str:
    return ", ".join(device for device in devices if device != "Core") or "none"


def _told(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
