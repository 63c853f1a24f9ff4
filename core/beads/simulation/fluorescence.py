"""A fluorescent bead: a filled sphere or a shell, blurred by a Gibson-Lanni point spread function of psfmodels."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import j0, j1, roots_legendre

from parfocal.beads.simulation.appearance import BeadAppearance
from parfocal.beads.simulation.geometry import check_distances, radius_limit_um
from parfocal.install.packages import extra_command
from parfocal.optics import Optics

_SAMPLES_PER_LATERAL_UNIT = 7
_PLANES_PER_DEPTH = 5
_MOST_VOXELS = 1.5e9
_CHUNK_VOXELS = 2e7
# What the trapezoidal rule of r g(r) lacks at r = 0 for an even g with the derivatives g2 and g4: the first terms of
# Euler and Maclaurin, g / 12 - g2 / 240 + g4 / 6048, with the derivatives as differences of g at 0, 1 and 2 steps.
_FOURTH = 1 / 2880 + 1 / 6048
_END_WEIGHTS = np.array([1 / 12 + 1 / 120 + 6 * _FOURTH, -1 / 120 - 8 * _FOURTH, 2 * _FOURTH])


def fluorescent_appearance(
    optics: Optics,
    bead_diameter_um: float,
    distance_um: np.ndarray,
    *,
    medium_index: Optional[float] = None,
    depth_um: float = 0.0,
    shell: bool = False,
    vectorial: bool = False,
    coverslip_below: bool = True,
    radius_max_um: Optional[float] = None,
    **psf_settings: Any,
) -> BeadAppearance:
    """Compute how a fluorescent bead looks at every distance of the image plane.

    The bead is cut into slices; each is a disc (filled) or a ring (shell) whose Hankel transform is known, 2 J1(x) / x
    or J0(x), and is multiplied with the transform of the point spread function at the slice's own distance. A slice
    h um above the centre comes into focus after h n_immersion / n_medium um of stage.

    Parameters
    ----------
    optics : Optics
        Emission wavelength, NA and immersion of the objective.
    bead_diameter_um : float
        0.05 to 40 um.
    distance_um : ndarray
        Distances of the image plane from the bead's centre (z,), um of stage, rising; positive above.
    medium_index : float, optional
        Refractive index around the bead; by default that of the immersion.
    depth_um : float
        Distance of the bead's centre from the coverslip, um, 0 or more. With unlike indices it makes spherical
        aberration, which is taken to be the same all over the bead.
    shell : bool
        Dye on the surface only.
    vectorial : bool
        Take polarisation into account (NA above about 0.7).
    coverslip_below : bool
        The objective looks from below (inverted microscope). False mirrors the distances.
    radius_max_um : float, optional
        Largest radius; by default bead and geometric blur at the farthest distance fit in.
    psf_settings
        Passed on to `psfmodels.make_psf` (`ng`, `tg`, `ti0`, ...).

    Returns
    -------
    BeadAppearance
        Intensity with background 0 and peak 1.

    Raises
    ------
    ImportError
        Where psfmodels is not installed; the message says how to install it.
    ValueError
        Where a value lies outside its range, or distance and NA together need too large a computation.
    """
    distance = check_distances(distance_um)
    if not 0.05 <= bead_diameter_um <= 40:
        raise ValueError(f"bead_diameter_um must be in [0.05, 40] um, got {bead_diameter_um}")
    if not 0 <= depth_um < math.inf:
        raise ValueError(f"depth_um must be 0 or more, got {depth_um}")
    medium = optics.immersion_index if medium_index is None else medium_index
    squeeze = optics.immersion_index / medium
    along = distance if coverslip_below else -distance[::-1]
    reach = radius_limit_um(optics, bead_diameter_um, distance, radius_max_um)
    index = {"ns": medium, "ni": optics.immersion_index, "ni0": optics.immersion_index}
    settings = {**index, "pz": depth_um, "model": "vectorial" if vectorial else "scalar", **psf_settings}
    wavenumber, weight = _wavenumbers(optics, reach)
    transform = _psf_transform(optics, along, bead_diameter_um / 2 * squeeze, reach, wavenumber, settings)
    spectrum = _bead_spectrum(transform, wavenumber, along, bead_diameter_um / 2, squeeze, shell)
    radius = np.linspace(0.0, reach, math.ceil(reach / optics.lateral_unit_um * _SAMPLES_PER_LATERAL_UNIT) + 1)
    intensity = (spectrum * wavenumber * weight) @ j0(np.outer(wavenumber, radius))
    if not coverslip_below:
        intensity = intensity[::-1]
    return BeadAppearance(radius, distance, intensity / intensity.max(), 0.0, bead_diameter_um, optics)


def _wavenumbers(optics: Optics, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss nodes and weights up to the incoherent cut-off 2 NA / wavelength, radians per um."""
    highest = 4 * np.pi * optics.numerical_aperture / optics.emission_wavelength_um
    x, weight = roots_legendre(32 + int(highest * reach / 2))
    return highest * (x + 1) / 2, weight * highest / 2


def _psf_transform(
    optics: Optics,
    distance: np.ndarray,
    half_height: float,
    reach: float,
    wavenumber: np.ndarray,
    settings: dict[str, Any],
) -> CubicSpline:
    """Hankel transform of the point spread function (k,) as a spline over the stage distance of a point."""
    try:
        import psfmodels
    except ImportError as error:
        raise ImportError(f"fluorescent_appearance needs psfmodels: {extra_command('optics')}") from error
    step = optics.lateral_unit_um / _SAMPLES_PER_LATERAL_UNIT
    samples = math.ceil(reach / step)
    low, high = distance[0] - half_height, distance[-1] + half_height
    planes = np.linspace(low, high, 8 + int((high - low) / optics.depth_of_field_um * _PLANES_PER_DEPTH))
    voxels = len(planes) * (2 * samples + 1) ** 2
    if voxels > _MOST_VOXELS:
        raise ValueError(
            f"distances of {distance[0]:g} to {distance[-1]:g} um at NA {optics.numerical_aperture:g} need"
            f" {voxels:.1g} samples (limit {_MOST_VOXELS:g}): give a smaller range or radius_max_um"
        )
    radius = np.arange(samples + 1) * step
    fade = np.cos(np.pi / 2 * np.clip(10 * radius / radius[-1] - 9, 0, 1))
    area = 2 * np.pi * step * radius
    area[: len(_END_WEIGHTS)] += 2 * np.pi * step**2 * _END_WEIGHTS
    kernel = (area * fade)[:, None] * j0(np.outer(radius, wavenumber))
    rows = []
    for part in np.array_split(planes, math.ceil(voxels / _CHUNK_VOXELS)):
        psf = psfmodels.make_psf(
            # psfmodels focuses a point of depth pz at z = pz, and z moves with the stage (Aguet et al. 2009).
            part + settings["pz"],
            nx=2 * samples + 1,
            dxy=step,
            NA=optics.numerical_aperture,
            wvl=optics.emission_wavelength_um,
            oversample_factor=1,
            normalize=False,
            **settings,
        )
        rows.append(psf[:, samples, samples:])
    return CubicSpline(planes, np.concatenate(rows) @ kernel, axis=0)


def _bead_spectrum(
    transform: CubicSpline,
    wavenumber: np.ndarray,
    distance: np.ndarray,
    radius_um: float,
    squeeze: float,
    shell: bool,
) -> np.ndarray:
    """Hankel transform of the bead's image (z, k): the sum over its slices."""
    span = 2 * radius_um * squeeze / np.diff(transform.x).mean()
    x, weight = roots_legendre(16 + int(max(wavenumber[-1] * radius_um / 2, span)))
    spectrum = np.zeros((len(distance), len(wavenumber)))
    for height, share in zip(x * radius_um, weight * radius_um):
        slice_radius = math.sqrt(radius_um**2 - height**2)
        argument = wavenumber * slice_radius
        ring = 2 * np.pi * radius_um * j0(argument) if shell else 2 * np.pi * slice_radius * j1(argument) / wavenumber
        spectrum += share * ring * transform(distance - height * squeeze)
    return spectrum
