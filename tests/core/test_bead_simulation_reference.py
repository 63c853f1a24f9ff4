from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from parfocal.beads.simulation import (
    A2K_LIKE,
    NIKON_LIKE,
    BeadAppearance,
    pixel_profiles,
    reference_offset_um,
    reference_offsets,
)
from parfocal.beads.simulation.reference import feature_curves
from parfocal.optics import Optics

pytestmark = pytest.mark.current_python

OPTICS = Optics(0.5, 0.25, 1.0, 0.5)


def gaussian_bead(amplitude, width, distance=None, background=1.0):
    """A bright spot on the background whose height and width change with the distance."""
    distance = np.linspace(-20, 20, 81) if distance is None else distance
    radius = np.linspace(0, 30, 151)
    spot = amplitude(distance)[:, None] * np.exp(-(radius**2) / (2 * width(distance)[:, None] ** 2))
    return BeadAppearance(radius, distance, background + spot, background, 5.0, OPTICS)


def test_extrema_of_a_spot_are_found_where_they_are():
    """A Gaussian's steepest slope is -amplitude / width e^-1/2: its extremum differs from the amplitude's."""
    appearance = gaussian_bead(lambda z: np.exp(-((z - 2) ** 2) / 100), lambda z: 3 + 0.02 * (z + 4) ** 2)
    z = np.linspace(-20, 20, 400001)
    # Small pixels, so that they change nothing; the centre is read one pixel off the axis.
    offsets = reference_offsets(appearance, 0.1)
    height, width = np.exp(-((z - 2) ** 2) / 100), 3 + 0.02 * (z + 4) ** 2
    assert offsets.slope_um == pytest.approx(z[(height / width).argmax()], abs=0.01)
    assert offsets.centre_um == pytest.approx(z[(height * np.exp(-0.005 / width**2)).argmax()], abs=0.01)
    assert offsets.mean_um == (offsets.slope_um + offsets.centre_um) / 2
    assert reference_offset_um(appearance, 0.1) == offsets.mean_um


def test_feature_values_are_those_of_the_profile():
    appearance = gaussian_bead(lambda z: np.full_like(z, 0.5), lambda z: np.full_like(z, 4.0), background=2.0)
    slope, centre = feature_curves(pixel_profiles(appearance, 0.25), np.array([0.0]))
    assert slope[0] == pytest.approx(-0.5 / 2 / 4 * np.exp(-0.5) * 0.25, rel=2e-3)
    assert centre[0] == pytest.approx((2 + 0.5 * np.exp(-(0.25**2) / 32)) / 2, rel=1e-4)


@pytest.mark.parametrize("preset", [A2K_LIKE, NIKON_LIKE])
def test_presets_have_one_extremum_of_each_feature_near_the_ball_lens_focus(preset):
    appearance = preset.appearance()
    pixel = preset.optics.pixel_size_um
    offsets = reference_offsets(appearance, pixel)
    assert 20 < offsets.mean_um < 34
    assert abs(offsets.slope_um - offsets.centre_um) < 0.2 * preset.optics.depth_of_field_um
    distance = np.linspace(offsets.mean_um - 60, offsets.mean_um + 60, 241)
    slope, centre = feature_curves(pixel_profiles(appearance, pixel), distance)
    for values in (-slope, centre):
        high = values > 0.8 * values.max()
        assert np.diff(high.astype(int)).tolist().count(1) == 1


def test_offset_does_not_depend_on_the_spacing_of_distances():
    coarse = NIKON_LIKE.appearance(distance_range_um=(0.0, 48.0), distance_step_um=2.0)
    fine = NIKON_LIKE.appearance(distance_range_um=(0.0, 48.0), distance_step_um=1.0)
    assert reference_offset_um(coarse, 0.65) == pytest.approx(reference_offset_um(fine, 0.65), abs=0.05)


def test_an_extremum_at_the_end_is_refused():
    rising = gaussian_bead(lambda z: z + 30, lambda z: np.full_like(z, 3.0))
    with pytest.raises(ValueError, match="extremum at the end of the appearance, 20 um from the bead's centre"):
        reference_offsets(rising, 0.5)


@pytest.mark.parametrize("pixel_size_um", [0.0, -1.0, np.nan])
def test_pixel_size_must_be_positive(pixel_size_um):
    with pytest.raises(ValueError, match="pixel_size_um must be above 0, got"):
        pixel_profiles(gaussian_bead(np.ones_like, np.ones_like), pixel_size_um)


def test_shapes_and_axes_of_an_appearance_are_checked():
    radius, distance = np.arange(4.0), np.arange(3.0)
    with pytest.raises(ValueError, match=r"intensity_zr must be \(distances, radii\) = \(3, 4\), got \(4, 3\)"):
        BeadAppearance(radius, distance, np.ones((4, 3)), 1.0, 5.0, OPTICS)
    with pytest.raises(ValueError, match="radius_um must rise strictly"):
        BeadAppearance(radius[::-1], distance, np.ones((3, 4)), 1.0, 5.0, OPTICS)


def test_profiles_integrate_over_pixels():
    """Against a fine image of the bead that is averaged pixel by pixel, at a centre off the grid."""
    appearance = NIKON_LIKE.appearance(distance_range_um=(20.0, 30.0), distance_step_um=5.0)
    fine, size, centre = 15, 101, np.array([50.3, 49.8])
    line = (np.arange(size * fine) + 0.5) / fine - 0.5
    away = np.hypot((line - centre[0])[:, None], (line - centre[1])[None, :])
    exact = CubicSpline(appearance.radius_um, appearance.intensity_zr[1])(
        np.minimum(away * 0.65, appearance.radius_um[-1])
    )
    exact = exact.reshape(size, fine, size, fine).mean(axis=(1, 3))
    profiles = pixel_profiles(appearance, 0.65)
    y, x = np.indices((size, size))
    seen = profiles.render(profiles.at(np.array([25.0]))[0], np.hypot(y - centre[0], x - centre[1]))
    np.testing.assert_allclose(seen, exact, atol=2e-3)
