from __future__ import annotations

import pymmcore
import pytest
from beads_core import load_beads, unload
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
