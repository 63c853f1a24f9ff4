from __future__ import annotations

import mm_test_adapters
import pymmcore
import pytest
from pymmcore_plus import CMMCorePlus
from pymmcore_plus.experimental.unicore import UniMMCore

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
    """Without this the threads of the core are still there when Python ends, which it does not survive."""
    if core.isSequenceRunning():
        core.stopSequenceAcquisition()
    core.unloadAllDevices()


@pytest.fixture(params=[pymmcore.CMMCore, CMMCorePlus])
def core(request):
    """Real core with the demo camera, plain and of pymmcore-plus."""
    core = request.param()
    load_beads(core)
    yield core
    unload(core)


@pytest.fixture
def unicore():
    """Core that hosts devices written in Python, still without any."""
    core = UniMMCore()
    yield core
    unload(core)
