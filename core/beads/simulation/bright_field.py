"""A dielectric sphere in bright field: Mie scattering in partially coherent Koehler light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import jv, roots_legendre

from parfocal.beads.simulation.appearance import BeadAppearance
from parfocal.beads.simulation.geometry import check_distances, radius_limit_um
from parfocal.beads.simulation.mie import mie_amplitudes, mie_coefficients
from parfocal.optics import Optics

_RADII_PER_LATERAL_UNIT = 10
_MOST_WORK = 3e11
_BLOCK_BYTES = 5e7


def bright_field_appearance(
    optics: Optics,
    bead_diameter_um: float,
    bead_index: complex,
    medium_index: float,
    condenser_numerical_aperture: float,
    distance_um: np.ndarray,
    *,
    radius_max_um: Optional[float] = None,
    light_from_below: bool = True,
) -> BeadAppearance:
    """Compute how a sphere looks in bright field at every distance of the image plane.

    Each direction of the condenser's cone is a plane wave. The sphere adds to it the angular spectrum
    -S(angle) / (2 pi k sqrt(kz kz')) of the scattered wave, where S = (S1 + S2) / 2 is the part of Mie's amplitude that
    interferes with unpolarised direct light; the objective cuts both at its NA, and moving the stage by z turns the
    phase of each direction by kz z. Intensities are summed over the condenser and averaged over the azimuth. Directions
    beyond the objective's NA give dark field. docs/bead-simulation.md derives it and names the limits.

    Parameters
    ----------
    optics : Optics
        Wavelength of the light, NA and immersion of the objective. NA below `medium_index`.
    bead_diameter_um : float
        1 to 40 um.
    bead_index : complex
        Refractive index of the bead; a positive imaginary part absorbs.
    medium_index : float
        Refractive index around the bead, 1 to 2.
    condenser_numerical_aperture : float
        NA of the illumination, 0 (coherent) or more, below `medium_index`.
    distance_um : ndarray
        Distances of the image plane from the bead's centre (z,), um of stage, rising; positive above.
    radius_max_um : float, optional
        Largest radius; by default bead and geometric blur at the farthest distance fit in.
    light_from_below : bool
        Light travels upwards, towards larger z (upright microscope). False mirrors the distances (inverted).

    Returns
    -------
    BeadAppearance
        Intensity with background 1.

    Raises
    ------
    ValueError
        Where a value lies outside its range, or distance and NA together need too large a computation.
    """
    distance = check_distances(distance_um)
    _check(optics, bead_diameter_um, complex(bead_index), medium_index, condenser_numerical_aperture)
    travelled = distance if light_from_below else -distance
    limit = radius_limit_um(optics, bead_diameter_um, distance, radius_max_um)
    radius = np.linspace(0.0, limit, math.ceil(limit / optics.lateral_unit_um * _RADII_PER_LATERAL_UNIT) + 1)
    sphere = _Sphere(optics, bead_diameter_um / 2, complex(bead_index), medium_index, condenser_numerical_aperture)
    intensity = _partially_coherent_intensity(sphere, radius, travelled)
    na = condenser_numerical_aperture
    return BeadAppearance(radius, distance, intensity, 1.0, bead_diameter_um, optics, na, light_from_below)


@dataclass(frozen=True)
class _Sphere:
    """A sphere and the light that it is seen in."""

    optics: Optics
    radius_um: float
    index: complex
    medium_index: float
    condenser_na: float

    @property
    def vacuum_wavenumber(self) -> float:
        return 2 * np.pi / self.optics.emission_wavelength_um

    @property
    def wavenumber(self) -> float:
        return self.vacuum_wavenumber * self.medium_index

    def amplitude(self, cos_angle: np.ndarray, largest_angle: float) -> np.ndarray:
        """(S1 + S2) / 2, from a table over angles up to `largest_angle` that is fine against its fringes."""
        size_parameter = self.wavenumber * self.radius_um
        angles = np.linspace(0, largest_angle * 1.001 + 1e-6, 64 + int(12 * size_parameter * largest_angle))
        s1, s2 = mie_amplitudes(*mie_coefficients(size_parameter, self.index / self.medium_index), np.cos(angles))
        return CubicSpline(angles, (s1 + s2) / 2)(np.arccos(np.clip(cos_angle, -1, 1)))

    def stage_phase(self, aperture: np.ndarray) -> np.ndarray:
        """Axial wavenumber of apertures, less that of the axis, in the immersion through which the stage moves."""
        sine = aperture / self.optics.immersion_index
        return self.vacuum_wavenumber * self.optics.immersion_index * (np.sqrt(1 - sine**2) - 1)


def _partially_coherent_intensity(sphere: _Sphere, radius: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Sum the azimuthal mean of the intensity over the condenser: (z, r), background 1."""
    source, source_weight = _source_nodes(sphere, radius[-1], distance)
    pupil, pupil_weight = _pupil_nodes(sphere, radius[-1], distance)
    _refuse_too_much(len(source) * len(pupil) * len(radius) * len(distance), sphere, distance)
    passes = source <= sphere.optics.numerical_aperture
    source_weight = source_weight / source_weight[passes].sum()
    # Amplitudes carry the root of their source's weight, so that intensities need no weights any more.
    spectrum = _scattered_harmonics(sphere, source, pupil) * np.outer(pupil * pupil_weight, np.sqrt(source_weight))
    pupil_phase = np.exp(1j * np.outer(sphere.stage_phase(pupil), distance))
    direct = np.exp(1j * np.outer(sphere.stage_phase(source), distance)) * (passes * np.sqrt(source_weight))[:, None]
    bessel_mrp = _bessel_functions(len(spectrum), sphere.vacuum_wavenumber * np.outer(radius, pupil))
    bessel_mrs = _bessel_functions(len(spectrum), sphere.vacuum_wavenumber * np.outer(radius, source))
    change_rk = np.zeros((len(radius), 2 * len(distance)))
    block = max(1, int(_BLOCK_BYTES / (16 * len(radius) * len(distance))))
    for part in (slice(start, start + block) for start in range(0, len(source), block)):
        for m in range(len(spectrum)):
            field = _harmonic_field(bessel_mrp[m], spectrum[m][:, part], pupil_phase)
            # |direct + field|^2 - |direct|^2 is the real part of field* (field + 2 direct).
            doubled = field + (2 * bessel_mrs[m][:, part, None]) * direct[part]
            change_rk += (1 if m == 0 else 2) * np.einsum("rsk,rsk->rk", field.view(float), doubled.view(float))
    return 1 + change_rk.reshape(len(radius), len(distance), 2).sum(axis=2).T


def _harmonic_field(bessel_rp: np.ndarray, spectrum_ps: np.ndarray, phase_pz: np.ndarray) -> np.ndarray:
    """One azimuthal harmonic of the scattered field in the image (r, source, z), as one real matrix product."""
    spectrum = (spectrum_ps[:, :, None] * phase_pz[:, None, :]).reshape(len(phase_pz), -1)
    field = (bessel_rp @ spectrum.view(float)).view(complex)
    return field.reshape(len(bessel_rp), spectrum_ps.shape[1], phase_pz.shape[1])


def _bessel_functions(orders: int, arguments: np.ndarray) -> np.ndarray:
    """J_m of arguments of 0 and more for m = 0 ... orders - 1: (m, ...), to 1e-7, from a table over the arguments."""
    grid = np.arange(0.0, arguments.max() + 0.4, 0.08)
    table = CubicSpline(grid, jv(np.arange(orders), grid[:, None]))
    return np.ascontiguousarray(np.moveaxis(table(arguments), -1, 0))


def _scattered_harmonics(sphere: _Sphere, source: np.ndarray, pupil: np.ndarray) -> np.ndarray:
    """Azimuthal Fourier coefficients of the scattered angular spectrum (m, pupil, source), but for negligible ones."""
    k0, k = sphere.vacuum_wavenumber, sphere.wavenumber
    sin_s, sin_p = source / sphere.medium_index, pupil / sphere.medium_index
    cos_s, cos_p = np.sqrt(1 - sin_s**2), np.sqrt(1 - sin_p**2)
    turns = 64 + 2 * int(4 * k * sphere.radius_um * max(sin_s.max(), 1e-9))
    azimuth = 2 * np.pi * np.arange(turns) / turns
    along = np.outer(sin_p, sin_s)[:, :, None] * np.cos(azimuth)
    largest = math.asin(sin_s.max()) + math.asin(sin_p.max())
    amplitude = sphere.amplitude(along + np.outer(cos_p, cos_s)[:, :, None], largest)
    spectrum = -amplitude * k0**2 / (k**2 * np.sqrt(np.outer(cos_p, cos_s)))[:, :, None]
    harmonics = np.moveaxis(np.fft.fft(spectrum, axis=2)[:, :, : turns // 2], 2, 0) / turns
    size = np.abs(harmonics).max(axis=(1, 2))
    return harmonics[: int(np.flatnonzero(size > 1e-5 * size.max(initial=1e-300)).max(initial=0)) + 1]


def _source_nodes(sphere: _Sphere, radius_max: float, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss nodes along the condenser's radius with the ring's share of its area, split at the objective's NA."""
    na, edge = sphere.condenser_na, sphere.optics.numerical_aperture
    if na == 0:
        return np.zeros(1), np.ones(1)
    lateral = sphere.vacuum_wavenumber * (sphere.radius_um + 0.1 * radius_max) * na
    axial = np.abs(distance).max() * np.abs(sphere.stage_phase(np.array(min(na + edge, sphere.optics.immersion_index))))
    nodes = 8 + int((lateral + float(axial)) / 5)
    pieces = [(0.0, na)] if na <= edge else [(0.0, edge), (edge, na)]
    parts = [_gauss(low, high, nodes) for low, high in pieces]
    source = np.concatenate([part[0] for part in parts])
    return source, np.concatenate([part[1] for part in parts]) * 2 * source / na**2


def _pupil_nodes(sphere: _Sphere, radius_max: float, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edge = sphere.optics.numerical_aperture
    lateral = sphere.vacuum_wavenumber * (radius_max + sphere.radius_um) * edge
    axial = np.abs(distance).max() * np.abs(sphere.stage_phase(np.array(edge)))
    return _gauss(0.0, edge, 24 + int((lateral + float(axial)) / 3.2))


def _gauss(low: float, high: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    x, weight = roots_legendre(nodes)
    return low + (high - low) * (x + 1) / 2, weight * (high - low) / 2


def _refuse_too_much(products_per_harmonic: float, sphere: _Sphere, distance: np.ndarray) -> None:
    products = products_per_harmonic * (10 + sphere.vacuum_wavenumber * sphere.radius_um * sphere.condenser_na)
    if products > _MOST_WORK:
        raise ValueError(
            f"distances up to {np.abs(distance).max():g} um at NA {sphere.optics.numerical_aperture:g} need"
            f" {products:.1g} products (limit {_MOST_WORK:g}): give a smaller range, fewer distances, or radius_max_um"
        )


def _check(optics: Optics, diameter: float, index: complex, medium: float, condenser: float) -> None:
    if not 1 <= diameter <= 40:
        raise ValueError(f"bead_diameter_um must be in [1, 40] um, got {diameter}")
    if not (1 <= index.real <= 4 and 0 <= index.imag <= 1):
        raise ValueError(f"bead_index must be in [1, 4] with an imaginary part in [0, 1], got {index}")
    if not 1 <= medium <= 2:
        raise ValueError(f"medium_index must be in [1, 2], got {medium}")
    limit = min(medium, optics.immersion_index)
    for name, na in (("numerical_aperture", optics.numerical_aperture), ("condenser_numerical_aperture", condenser)):
        if not 0 <= na < limit:
            raise ValueError(f"{name} must be in [0, {limit}), below both indices, got {na}")
