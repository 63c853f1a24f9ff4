from __future__ import annotations

import numpy as np
import pytest

from parfocal.beads.simulation.mie import mie_amplitudes, mie_coefficients, mie_efficiencies

pytestmark = pytest.mark.current_python


@pytest.mark.parametrize(
    ("size_parameter", "relative_index", "extinction"),
    [
        # Wiscombe 1979, NCAR/TN-140+STR, and the example of Bohren and Huffman 1983, appendix A.
        (10.0, 1.5, 2.881999),
        (100.0, 1.5, 2.094388),
        (1000.0, 1.5, 2.013945),
        (1.0, 1.5 + 1j, 2.336321),
        (100.0, 1.5 + 1j, 2.097502),
        (10000.0, 1.5 + 1j, 2.004368),
        (2 * np.pi * 0.525 / 0.6328, 1.55, 3.105425),
    ],
)
def test_extinction_is_the_published_one(size_parameter, relative_index, extinction):
    assert mie_efficiencies(size_parameter, relative_index)[0] == pytest.approx(extinction, abs=1.2e-6)


@pytest.mark.parametrize("size_parameter", [0.01, 1.0, 10.0, 216.0, 1000.0])
def test_a_clear_sphere_scatters_all_that_it_removes(size_parameter):
    extinction, scattering = mie_efficiencies(size_parameter, 1.59 / 1.33)
    assert scattering == pytest.approx(extinction, rel=1e-9)


def test_an_absorbing_sphere_removes_more_than_it_scatters():
    extinction, scattering = mie_efficiencies(20.0, 1.2 + 0.01j)
    assert 0.1 < extinction - scattering < extinction


def test_a_small_sphere_scatters_as_rayleigh_says():
    x, m = 0.01, 1.5
    expected = 8 / 3 * x**4 * ((m**2 - 1) / (m**2 + 2)) ** 2
    assert mie_efficiencies(x, m)[1] == pytest.approx(expected, rel=1e-4)


def test_a_large_soft_sphere_follows_van_de_hulst():
    """Anomalous diffraction (van de Hulst 1957, 11.22), for m near 1 and x large."""
    x, m = 400.0, 1.005
    rho = 2 * x * (m - 1)
    expected = 2 - 4 / rho * np.sin(rho) + 4 / rho**2 * (1 - np.cos(rho))
    assert mie_efficiencies(x, m)[0] == pytest.approx(expected, rel=0.01)


def test_forward_amplitude_gives_the_extinction():
    x, m = 50.0, 1.2 + 0.001j
    s1, s2 = mie_amplitudes(*mie_coefficients(x, m), np.ones(1))
    assert s1[0] == pytest.approx(s2[0], rel=1e-12)
    assert 4 / x**2 * s1[0].real == pytest.approx(mie_efficiencies(x, m)[0], rel=1e-12)


def test_amplitudes_over_all_angles_give_the_scattering():
    x, m = 12.0, 1.33
    cosine, weight = np.polynomial.legendre.leggauss(80)
    s1, s2 = mie_amplitudes(*mie_coefficients(x, m), cosine)
    total = ((np.abs(s1) ** 2 + np.abs(s2) ** 2) * weight).sum() / x**2
    assert total == pytest.approx(mie_efficiencies(x, m)[1], rel=1e-10)


@pytest.mark.parametrize("size_parameter", [0.0, -1.0, np.nan, np.inf])
def test_size_parameter_must_be_positive(size_parameter):
    with pytest.raises(ValueError, match="size_parameter must be above 0 and finite, got"):
        mie_coefficients(size_parameter, 1.5)


@pytest.mark.parametrize("relative_index", [0.0, -1.2, 1.5 - 0.1j, complex(np.nan, 0)])
def test_relative_index_must_be_physical(relative_index):
    with pytest.raises(ValueError, match="relative_index must be above 0 with an imaginary part of 0 or more, got"):
        mie_coefficients(10.0, relative_index)
