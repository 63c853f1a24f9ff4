from __future__ import annotations

import numpy as np
import pytest

from parfocal import flag_defocused, measure_image_focus, restore_defocus
from parfocal.screen.image import screen_image

OPTICS = {"pixel_size_um": 0.5, "numerical_aperture": 0.6, "emission_wavelength_um": 0.55}


def images(nuclei, blurred, nucleus_stack):
    hot = blurred.copy()
    hot[40, 40] = 60_000
    colours = np.stack([blurred, blurred // 2, blurred // 3], axis=-1)
    return {
        "sharp": nuclei[:128, :128],
        "defocused": blurred[:160, :160],
        "hot": hot[:128, :128],
        "colours": colours[:128, :128],
        "stack": nucleus_stack[::4],
        "blank": np.full((100, 100), 7, np.uint16),
    }


@pytest.mark.parametrize("name", ["sharp", "defocused", "hot", "colours", "stack", "blank"])
@pytest.mark.parametrize("about", [{}, OPTICS])
def test_numbers_are_those_of_the_single_commands(name, about, nuclei, blurred, nucleus_stack):
    image = images(nuclei, blurred, nucleus_stack)[name]
    found = screen_image(image, restore=True, classical_metrics=True, **about)
    focus, flag = measure_image_focus(image, classical_metrics=True, **about), flag_defocused(image, **about)
    np.testing.assert_equal(found.focus.features(), focus.features())
    np.testing.assert_equal(found.focus.metrics(), focus.metrics())
    np.testing.assert_equal(found.flag, flag)
    if flag.flagged:
        restored = restore_defocus(image, **about)
        np.testing.assert_equal(found.restoration.features(), restored.features())
        assert np.array_equal(found.restoration.image, restored.image)
    else:
        assert not found.restoration.restored and np.array_equal(found.restoration.image, image)
        assert found.restoration.reason == ("not flagged" if flag.answered else flag.reason)


def test_the_focus_is_measured_once_unless_hot_pixels_make_it_another_image(
    blurred, monkeypatch, nuclei, nucleus_stack
):
    counted = []

    def counting(*arguments, **named):
        counted.append(1)
        return measure_image_focus(*arguments, **named)

    for home in ("screen.image", "sorting.flag", "restoration.restore"):
        monkeypatch.setattr(f"parfocal.{home}.measure_image_focus", counting)
    screen_image(blurred[:160, :160], restore=True)
    assert len(counted) == 1
    screen_image(images(nuclei, blurred, nucleus_stack)["hot"])
    assert len(counted) == 3


def test_only_what_is_flagged_is_restored_and_only_on_request(blurred, nuclei):
    assert screen_image(blurred).restoration is None
    assert screen_image(blurred, restore=True).restoration.restored
    assert not screen_image(blurred, restore=True, threshold=1.0).restoration.restored
