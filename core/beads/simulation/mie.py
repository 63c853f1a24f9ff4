"""Mie theory: light scattered by a homogeneous sphere of any size, absorbing or not."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import spherical_jn, spherical_yn


def mie_coefficients(size_parameter: float, relative_index: complex) -> tuple[np.ndarray, np.ndarray]:
    """Compute the coefficients a_n and b_n of the scattered field.

    Bohren and Huffman, Absorption and Scattering of Light by Small Particles (1983), eq. 4.88, with the logarithmic
    derivative by downward recurrence (4.89); the number of orders is that of Wiscombe 1980 (doi:10.1364/AO.19.001505).
    Fields vary as exp(-i omega t), so that absorption is a positive imaginary part.

    Parameters
    ----------
    size_parameter : float
        x = 2 pi radius n_medium / vacuum wavelength, above 0.
    relative_index : complex
        m = index of the sphere divided by that of the medium, real part above 0, imaginary part 0 or more.

    Returns
    -------
    a, b : ndarray
        Complex coefficients of the orders 1, 2, ... (n,).

    Raises
    ------
    ValueError
        Where a value lies outside its range.
    """
    x, m = float(size_parameter), complex(relative_index)
    if not 0 < x < math.inf:
        raise ValueError(f"size_parameter must be above 0 and finite, got {size_parameter}")
    if not (m.real > 0 and m.imag >= 0):
        raise ValueError(f"relative_index must be above 0 with an imaginary part of 0 or more, got {relative_index}")
    n = np.arange(1, int(x + 4.05 * x ** (1 / 3) + 2) + 1)
    orders = np.arange(0, n[-1] + 1)
    psi = x * spherical_jn(orders, x)
    xi = psi + 1j * x * spherical_yn(orders, x)
    derivative = _logarithmic_derivative(m * x, n[-1])
    electric = derivative / m + n / x
    magnetic = derivative * m + n / x
    a = (electric * psi[1:] - psi[:-1]) / (electric * xi[1:] - xi[:-1])
    b = (magnetic * psi[1:] - psi[:-1]) / (magnetic * xi[1:] - xi[:-1])
    return a, b


def mie_amplitudes(a: np.ndarray, b: np.ndarray, cos_angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the scattering amplitudes S1 and S2 (Bohren and Huffman 1983, eq. 4.74).

    Parameters
    ----------
    a, b : ndarray
        Coefficients of `mie_coefficients` (n,).
    cos_angle : ndarray
        Cosines of the scattering angle, any shape; 1 is forward.

    Returns
    -------
    s1, s2 : ndarray
        Amplitudes for light polarised across and in the scattering plane, complex, in the shape of `cos_angle`.
    """
    mu = np.asarray(cos_angle, float)
    s1, s2 = np.zeros(mu.shape, complex), np.zeros(mu.shape, complex)
    before, pi_n = np.zeros_like(mu), np.ones_like(mu)
    for n, (a_n, b_n) in enumerate(zip(a, b), start=1):
        tau_n = n * mu * pi_n - (n + 1) * before
        weight = (2 * n + 1) / (n * (n + 1))
        s1 += weight * (a_n * pi_n + b_n * tau_n)
        s2 += weight * (a_n * tau_n + b_n * pi_n)
        before, pi_n = pi_n, ((2 * n + 1) * mu * pi_n - (n + 1) * before) / n
    return s1, s2


def mie_efficiencies(size_parameter: float, relative_index: complex) -> tuple[float, float]:
    """Cross sections for extinction and scattering over the geometric one (Bohren and Huffman 1983, eq. 4.61, 4.62)."""
    a, b = mie_coefficients(size_parameter, relative_index)
    weight = 2 * np.arange(1, len(a) + 1) + 1
    extinction = 2 / size_parameter**2 * float((weight * (a + b).real).sum())
    scattering = 2 / size_parameter**2 * float((weight * (np.abs(a) ** 2 + np.abs(b) ** 2)).sum())
    return extinction, scattering


def _logarithmic_derivative(z: complex, n_orders: int) -> np.ndarray:
    """psi_n'(z) / psi_n(z) for n = 1 ... n_orders; downward, since upward is unstable for absorbing spheres."""
    # Far enough beyond |z| that the wrong start has died away: the turning region is some |z|^(1/3) orders wide.
    start = int(max(n_orders, abs(z) + 8 * abs(z) ** (1 / 3))) + 16
    derivative = np.zeros(start + 1, complex)
    for n in range(start, 0, -1):
        derivative[n - 1] = n / z - 1 / (derivative[n] + n / z)
    return derivative[1 : n_orders + 1]
