from __future__ import annotations

import pymmcore
import pytest
from beads_core import ADAPTERS, load_beads, unload
from pymmcore_plus import CMMCorePlus
from pymmcore_plus.experimental.unicore import UniMMCore


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


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Configuration file of the demo camera, focus device at 7 um and XY stage."""
    monkeypatch.setenv("MICROMANAGER_PATH", ADAPTERS)
    path = tmp_path / "beads.cfg"
    path.write_text(
        "Device,Camera,DemoCamera,DCam\nDevice,Z,DemoCamera,DStage\nDevice,XY,DemoCamera,DXYStage\n"
        "Property,Core,Initialize,1\nProperty,Core,Camera,Camera\nProperty,Core,Focus,Z\nProperty,Core,XYStage,XY\n"
        "Property,Camera,Mode,Fluorescent Beads\nProperty,Camera,PixelType,16bit\nProperty,Camera,BeadBrightness,8\n"
        "Property,Z,Position,7\n"
    )
    return str(path)
