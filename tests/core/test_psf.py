from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.special import j1

from parfocal.optics import Optics, born_wolf_psf, encircled_energy_diameter_um, gibson_lanni_psf
from parfocal.optics.psf import born_wolf_intensity

OPTICS = [Optics(), Optics(0.6, 1.2, 1.33, 0.2)]
FINE = Optics(pixel_size_um=0.1)


@pytest.mark.parametrize("optics", OPTICS)
def test_in_focus_it_is_the_airy_pattern(optics):
    radius_um = np.linspace(1e-3, 12.0, 400)
    v = 2 * np.pi / optics.emission_wavelength_um * optics.numerical_aperture * radius_um
    np.testing.assert_allclose(born_wolf_intensity(radius_um, 0.0, optics), (2 * j1(v) / v) ** 2, atol=1e-12)


@pytest.mark.parametrize("optics", OPTICS)
@pytest.mark.parametrize("z_um", [0.3, 2.0, 7.0, 20.0])
def test_on_the_axis_it_is_the_squared_sinc(optics, z_um):
    u = 2 * np.pi / optics.emission_wavelength_um * optics.numerical_aperture**2 / optics.immersion_index * z_um
    expected = (np.sin(u / 4) / (u / 4)) ** 2
    assert born_wolf_intensity(np.zeros(1), z_um, optics)[0] == pytest.approx(expected, abs=1e-12)


def test_both_sides_of_focus_are_alike():
    radius_um = np.linspace(0, 10, 50)
    np.testing.assert_allclose(born_wolf_intensity(radius_um, 5.0), born_wolf_intensity(radius_um, -5.0), atol=1e-14)


def test_every_plane_holds_the_same_energy():
    """Parseval: int h v dv = 4 int rho drho = 2 at every z; the circle of 60 um leaves out 1 / (pi v / 2) of it."""
    step_um = 0.02
    v = 2 * np.pi * (np.arange(0, 60, step_um) + step_um / 2)
    energies = [
        (born_wolf_intensity(v / (2 * np.pi), z) * v).sum() * 2 * np.pi * step_um for z in (0.0, 2.0, 6.0, 20.0)
    ]
    np.testing.assert_allclose(energies, 2 * (1 - 2 / (np.pi * v[-1])), rtol=1e-3)


@pytest.mark.parametrize(("z_um", "diameter_um"), [(4, 3.66), (10, 8.57), (20, 17.1)])
def test_born_wolf_holds_80_percent_of_its_energy_within_the_known_diameter(z_um, diameter_um):
    psf = born_wolf_psf(z_um, FINE, 401)
    assert encircled_energy_diameter_um(psf, 0.1) == pytest.approx(diameter_um, rel=0.006)


@pytest.mark.parametrize(("z_um", "diameter_um"), [(4, 3.94), (10, 9.43), (20, 19.0)])
def test_gibson_lanni_blurs_wider_than_born_wolf(z_um, diameter_um):
    psf = gibson_lanni_psf(z_um, FINE, 401)
    assert encircled_energy_diameter_um(psf, 0.1) == pytest.approx(diameter_um, rel=0.006)


@pytest.mark.parametrize("z_um", [0.0, 5.0])
def test_all_three_models_agree_at_low_aperture(z_um):
    low = Optics(numerical_aperture=0.1, pixel_size_um=0.5)
    paraxial = born_wolf_psf(z_um, low, 33)
    np.testing.assert_allclose(gibson_lanni_psf(z_um, low, 33), paraxial, atol=0.003 * paraxial.max())
    np.testing.assert_allclose(gibson_lanni_psf(z_um, low, 33, vectorial=True), paraxial, atol=0.005 * paraxial.max())


def test_gibson_lanni_without_psfmodels_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psfmodels", None)
    with pytest.raises(ImportError, match=r'-e "\.\[optics\]"'):
        gibson_lanni_psf(0.0)


@pytest.mark.parametrize("z_um", [0.0, 4.0, 20.0])
def test_kernel_is_normalised_non_negative_and_symmetric(z_um):
    psf = born_wolf_psf(z_um)
    assert psf.shape == (65, 65)
    assert psf.sum() == pytest.approx(1.0, abs=1e-12)
    assert psf.min() >= 0
    np.testing.assert_allclose(psf, psf[::-1], atol=1e-15)
    np.testing.assert_allclose(psf, psf.T, atol=1e-15)


def test_pixels_integrate_the_intensity():
    """Three by three pixels of a third of the size hold what one pixel of the coarse kernel holds."""
    coarse = born_wolf_psf(6.0, Optics(pixel_size_um=0.6), 33)
    fine = born_wolf_psf(6.0, Optics(pixel_size_um=0.2), 99).reshape(33, 3, 33, 3).sum(axis=(1, 3))
    np.testing.assert_allclose(coarse, fine, atol=0.015 * fine.max())


@pytest.mark.parametrize("size_px", [0, 64, -3])
def test_even_or_empty_kernel_is_refused(size_px):
    with pytest.raises(ValueError, match=f"size_px must be an odd number of at least 1, got {size_px}"):
        born_wolf_psf(0.0, size_px=size_px)


def test_encircled_energy_of_a_uniform_disc():
    """A disc of radius R holds a share f within R sqrt(f)."""
    y, x = np.indices((401, 401)) - 200
    disc = (np.hypot(y, x) <= 150).astype(float)
    assert encircled_energy_diameter_um(disc, 0.1, 0.8) == pytest.approx(2 * 15 * np.sqrt(0.8), rel=2e-3)
