"""The focusing channel: switched to for a look, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Optional

from parfocal.focus_control.microscope import CameraError

from .core_api import CoreApi


@dataclass(frozen=True)
class FocusChannel:
    """What a look at the sample is taken with; what is not given stays as it is.

    Attributes
    ----------
    group, preset : str
        Preset of a configuration group, such as Channel and DAPI.
    exposure_ms : float
        Exposure of the look.
    shutter : str
        Shutter that is opened for the look, by the core's automatic shutter.
    properties : tuple of (device, property, value)
        Set after the preset, such as the power of a lamp.
    """

    group: str = ""
    preset: str = ""
    exposure_ms: Optional[float] = None
    shutter: str = ""
    properties: tuple[tuple[str, str, str], ...] = ()

    def check(self, api: CoreApi) -> None:
        """Raise ValueError, with what there is, where a name is unknown to the core or a value impossible."""
        if bool(self.group) != bool(self.preset):
            raise ValueError(f"group and preset go together, got {self.group!r} and {self.preset!r}")
        if self.group:
            _check_name("group", self.group, api.texts("getAvailableConfigGroups"))
            _check_name(f"preset of {self.group}", self.preset, api.texts("getAvailableConfigs", self.group))
        if self.exposure_ms is not None and not self.exposure_ms > 0:
            raise ValueError(f"exposure_ms must be above 0, got {self.exposure_ms!r}")
        devices = api.texts("getLoadedDevices")
        for device in [self.shutter] * bool(self.shutter) + [device for device, _, _ in self.properties]:
            _check_name("device", device, devices)
        for device, name, _ in self.properties:
            _check_name(f"property of {device}", name, api.texts("getDevicePropertyNames", device))


def _check_name(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise ValueError(f"no {what} {name!r}: there are {', '.join(known) or 'none'}")


class _Step(NamedTuple):
    """One thing to set: the devices it moves, its value now, the one wanted, and how to get there and back."""

    devices: tuple[str, ...]
    now: Any
    wanted: Any
    apply: Callable[[], Any]
    put_back: Callable[[], Any]


class ChannelSwitch:
    """Switches to a channel on entering and back on leaving, by what was there before.

    What could not be put back is tried again at the next entering, before anything else is changed.
    """

    def __init__(self, api: CoreApi, channel: FocusChannel, timeout_s: float) -> None:
        self._api, self._channel, self._timeout_s = api, channel, timeout_s
        self._undo: list[Callable[[], Any]] = []
        self._moved: list[str] = []

    def changes_anything(self) -> bool:
        """Whether the channel differs from what is set now."""
        return any(step.now != step.wanted for step in self._steps())

    def __enter__(self) -> None:
        self._put_back()
        try:
            for step in self._steps():
                if step.now != step.wanted:
                    # First, so that a step that fails halfway is undone as well.
                    self._undo.append(step.put_back)
                    self._moved.extend(step.devices)
                    step.apply()
            self._wait()
        except BaseException:
            self._put_back()
            raise

    def __exit__(self, *_: object) -> None:
        self._put_back()

    def _steps(self) -> Iterator[_Step]:
        """Steps in their order; what is there now is read when the turn of a step has come."""
        channel = self._channel
        if channel.group:
            yield self._preset_step()
        if channel.shutter:
            yield self._step(
                (channel.shutter,), "setShutterDevice", (), self._api.text("getShutterDevice"), channel.shutter
            )
            yield self._step((), "setAutoShutter", (), bool(self._api.call("getAutoShutter")), True)
        for device, name, value in channel.properties:
            now = self._api.text("getProperty", device, name)
            yield self._step((device,), "setProperty", (device, name), now, str(value))
        if channel.exposure_ms is not None:
            now_ms = float(self._api.call("getExposure"))
            yield self._step((), "setExposure", (), now_ms, float(channel.exposure_ms))

    def _step(self, devices: tuple[str, ...], setter: str, place: tuple[str, ...], now: Any, wanted: Any) -> _Step:
        apply, put_back = (partial(self._api.call, setter, *place, value) for value in (wanted, now))
        return _Step(devices, now, wanted, apply, put_back)

    def _preset_step(self) -> _Step:
        api, group, preset = self._api, self._channel.group, self._channel.preset
        now = api.text("getCurrentConfig", group)
        values = [(*place, api.text("getProperty", *place)) for place in api.settings(group, preset)]
        devices = tuple(device for device, _, _ in values)
        put_back = partial(self._put_preset_back, now, values)
        return _Step(devices, now, preset, partial(api.call, "setConfig", group, preset), put_back)

    def _put_preset_back(self, before: str, values: list[tuple[str, str, str]]) -> None:
        """By the preset of before where there was one, since others look at its name; the rest by its values."""
        if before:
            self._api.call("setConfig", self._channel.group, before)
        for device, name, value in values:
            if self._api.text("getProperty", device, name) != value:
                self._api.call("setProperty", device, name, value)

    def _put_back(self) -> None:
        errors, left = [], []
        while self._undo:
            put_back = self._undo.pop()
            try:
                put_back()
            except Exception as error:  # a Java exception as well
                errors.append(str(error))
                left.append(put_back)
        self._undo = left[::-1]
        if errors:
            raise CameraError(f"the channel of before the look could not be restored: {'; '.join(errors)}")
        self._wait()
        self._moved.clear()

    def _wait(self) -> None:
        for device in dict.fromkeys(self._moved):
            if device != "Core":
                self._api.wait_until_ready(device, self._timeout_s)
