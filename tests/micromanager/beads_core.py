"""A core with the demo camera of Micro-Manager, whose blur follows the stage."""

from __future__ import annotations

import mm_test_adapters

from parfocal.fiji_bridge.micromanager import close_core

ADAPTERS = mm_test_adapters.device_adapter_path()


def load_beads(core):
    """Load a camera that shows beads, blurred by the distance of the stage from 0, and what a channel is made of."""
    core.setDeviceAdapterSearchPaths([ADAPTERS])
    for label, name in (("Camera", "DCam"), ("Z", "DStage"), ("Filter", "DStateDevice"), ("Lamp", "DShutter")):
        core.loadDevice(label, "DemoCamera", name)
    core.loadDevice("Other lamp", "DemoCamera", "DShutter")
    core.loadDevice("Autofocus", "DemoCamera", "DAutoFocus")
    core.initializeAllDevices()
    core.setCameraDevice("Camera")
    core.setFocusDevice("Z")
    core.setShutterDevice("Lamp")
    core.setProperty("Camera", "Mode", "Fluorescent Beads")
    for axis in "XY":
        core.setProperty("Camera", f"OnCameraCCD{axis}Size", 256)
    for preset, state in (("DAPI", "0"), ("GFP", "1")):
        core.defineConfig("Channel", preset, "Filter", "State", state)
    core.setConfig("Channel", "DAPI")


def unload(core):
    """End all that a core has begun."""
    if core.isSequenceRunning():
        core.stopSequenceAcquisition()
    close_core(core)
