from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import simpson

from parfocal.beads.simulation import A2K_LIKE, bright_field_appearance
from parfocal.beads.simulation.mie import mie_amplitudes, mie_coefficients
from parfocal.optics import Optics

pytestmark = pytest.mark.current_python

LOW = Optics(0.55, 0.2, 1.0, 0.5)
WATER = 1.33
WAVENUMBER = 2 * np.pi / 0.55 * WATER


def _gauss(high, nodes):
    x, weight = np.polynomial.legendre.leggauss(nodes)
    return high * (x + 1) / 2, weight * high / 2


def _amplitude(diameter, index, cosine):
    s1, s2 = mie_amplitudes(*mie_coefficients(WAVENUMBER * diameter / 2, index / WATER), cosine)
    return (s1 + s2) / 2


def test_a_sphere_of_the_mediums_index_cannot_be_seen():
    appearance = bright_field_appearance(LOW, 6.0, WATER, WATER, 0.1, np.linspace(-30, 30, 5))
    np.testing.assert_allclose(appearance.intensity_zr, 1.0, atol=1e-12)


def test_light_missing_from_the_image_is_extinction_less_what_the_objective_collects():
    diameter, index, condenser = 6.0, 1.45, 0.1
    appearance = bright_field_appearance(
        LOW, diameter, index, WATER, condenser, np.array([-20.0, 15.0]), radius_max_um=160
    )
    radius = appearance.radius_um
    missing = simpson(2 * np.pi * radius * (1 - appearance.intensity_zr), x=radius, axis=1)

    source, source_weight = _gauss(condenser / WATER, 20)
    pupil, pupil_weight = _gauss(LOW.numerical_aperture / WATER, 60)
    azimuth = 2 * np.pi * np.arange(64) / 64
    cos_s, cos_p = np.sqrt(1 - source**2)[:, None, None], np.sqrt(1 - pupil**2)[None, :, None]
    cosine = cos_s * cos_p + source[:, None, None] * pupil[None, :, None] * np.cos(azimuth)
    solid_angle = (pupil_weight * pupil)[None, :, None] / cos_p * 2 * np.pi / 64
    collected = (np.abs(_amplitude(diameter, index, cosine)) ** 2 / WAVENUMBER**2 * solid_angle).sum(axis=(1, 2))
    extinction = 4 * np.pi / WAVENUMBER**2 * _amplitude(diameter, index, np.ones(1)).real
    share = source_weight * source / (source_weight * source).sum()
    expected = (share * (extinction - collected) / np.sqrt(1 - source**2)).sum()
    np.testing.assert_allclose(missing, expected, rtol=1e-3)


def test_azimuthal_harmonics_agree_with_a_plain_sum_over_directions():
    diameter, index, condenser, z = 4.0, 1.5, 0.12, 12.0
    appearance = bright_field_appearance(LOW, diameter, index, WATER, condenser, np.array([0.0, z]), radius_max_um=20)
    chosen = [0, 5, 13, 30, 50]
    radius, turn = appearance.radius_um[chosen], 2 * np.pi * np.arange(24) / 24
    x, y = (np.outer(radius, f(turn)).ravel() for f in (np.cos, np.sin))

    k0 = 2 * np.pi / 0.55
    pupil, pupil_weight = _gauss(LOW.numerical_aperture, 40)
    angle = 2 * np.pi * np.arange(80) / 80
    px, py = (np.outer(pupil, f(angle)).ravel() for f in (np.cos, np.sin))
    area = np.repeat(pupil * pupil_weight, 80) * 2 * np.pi / 80 * k0**2
    pz, pupil_kz = np.sqrt(WATER**2 - px**2 - py**2), k0 * np.sqrt(1 - px**2 - py**2)
    waves = np.exp(1j * k0 * (np.outer(x, px) + np.outer(y, py)))
    total, source, source_weight = 0.0, *_gauss(condenser, 12)
    for s, weight in zip(source, source_weight * source):
        sz = np.sqrt(WATER**2 - s**2)
        amplitude = _amplitude(diameter, index, np.minimum((s * px + sz * pz) / WATER**2, 1))
        spectrum = -amplitude / (2 * np.pi * WAVENUMBER * k0 * np.sqrt(sz * pz))
        field = np.exp(1j * (k0 * s * x + k0 * np.sqrt(1 - s**2) * z)) + waves @ (
            spectrum * area * np.exp(1j * pupil_kz * z)
        )
        total = total + weight * np.abs(field) ** 2
    expected = (total / (source_weight * source).sum()).reshape(len(radius), -1).mean(axis=1)
    np.testing.assert_allclose(appearance.intensity_zr[1, chosen], expected, atol=1e-4)


def test_far_from_the_bead_there_is_background_only():
    appearance = bright_field_appearance(LOW, 10.0, 1.59, WATER, 0.1, np.array([-100.0, 0.0, 100.0]))
    np.testing.assert_allclose(appearance.intensity_zr[:, appearance.radius_um > 33], 1.0, atol=2e-3)


def test_a_ball_lens_focuses_on_the_far_side_only():
    """Focal length of a ball n D / 4 (n - 1) in the medium (Hecht, Optics), over 1.33 on the stage."""
    distance = np.linspace(-60.0, 60.0, 121)
    low = Optics(0.55, 0.13, 1.0, 1.0)
    axis = bright_field_appearance(low, 28.5, 1.59, WATER, 0.05, distance, radius_max_um=40).intensity_zr[:, 0]
    ratio = 1.59 / WATER
    paraxial = ratio * 28.5 / 4 / (ratio - 1) / WATER
    assert distance[axis.argmax()] == pytest.approx(paraxial, rel=0.12)
    assert axis.max() > 3
    assert axis[distance < -15].max() < 1.0


def test_light_from_above_mirrors_the_distances():
    distance = np.array([-30.0, -5.0, 0.0, 12.0])
    below = bright_field_appearance(LOW, 8.0, 1.59, WATER, 0.1, distance)
    above = bright_field_appearance(LOW, 8.0, 1.59, WATER, 0.1, -distance[::-1], light_from_below=False)
    np.testing.assert_allclose(above.intensity_zr, below.intensity_zr[::-1], atol=1e-12)


def test_a_weak_small_sphere_has_opposite_contrast_on_both_sides():
    appearance = bright_field_appearance(LOW, 1.0, 1.335, WATER, 0.02, np.array([-8.0, 8.0]))
    below, above = appearance.intensity_zr[:, 0] - 1
    assert above > 1e-4
    assert below == pytest.approx(-above, rel=0.03)


def test_an_absorbing_bead_is_dark_where_a_clear_one_is_bright():
    distance = np.array([0.0, 30.0])
    clear, dark = (
        bright_field_appearance(LOW, 28.0, n, WATER, 0.1, distance, radius_max_um=30).intensity_zr
        for n in (1.59, 1.59 + 0.1j)
    )
    assert clear[1, 0] > 1.3
    assert dark[:, 0].max() < 0.1


def test_no_point_is_brighter_than_the_filled_pupil():
    """Radiance cannot grow: direct light fills the condenser's cone, a bead at most the objective's."""
    intensity = A2K_LIKE.appearance(distance_range_um=(0.0, 60.0)).intensity_zr
    assert 1.35 < intensity.max() <= (0.13 / 0.1) ** 2


def test_a_condenser_wider_than_the_objective_adds_dark_field_light():
    """Directions the objective cannot see bring scattered light but no background."""
    settings = (LOW, 6.0, 1.5, WATER)
    filled = bright_field_appearance(*settings, 0.2, np.array([-10.0, 5.0]), radius_max_um=40)
    wider = bright_field_appearance(*settings, 0.4, np.array([-10.0, 5.0]), radius_max_um=40)
    np.testing.assert_allclose(wider.intensity_zr[:, -5:], 1.0, atol=1e-3)
    radius = filled.radius_um
    light = [simpson(radius * (a.intensity_zr - 1), x=radius, axis=1) for a in (filled, wider)]
    assert (light[1] > light[0] + 0.1).all()


def test_intensity_does_not_depend_on_the_sampling():
    coarse = bright_field_appearance(LOW, 10.0, 1.59, WATER, 0.1, np.array([-50.0, 20.0]), radius_max_um=27.5)
    fine = bright_field_appearance(LOW, 10.0, 1.59, WATER, 0.1, np.linspace(-50, 160, 4), radius_max_um=55.0)
    np.testing.assert_allclose(coarse.radius_um, fine.radius_um[: len(coarse.radius_um)], atol=1e-12)
    np.testing.assert_allclose(coarse.intensity_zr, fine.intensity_zr[:2, : len(coarse.radius_um)], atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bead_diameter_um": 0.5}, r"bead_diameter_um must be in \[1, 40\] um, got 0.5"),
        ({"bead_diameter_um": 41.0}, r"bead_diameter_um must be in \[1, 40\] um, got 41.0"),
        ({"bead_index": 0.9}, r"bead_index must be in \[1, 4\] with an imaginary part in \[0, 1\], got"),
        ({"bead_index": 1.5 - 0.1j}, r"bead_index must be in \[1, 4\] with an imaginary part in \[0, 1\], got"),
        ({"medium_index": 0.9}, r"medium_index must be in \[1, 2\], got 0.9"),
        ({"condenser_numerical_aperture": 1.0}, r"condenser_numerical_aperture must be in \[0, 1.0\), below both"),
        ({"optics": Optics(0.5, 1.4, 1.5)}, r"numerical_aperture must be in \[0, 1.33\), below both indices, got 1.4"),
        ({"radius_max_um": 0.0}, "radius_max_um must be above 0 and finite, got 0.0"),
        ({"distance_um": np.array([1.0])}, "distance_um must be a rising line of at least 2 finite distances"),
        ({"distance_um": np.array([1.0, 0.0])}, "distance_um must be a rising line"),
        ({"distance_um": np.array([0.0, np.nan])}, "distance_um must be a rising line"),
        ({"optics": Optics(0.5, 0.9), "distance_um": np.arange(-300.0, 300.0)}, "give a smaller range"),
    ],
)
def test_wrong_arguments_are_refused(changes, message):
    good = {
        "optics": LOW,
        "bead_diameter_um": 10.0,
        "bead_index": 1.59,
        "medium_index": WATER,
        "condenser_numerical_aperture": 0.1,
        "distance_um": np.array([0.0, 1.0]),
    }
    with pytest.raises(ValueError, match=message):
        bright_field_appearance(**{**good, **changes})
