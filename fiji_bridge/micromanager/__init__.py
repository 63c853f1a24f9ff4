"""Parfocal on Micro-Manager: a microscope for the control loop, devices that play a sample, an MDA engine.

Names load on first use; only the devices and the engine need pymmcore-plus.
"""

from __future__ import annotations

from parfocal.lazy import lazy_names

_HOMES = {
    "FocusChannel": ".channel",
    "FocusKeepingEngine": ".mda",
    "MMCoreMicroscope": ".microscope",
    "MMCoreXYStage": ".xy_stage",
    "PlayedStage": ".devices",
    "SampleCamera": ".devices",
    "StackSample": ".stack_sample",
    "StudioMicroscope": ".studio",
    "close_core": ".start",
    "configured_core": ".start",
    "demo_core": ".start",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
