"""Parfocal on Micro-Manager: a microscope for the control loop, devices that play a sample, an MDA engine.

Names load on first use; only the devices and the engine need pymmcore-plus.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "FocusChannel": "channel",
    "FocusKeepingEngine": "mda",
    "MMCoreMicroscope": "microscope",
    "MMCoreXYStage": "xy_stage",
    "PlayedStage": "devices",
    "SampleCamera": "devices",
    "StackSample": "stack_sample",
    "close_core": "start",
    "configured_core": "start",
    "demo_core": "start",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
