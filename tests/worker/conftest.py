from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from hosts import Host

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def host():
    started = Host()
    yield started
    started.service.close()
    assert started.service.wait_for() == 0


@pytest.fixture(scope="session")
def nuclei():
    """Real nuclei in focus (256, 256), uint8."""
    return iio.imread(DATA / "core" / "transfluor_O01f01.png")


@pytest.fixture(scope="session")
def blurred(nuclei):
    from parfocal.focus_quality.synthesis import defocus_image

    return defocus_image(nuclei.astype(np.float32), 10.0).astype(np.float32)
