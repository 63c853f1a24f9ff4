from __future__ import annotations

import sys

import numpy as np
import pytest

from parfocal.beads.simulation import fluorescent_appearance
from parfocal.optics import Optics
from parfocal.optics.psf import born_wolf_intensity

pytestmark = pytest.mark.current_python

LOW = Optics(0.52, 0.2, 1.0, 0.5)
HIGH = Optics(0.52, 0.6, 1.0, 0.2)


def test_a_tiny_bead_shows_the_point_spread_function():
    distance = np.array([-40.0, -15.0, 0.0, 25.0])
    optics = Optics(0.52, 0.1, 1.0, 0.5)
    appearance = fluorescent_appearance(optics, 0.1, distance)
    inner = appearance.radius_um < 20
    expected = [born_wolf_intensity(appearance.radius_um[inner], z, optics) for z in distance]
    np.testing.assert_allclose(appearance.intensity_zr[:, inner], expected, atol=0.003)


def test_a_filled_bead_in_focus_is_as_bright_as_it_is_thick():
    """At low NA the depth of field spans the bead, so that the image is the sphere's projection."""
    optics = Optics(0.52, 0.1, 1.0, 0.5)
    appearance = fluorescent_appearance(optics, 24.0, np.array([-1.0, 0.0, 1.0]), radius_max_um=60)
    inner = appearance.radius_um < 6
    expected = np.sqrt(1 - (appearance.radius_um[inner] / 12) ** 2)
    np.testing.assert_allclose(appearance.intensity_zr[1, inner], expected, atol=0.01)


def test_a_shell_is_brightest_at_its_rim():
    appearance = fluorescent_appearance(HIGH, 6.0, np.array([-1.0, 0.0, 1.0]))
    profile = appearance.intensity_zr[1]
    assert appearance.radius_um[profile.argmax()] < 0.5
    shell = fluorescent_appearance(HIGH, 6.0, np.array([-1.0, 0.0, 1.0]), shell=True).intensity_zr[1]
    assert appearance.radius_um[shell.argmax()] == pytest.approx(3.0, abs=0.35)
    assert shell[0] < 0.6 < profile[0]


def test_every_plane_holds_the_same_energy():
    appearance = fluorescent_appearance(HIGH, 4.0, np.linspace(-6, 6, 5), radius_max_um=20)
    energy = (appearance.intensity_zr * appearance.radius_um).sum(axis=1)
    np.testing.assert_allclose(energy, energy[2], rtol=0.004)


def test_peak_is_one_and_background_zero():
    appearance = fluorescent_appearance(HIGH, 2.0, np.linspace(-8, 8, 9))
    assert appearance.intensity_zr.max() == 1.0
    assert appearance.background == 0.0
    assert not appearance.is_bright_field
    assert np.abs(appearance.intensity_zr[:, -1]).max() < 2e-3


def test_without_aberration_both_sides_are_alike():
    intensity = fluorescent_appearance(HIGH, 2.0, np.linspace(-8, 8, 9)).intensity_zr
    np.testing.assert_allclose(intensity, intensity[::-1], atol=1e-6)


def test_depth_in_another_index_makes_spherical_aberration():
    distance = np.linspace(-16, 16, 65)
    settings = {"medium_index": 1.33, "depth_um": 40.0, "radius_max_um": 16}
    below = fluorescent_appearance(HIGH, 1.0, distance, **settings)
    above = fluorescent_appearance(HIGH, 1.0, distance, coverslip_below=False, **settings)
    np.testing.assert_allclose(above.intensity_zr, below.intensity_zr[::-1], atol=1e-9)
    # Seen from below, the marginal rays of a dry objective in water meet lower than the paraxial ones.
    assert -3.0 < distance[below.intensity_zr[:, 0].argmax()] < -0.5


def test_a_medium_of_higher_index_shortens_the_bead_on_the_stage():
    """Paraxially, a dry stage sees a bead in water as an immersion stage does at 1.33 times the distance."""
    distance, settings = np.linspace(-30, 30, 7), {"medium_index": 1.33, "radius_max_um": 25, "shell": True}
    immersed = fluorescent_appearance(Optics(0.52, 0.2, 1.33, 0.5), 20.0, 1.33 * distance, **settings)
    dry = fluorescent_appearance(LOW, 20.0, distance, **settings)
    np.testing.assert_allclose(dry.intensity_zr, immersed.intensity_zr, atol=0.01)


def test_vectorial_and_scalar_agree_at_low_aperture():
    distance = np.array([-20.0, 0.0, 20.0])
    scalar, vectorial = (fluorescent_appearance(LOW, 3.0, distance, vectorial=v).intensity_zr for v in (False, True))
    np.testing.assert_allclose(vectorial, scalar, atol=0.01)


def test_without_psfmodels_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psfmodels", None)
    with pytest.raises(ImportError, match=r'-e "\.\[optics\]"'):
        fluorescent_appearance(LOW, 1.0, np.array([0.0, 1.0]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bead_diameter_um": 0.01}, r"bead_diameter_um must be in \[0.05, 40\] um, got 0.01"),
        ({"depth_um": -1.0}, "depth_um must be 0 or more, got -1.0"),
        ({"radius_max_um": np.inf}, "radius_max_um must be above 0 and finite, got inf"),
        ({"distance_um": np.zeros(2)}, "distance_um must be a rising line"),
        ({"optics": HIGH, "distance_um": np.array([-300.0, 300.0])}, "give a smaller range or radius_max_um"),
    ],
)
def test_wrong_arguments_are_refused(changes, message):
    good = {"optics": LOW, "bead_diameter_um": 1.0, "distance_um": np.array([0.0, 1.0])}
    with pytest.raises(ValueError, match=message):
        fluorescent_appearance(**{**good, **changes})
