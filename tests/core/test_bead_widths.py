import numpy as np
import pytest

from parfocal.beads.widths import bead_widths

pytestmark = pytest.mark.current_python

PIXEL = 0.1


def bead(z, lateral=0.35, axial=1.2, at=(4.03, 10.3, 9.6), height=1000.0, background=100.0, size=21, seed=0):
    """Gaussian bead with widths in um at (z um, y px, x px), averaged over pixels, with Poisson noise."""
    fine = (np.arange(5) - 2) / 5
    y, x = (np.arange(size)[:, None] + fine for _ in range(2))
    sharp = [np.exp(-4 * np.log(2) * ((v - c) * PIXEL / lateral) ** 2).mean(axis=1) for v, c in zip((y, x), at[1:])]
    along = np.exp(-4 * np.log(2) * ((z - at[0]) / axial) ** 2)
    clean = background + height * along[:, None, None] * sharp[0][:, None] * sharp[1]
    return np.random.default_rng(seed).poisson(clean).astype(np.uint16)


def test_widths_and_position_of_a_gaussian_bead():
    z = np.arange(0, 8, 0.25)
    crop = bead(z)
    found = bead_widths(crop, z, PIXEL)
    assert found.status == "ok"
    assert found.best_z_um == pytest.approx(4.03, abs=0.02)
    assert found.centre_yx_px == pytest.approx((10.3, 9.6), abs=0.05)
    assert found.lateral_fwhm_um == pytest.approx(0.35, rel=0.03)
    assert found.axial_fwhm_um == pytest.approx(1.2, rel=0.03)
    assert found.signal_to_background == pytest.approx((crop[16, 9:12, 9:12].mean() - 100) / 100, rel=0.05)
    assert (found.lateral_reason, found.axial_reason, found.warnings) == ("", "", ())


def test_errors_stay_small_over_positions_and_noise():
    z = np.arange(0, 8, 0.3)
    rng = np.random.default_rng(1)
    errors = []
    for k in range(25):
        at = (4 + rng.uniform(-0.2, 0.2), 10 + rng.uniform(-0.5, 0.5), 10 + rng.uniform(-0.5, 0.5))
        found = bead_widths(bead(z, at=at, seed=k), z, PIXEL)
        errors.append([found.best_z_um - at[0], found.lateral_fwhm_um / 0.35 - 1, found.axial_fwhm_um / 1.2 - 1])
    assert np.all(np.abs(np.mean(errors, axis=0)) < [0.01, 0.02, 0.02])
    assert np.all(np.std(errors, axis=0) < [0.02, 0.03, 0.03])


def test_width_that_differs_between_y_and_x():
    z = np.arange(0, 8, 0.25)
    crop = bead(z, lateral=0.5).astype(float)
    narrow = bead(z, lateral=0.3).astype(float)
    mixed = np.sqrt(np.clip(crop - 100, 0, None) * np.clip(narrow - 100, 0, None)) + 100
    found = bead_widths(mixed.transpose(0, 2, 1), z, PIXEL)
    assert found.lateral_fwhm_y_um == pytest.approx(found.lateral_fwhm_x_um, rel=0.1)
    stretched = np.repeat(bead(z, lateral=0.3), 2, axis=1)[:, 10:31]
    found = bead_widths(stretched, z, PIXEL)
    assert found.lateral_fwhm_y_um == pytest.approx(2 * found.lateral_fwhm_x_um, rel=0.1)


def test_order_of_planes_does_not_matter():
    z = np.arange(0, 8, 0.25)
    crop = bead(z)
    assert bead_widths(crop[::-1], z[::-1], PIXEL) == bead_widths(crop, z, PIXEL)


def test_coarse_planes_give_no_axial_width_but_a_best_plane():
    z = np.arange(0, 10, 0.8)
    found = bead_widths(bead(z), z, PIXEL)
    assert np.isnan(found.axial_fwhm_um)
    assert "sampled too coarsely along z: steps of 0.8 um" in found.axial_reason
    assert found.best_z_um == pytest.approx(4.03, abs=0.2)
    assert found.lateral_fwhm_um == pytest.approx(0.35, rel=0.05)


def test_coarse_pixels_give_no_lateral_width():
    z = np.arange(0, 8, 0.25)
    found = bead_widths(bead(z, lateral=0.12), z, PIXEL)
    assert np.isnan(found.lateral_fwhm_um)
    assert "sampled too coarsely along y and x" in found.lateral_reason
    assert found.axial_fwhm_um == pytest.approx(1.2, rel=0.05)


def test_stack_that_ends_at_the_bead_gives_no_axial_width():
    z = np.arange(4.2, 8, 0.25)
    found = bead_widths(bead(z), z, PIXEL)
    assert found.axial_reason == "the bead is brightest in the first or last plane"
    assert np.isnan([found.best_z_um, found.axial_fwhm_um]).all()
    assert found.lateral_fwhm_um == pytest.approx(0.35, rel=0.05)
    z = np.arange(3.6, 8, 0.25)
    assert bead_widths(bead(z), z, PIXEL).axial_reason == "the stack ends within half of the maximum"


def test_crop_that_cuts_the_bead_gives_no_lateral_width():
    z = np.arange(0, 8, 0.25)
    found = bead_widths(bead(z, at=(4.0, 1.2, 10.0)), z, PIXEL)
    assert found.lateral_reason == "the crop ends within half of the maximum"


def test_saturated_bead_is_refused():
    z = np.arange(0, 8, 0.25)
    crop = np.minimum(bead(z), 700)
    assert bead_widths(crop, z, PIXEL, saturation_level=700).status == "saturated"
    eight_bit = np.minimum(bead(z) // 3, 255).astype(np.uint8)
    assert bead_widths(eight_bit, z, PIXEL).status == "saturated"
    assert bead_widths(crop, z, PIXEL, saturation_level=5000).status == "ok"


def test_large_bead_is_measured_as_what_it_is():
    z = np.arange(0, 40, 1.0)
    y, x = np.indices((61, 61)) - 30
    radius = np.hypot(y, x) * PIXEL
    disc = 1 / (1 + np.exp((radius - 1.5) / 0.05))
    along = np.exp(-(((z - 20) / 8) ** 6))
    found = bead_widths(100 + 1000 * along[:, None, None] * disc, z, PIXEL, bead_diameter_um=3.0)
    assert found.lateral_fwhm_um == pytest.approx(3.0, rel=0.02)
    assert found.axial_fwhm_um == pytest.approx(16 * np.log(2) ** (1 / 6), rel=0.02)
    assert found.warnings == ("flat_top", "bead_not_small")


def test_empty_crop_has_no_bead():
    crop = np.random.default_rng(2).poisson(100, (20, 21, 21))
    found = bead_widths(crop, np.arange(20.0), PIXEL)
    assert found.status == "no_content"
    assert found.reason.startswith("no bead")
    assert bead_widths(np.zeros((20, 21, 21)), np.arange(20.0), PIXEL).status == "no_content"


def test_bad_crops_are_refused_with_the_reason():
    z = np.arange(20.0)
    assert bead_widths(np.full((20, 9, 9), np.nan), z, PIXEL).status == "not_finite"
    assert bead_widths(np.ones((20, 5, 9)), z, PIXEL).status == "too_small"
    assert bead_widths(np.ones((3, 9, 9)), z[:3], PIXEL).status == "too_small"
    with pytest.raises(ValueError, match=r"got \(20, 9, 9\) and \(3,\)"):
        bead_widths(np.ones((20, 9, 9)), z[:3], PIXEL)
    with pytest.raises(ValueError, match="different for all planes"):
        bead_widths(np.ones((20, 9, 9)), np.zeros(20), PIXEL)
    with pytest.raises(ValueError, match="pixel_size_um must be above 0, got 0"):
        bead_widths(np.ones((20, 9, 9)), z, 0)
