"""Optics and beads close to the two instruments of Chalfoun et al. 2024, as far as the paper states them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parfocal.beads.simulation.appearance import BeadAppearance
from parfocal.beads.simulation.bright_field import bright_field_appearance
from parfocal.focus_quality.synthesis import Camera
from parfocal.optics import Optics


@dataclass(frozen=True)
class BrightFieldPreset:
    """Everything that decides how a bead looks in bright field on one instrument.

    Parameters
    ----------
    optics : Optics
        Objective, wavelength and pixel size.
    condenser_numerical_aperture : float
        NA of the illumination.
    bead_diameter_um, bead_index, medium_index : float
        The bead and what surrounds it.
    distance_range_um : tuple of float
        First and last distance of the image plane from the bead's centre, um.
    distance_step_um : float
        Spacing of the distances, um.
    camera : Camera
        Noise and bit depth.
    background_electrons : float
        Expected photoelectrons per background pixel.
    crop_px : int
        Width of the crop of one bead.
    """

    optics: Optics
    condenser_numerical_aperture: float
    bead_diameter_um: float
    bead_index: complex
    medium_index: float
    distance_range_um: tuple[float, float]
    distance_step_um: float
    camera: Camera
    background_electrons: float
    crop_px: int

    @property
    def distance_um(self) -> np.ndarray:
        """Distances of the appearance (z,), um."""
        first, last = self.distance_range_um
        return np.linspace(first, last, round((last - first) / self.distance_step_um) + 1)

    def appearance(self, **changes: Any) -> BeadAppearance:
        """Compute the bead's appearance; `changes` replace fields of the preset, as `bead_diameter_um=27.0`."""
        preset = replace(self, **changes)
        return bright_field_appearance(
            preset.optics,
            preset.bead_diameter_um,
            preset.bead_index,
            preset.medium_index,
            preset.condenser_numerical_aperture,
            preset.distance_um,
        )


# The paper states for the A2K: pixels of about 1.5 um, 8 bits, beads of 27 to 30 um, -307.5 to 292.5 um about the
# reference plane. Objective, condenser and wavelength are guessed.
A2K_LIKE = BrightFieldPreset(
    optics=Optics(emission_wavelength_um=0.55, numerical_aperture=0.13, immersion_index=1.0, pixel_size_um=1.5),
    condenser_numerical_aperture=0.1,
    bead_diameter_um=28.5,
    bead_index=1.59,
    medium_index=1.33,
    distance_range_um=(-330.0, 390.0),
    distance_step_um=2.5,
    camera=Camera(gain=0.0125, offset=0.0, read_noise=8.0, max_count=255),
    background_electrons=10000.0,
    crop_px=64,
)

# The paper states for the Nikon: crops of 128 pixels, -12 to 12 um about the reference plane, edges less steep than on
# the A2K. Everything else is guessed.
NIKON_LIKE = BrightFieldPreset(
    optics=Optics(emission_wavelength_um=0.55, numerical_aperture=0.3, immersion_index=1.0, pixel_size_um=0.65),
    condenser_numerical_aperture=0.2,
    bead_diameter_um=28.5,
    bead_index=1.59,
    medium_index=1.33,
    distance_range_um=(-40.0, 90.0),
    distance_step_um=1.0,
    camera=Camera(gain=0.2, offset=100.0, read_noise=4.0, max_count=4095),
    background_electrons=8000.0,
    crop_px=128,
)
