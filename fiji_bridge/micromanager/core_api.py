"""One face for the cores of pymmcore, pymmcore-plus, Pycro-Manager and Micro-Manager's Java."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any

_POLL_S = 0.002


class CoreApi:
    """Calls a core by the names of MMCore, whatever its language makes of them.

    Parameters
    ----------
    core : object
        `pymmcore.CMMCore`, `pymmcore_plus.CMMCorePlus` or `UniMMCore`, Pycro-Manager's `Core`, or `mmcorej.CMMCore`
        through JPype.

    Raises
    ------
    TypeError
        Where it is none of these.
    """

    def __init__(self, core: Any) -> None:
        self.core = core
        self._snake = not hasattr(core, "snapImage")
        if self._snake and not hasattr(core, "snap_image"):
            raise TypeError(
                f"core must have the MMCore API (snapImage, or snap_image of Pycro-Manager), got {type(core).__name__}"
            )

    def has(self, name: str) -> bool:
        """Whether the core knows a method."""
        return hasattr(self.core, self._named(name))

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a method by its name in MMCore."""
        return getattr(self.core, self._named(name))(*arguments)

    def text(self, name: str, *arguments: Any) -> str:
        """Call a method that returns text: Java's is none of Python's."""
        return str(self.call(name, *arguments))

    def texts(self, name: str, *arguments: Any) -> list[str]:
        """Call a method that returns a list of texts."""
        return [str(item) for item in self._items(self.call(name, *arguments))]

    def settings(self, group: str, preset: str) -> list[tuple[str, str]]:
        """Devices and properties that a preset sets, in its order."""
        data = self.call("getConfigData", group, preset)
        get = data.get_setting if hasattr(data, "get_setting") else data.getSetting
        names = ("get_device_label", "get_property_name")
        pick = [_method(get(i), names) for i in range(int(data.size()))]
        return [(str(device()), str(name())) for device, name in pick]

    def wait_until_ready(self, device: str, timeout_s: float) -> None:
        """Wait until a device is not busy (TimeoutError)."""
        until = time.monotonic() + timeout_s
        while bool(self.call("deviceBusy", device)):
            if time.monotonic() > until:
                raise TimeoutError(f"{device} is still busy after {timeout_s:g} s")
            time.sleep(_POLL_S)

    def identity(self) -> Any:
        """Something that is the same for all wrappers of the same core in this process, and for no other core."""
        if hasattr(self.core, "this"):  # the address that SWIG keeps
            return ("mmcore", int(self.core.this))
        if hasattr(self.core, "hashCode"):
            return ("java", int(self.core.hashCode()))
        return getattr(self.core, "_hash_code", id(self.core))

    def _named(self, name: str) -> str:
        return re.sub("(?<!^)(?=[A-Z])", "_", name).lower() if self._snake else name

    @staticmethod
    def _items(found: Any) -> Iterable[Any]:
        # Vectors of older versions of the Java core, and all those of Pycro-Manager, cannot be iterated over.
        get: Callable[[int], Any] | None = getattr(found, "get", None)
        return [get(i) for i in range(int(found.size()))] if get is not None and hasattr(found, "size") else list(found)


def _method(setting: Any, names: tuple[str, ...]) -> list[Any]:
    camel = [re.sub("_([a-z])", lambda letter: letter.group(1).upper(), name) for name in names]
    return [getattr(setting, name if hasattr(setting, name) else other) for name, other in zip(names, camel)]
