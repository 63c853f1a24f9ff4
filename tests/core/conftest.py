from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

DATA = Path(__file__).parents[1] / "data" / "core"


@pytest.fixture(scope="session")
def nuclei():
    """Real in-focus nuclei (256, 256), uint8; values 0 to 255."""
    return iio.imread(DATA / "dsb2018_4ff152d76db095f7.png")


@pytest.fixture(scope="session")
def real_images(nuclei):
    """Real in-focus images of three microscopes and two stains."""
    others = ("transfluor_O01f01.png", "bbbc022_A02_s9_dna.png")
    return [nuclei, *(iio.imread(DATA / name) for name in others)]


@pytest.fixture(scope="session")
def nucleus_stack():
    """Real widefield stack (9, 100, 100), uint16, in focus at plane 4."""
    return tifffile.imread(DATA / "nucleus_widefield.tif")


@pytest.fixture(scope="session")
def blurred(nuclei):
    """Real nuclei at level 5, uint16."""
    from parfocal.focus_quality.synthesis import Camera, defocus_image

    shown = defocus_image(nuclei.astype(np.float32) * 8, 10.0)
    return Camera(offset=100).expose(shown, np.random.default_rng(3))


@pytest.fixture
def rng():
    return np.random.default_rng(20180315)
