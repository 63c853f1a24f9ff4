"""Rounded images without noise: their steps are hidden, and nothing else is changed."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from parfocal import measure_image_focus
from parfocal.focus_quality import plane
from parfocal.focus_quality.missing_noise import missing_noise
from parfocal.focus_quality.synthesis import Camera, defocus_image

ROOT = Path(__file__).resolve().parents[2]
CELLS_COUNTS = 60


@pytest.fixture(scope="module")
def smooth(real_images):
    """Real cells at level 5 without noise, only tens of counts high: those whose steps read as sharp edges."""
    blurred = np.maximum(defocus_image(real_images[0], 10.0), 0)
    return CELLS_COUNTS * blurred / blurred.max()


def level(image):
    return measure_image_focus(image).estimate.defocus_level


def test_rounding_changes_the_level_by_little(smooth):
    rounded = np.rint(smooth).astype(np.uint8)
    assert missing_noise(rounded) == 1.0
    assert level(rounded) == pytest.approx(level(smooth), abs=0.8)


@pytest.mark.parametrize("scale", [1 / 255, 1 / 65535, 257])
def test_the_level_does_not_depend_on_the_unit(smooth, scale):
    rounded = np.rint(smooth)
    assert missing_noise(rounded * scale) == pytest.approx(scale)
    assert level((rounded * scale).astype(np.float32)) == pytest.approx(level(rounded.astype(np.uint16)), abs=0.02)


def test_low_structures_far_out_of_focus_are_not_called_sharp(monkeypatch):
    cells = iio.imread(ROOT / "examples" / "plate" / "images" / "AS_09047_050428030001_O02f00d2.TIF")
    blurred = np.maximum(defocus_image(cells, 10.0), 0)
    rounded = np.rint(20 * blurred / blurred.max()).astype(np.uint8)
    assert not level(rounded) < 3
    monkeypatch.setattr(plane, "missing_noise", lambda plane_yx: 0.0)
    assert level(rounded) < 1, "there was nothing to hide"


def test_images_of_a_camera_and_unrounded_ones_are_left_as_they_are(smooth, rng):
    exposed = Camera().expose(50 * smooth, rng)
    assert missing_noise(exposed) == 0.0
    assert missing_noise(smooth) < 1e-6 * CELLS_COUNTS


def test_few_grey_values_stay_apart():
    labels = np.zeros((200, 200), np.uint8)
    labels[50:120, 60:140] = 1
    assert missing_noise(labels) == pytest.approx(0.05)
    assert missing_noise(np.full((100, 100), 7)) == 0.0
