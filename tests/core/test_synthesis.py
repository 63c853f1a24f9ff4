from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve

from parfocal.focus_quality.synthesis import (
    Camera,
    apply_gain_and_offset,
    defocus_image,
    defocus_levels,
    random_gain_and_offset,
)
from parfocal.optics import Optics, born_wolf_psf


@pytest.mark.parametrize("z_um", [0.0, 4.0, 20.0])
def test_constant_image_stays_constant_up_to_its_border(z_um):
    blurred = defocus_image(np.full((90, 110), 1000.0), z_um)
    np.testing.assert_allclose(blurred, 1000.0, rtol=1e-5)


def test_it_is_the_convolution_with_the_psf_mirrored_at_the_border(rng):
    image = rng.random((50, 61)).astype(np.float32)
    expected = convolve(image.astype(float), born_wolf_psf(3.0, size_px=21), mode="reflect")
    np.testing.assert_allclose(defocus_image(image, 3.0, kernel_px=21), expected, atol=2e-6)


def test_nothing_wraps_around():
    image = np.zeros((100, 100), np.float32)
    image[50, :3] = 1000.0
    blurred = defocus_image(image, 10.0)
    np.testing.assert_allclose(blurred[:, 60:], 0.0, atol=1e-3)
    assert blurred[50, 0] > 1.0


def test_mirrored_image_gives_mirrored_blur(nuclei):
    blurred = defocus_image(nuclei, 8.0)
    np.testing.assert_allclose(defocus_image(nuclei[::-1, ::-1], 8.0), blurred[::-1, ::-1], atol=1e-3)


def test_mean_is_kept(nuclei):
    """Exactly so where the image is mirrored all around; at a border of one image light crosses it in and out."""
    whole = np.pad(nuclei, ((0, 256), (0, 256)), mode="symmetric")
    tiled = defocus_image(whole, 12.0)
    assert tiled.mean(dtype=float) == pytest.approx(whole.mean(), rel=1e-5)


def test_all_levels_equal_the_blur_at_two_um_steps(nuclei):
    levels = defocus_levels(nuclei)
    assert levels.shape == (11, 256, 256)
    assert levels.dtype == np.float32
    for level in (0, 3, 10):
        np.testing.assert_allclose(levels[level], defocus_image(nuclei, 2.0 * level), atol=1e-3)


def test_further_from_focus_there_is_less_contrast(nuclei):
    contrast = defocus_levels(nuclei).std(axis=(1, 2))
    assert (np.diff(contrast) < 0).all()


def test_other_optics_blur_by_their_own_cone():
    point = np.zeros((129, 129), np.float32)
    point[64, 64] = 1.0
    optics = Optics(0.5, 0.25, 1.0, 0.65)
    np.testing.assert_allclose(defocus_image(point, 8.0, optics)[32:97, 32:97], born_wolf_psf(8.0, optics), atol=1e-7)


def test_camera_noise_has_the_stated_mean_and_variance(rng):
    gain, offset, read_noise, photons = 2.5, 300.0, 3.0, 80.0
    counts = Camera(gain, offset, read_noise).expose(np.full((700, 700), photons), rng).astype(float)
    assert counts.mean() == pytest.approx(gain * photons + offset, abs=0.2)
    assert counts.var() == pytest.approx(gain**2 * (photons + read_noise**2) + 1 / 12, rel=0.01)


def test_same_seed_gives_the_same_counts(nuclei):
    first, second = (Camera().expose(nuclei, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (Camera().expose(nuclei, np.random.default_rng(6)) != first).any()


def test_camera_saturates_at_its_largest_count_and_at_zero(rng):
    counts = Camera(gain=10.0, offset=0.0, read_noise=5.0, max_count=4095).expose(
        np.array([[0.0] * 50, [1e6] * 50]), rng
    )
    assert counts.dtype == np.uint16
    assert counts[0].min() == 0
    assert (counts[1] == 4095).all()


def test_augmentation_covers_the_ranges_of_the_paper_evenly_in_the_logarithm(rng):
    gains, offsets = np.array([random_gain_and_offset(rng) for _ in range(4000)]).T
    assert 0.2 <= gains.min() < 0.205
    assert 4.9 < gains.max() <= 5.0
    assert 1.0 <= offsets.min() < 1.02
    assert 980 < offsets.max() <= 1000
    assert np.median(gains) == pytest.approx(1.0, rel=0.1)
    assert np.median(offsets) == pytest.approx(np.sqrt(1000), rel=0.2)


def test_gain_and_offset_are_cut_to_16_bits():
    counts = np.array([[0, 100, 60000]], np.uint16)
    np.testing.assert_allclose(apply_gain_and_offset(counts, 2.0, 10.0), [[10, 210, 65535]])
