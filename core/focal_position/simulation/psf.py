"""Stacks of aberrated point spread functions, counted from the plane of best focus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from parfocal.install.packages import extra_command
from parfocal.optics.optics import Optics

COVERSLIP_INDEX, COVERSLIP_UM = 1.515, 170.0
# Planes of a PSF stack lie so many depths of field apart; between them it is interpolated.
PLANE_SPACING = 0.25
PSF_PX = 65
# Depths of field to both sides, by default.
REACH = 20.0


@dataclass(frozen=True, eq=False)
class PsfStack:
    """PSFs of one objective and one coverslip.

    Attributes
    ----------
    optics : Optics
    psf_zyx : ndarray
        Planes `PLANE_SPACING` depths of field apart, the middle one in focus, each of sum 1, float32. A larger index
        is a larger z of the plane that the objective is set to: above the point.
    aberration_waves : float
        Primary spherical aberration W040 at the rim of the pupil, in wavelengths; positive for a thick coverslip.
    """

    optics: Optics
    psf_zyx: np.ndarray
    aberration_waves: float

    @property
    def reach(self) -> float:
        """Distance of the last plane from focus, depths of field."""
        return (len(self.psf_zyx) // 2) * PLANE_SPACING

    def at(self, defocus: float) -> np.ndarray:
        """PSF (y, x) at a signed distance from focus, in depths of field; beyond the reach that of the last plane."""
        place = np.clip(defocus / PLANE_SPACING + len(self.psf_zyx) // 2, 0, len(self.psf_zyx) - 1)
        below = min(int(place), len(self.psf_zyx) - 2)
        share = np.float32(place - below)
        return np.asarray((1 - share) * self.psf_zyx[below] + share * self.psf_zyx[below + 1])


@lru_cache(maxsize=64)
def psf_stack(optics: Optics, aberration_waves: float = 0.0, reach: float = REACH, vectorial: bool = False) -> PsfStack:
    """Compute a stack of Gibson-Lanni PSFs (through psfmodels) behind a coverslip of the wrong thickness.

    In the scalar model a PSF with the aberration W at distance z is that with -W at -z: the sign of an image can be
    learnt for one sign of the aberration, and without aberration not at all.

    Parameters
    ----------
    optics : Optics
        Air objective (`immersion_index` below the coverslip's 1.515) and pixel size.
    aberration_waves : float
        W040 in wavelengths; it is turned into a coverslip too thick (positive) or too thin by the third-order formula
        t (n^2 - 1) NA^4 / (8 n^3) (Mahajan, Optical Imaging and Aberrations I, plane-parallel plate).
    reach : float
        Depths of field to both sides.
    vectorial : bool
        Vectorial instead of scalar diffraction.

    Raises
    ------
    ImportError
        Without psfmodels.
    ValueError
        For an immersion as dense as the coverslip, where its thickness does nothing.
    """
    excess_um = coverslip_excess_um(optics, aberration_waves)
    depth = optics.depth_of_field_um
    focus_um = _best_focus_um(optics, excess_um, vectorial)
    count = round(reach / PLANE_SPACING)
    z_um = focus_um + np.arange(-count, count + 1) * PLANE_SPACING * depth
    psf_zyx = _gibson_lanni(z_um, optics, excess_um, PSF_PX, vectorial)
    psf_zyx /= psf_zyx.sum(axis=(1, 2), keepdims=True)
    return PsfStack(optics, psf_zyx.astype(np.float32), aberration_waves)


def coverslip_excess_um(optics: Optics, aberration_waves: float) -> float:
    """Thickness beyond the design that gives an aberration W040 (in wavelengths), um; negative for too thin."""
    n = COVERSLIP_INDEX / optics.immersion_index
    if n <= 1.01:
        raise ValueError(f"immersion_index must be below that of the coverslip, got {optics.immersion_index:g}")
    sine = optics.numerical_aperture / optics.immersion_index
    path_um = aberration_waves * optics.emission_wavelength_um / optics.immersion_index
    return path_um * 8 * n**3 / ((n**2 - 1) * sine**4)


def _best_focus_um(optics: Optics, excess_um: float, vectorial: bool) -> float:
    """Find the z of the plane whose PSF is most concentrated (sum of squares), between planes by a parabola."""
    step = optics.depth_of_field_um / 4
    n = COVERSLIP_INDEX / optics.immersion_index
    shift = abs(excess_um) * optics.numerical_aperture**2 / (2 * n) + 4 * optics.depth_of_field_um
    # The paraxial shift of such a plate bounds the search.
    z_um = np.arange(-np.ceil(shift / step), np.ceil(shift / step) + 1) * step
    psf_zyx = _gibson_lanni(z_um, optics, excess_um, 33, vectorial)
    sharpness = (psf_zyx**2).sum(axis=(1, 2)) / psf_zyx.sum(axis=(1, 2)) ** 2
    top = int(np.clip(np.argmax(sharpness), 1, len(z_um) - 2))
    before, here, after = sharpness[top - 1 : top + 2]
    curve = before - 2 * here + after
    return float(z_um[top] + (step * (before - after) / (2 * curve) if curve < 0 else 0.0))


def _gibson_lanni(z_um: np.ndarray, optics: Optics, excess_um: float, size_px: int, vectorial: bool) -> np.ndarray:
    try:
        import psfmodels
    except ImportError as error:
        raise ImportError(f"simulated stacks need psfmodels: {extra_command('optics')}") from error
    index = optics.immersion_index
    made = psfmodels.make_psf(
        z_um.tolist(),
        nx=size_px,
        dxy=optics.pixel_size_um,
        NA=optics.numerical_aperture,
        wvl=optics.emission_wavelength_um,
        ns=index,
        ni=index,
        ni0=index,
        tg0=COVERSLIP_UM,
        # Counted from a plate that is thick enough to be made thinner: only the difference matters.
        tg=COVERSLIP_UM + excess_um,
        ng=COVERSLIP_INDEX,
        ng0=COVERSLIP_INDEX,
        normalize=False,
        model="vectorial" if vectorial else "scalar",
    )
    return np.asarray(made, float)
