"""What an image file says about how the image was taken, and the image with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np

# Micrometres per unit, by the ways in which files spell it.
_UNIT_UM = {
    "m": 1e6,
    "cm": 1e4,
    "mm": 1e3,
    "um": 1.0,
    "\u00b5m": 1.0,
    "\u03bcm": 1.0,
    "\\u00b5m": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "nm": 1e-3,
    "\u00e5": 1e-4,
    "pm": 1e-6,
}
# Refractive indices of the immersion media that files name without giving a number.
_IMMERSION_INDEX = {"air": 1.0, "dry": 1.0, "water": 1.333, "waterdipping": 1.333, "glycerol": 1.47, "oil": 1.515}
_MODALITY = {
    "brightfield": "bright_field",
    "phase": "phase_contrast",
    "phasecontrast": "phase_contrast",
    "dic": "other",
    "dicontrast": "other",
    "transmitdetector": "bright_field",
    "widefield": "widefield_fluorescence",
    "laserscanningconfocalmicroscopy": "confocal",
    "laserscanconfocal": "confocal",
    "spinningdiskconfocal": "confocal",
    "slitscanconfocal": "confocal",
    "sweptfieldconfocalpinhole": "confocal",
    "sweptfieldconfocalslit": "confocal",
    "dsdconfocal": "confocal",
    "multiphoton": "confocal",
    "multiphotonmicroscopy": "confocal",
    "confocal": "confocal",
    "spim": "light_sheet",
    "lightsheet": "light_sheet",
    "fluorescence": "widefield_fluorescence",
}


class UnreadableImage(ValueError):
    """A file that cannot be read as images; the message says why and what would help."""


@dataclass(frozen=True)
class ImageMetadata:
    """How one image was taken, as far as its file says; None where it does not.

    Attributes
    ----------
    pixel_size_um, z_step_um, emission_wavelength_um : float, optional
        Micrometres.
    numerical_aperture, immersion_index : float, optional
    modality : str, optional
        One of the kinds of microscope that `measure_image_focus` knows.
    series, channel, time : int
        Place of the image in the file, from 0.
    series_name, channel_name : str
        Empty where the file gives none.
    description : str
        Free text of the file on this image; what Parfocal has restored is marked here.
    plate, well, site : str
        Where on which plate it was taken; empty where the file does not say.
    acquired : str
        When it was taken, ISO 8601; empty where the file does not say.
    """

    pixel_size_um: Optional[float] = None
    z_step_um: Optional[float] = None
    numerical_aperture: Optional[float] = None
    emission_wavelength_um: Optional[float] = None
    immersion_index: Optional[float] = None
    modality: Optional[str] = None
    series: int = 0
    series_name: str = ""
    channel: int = 0
    channel_name: str = ""
    time: int = 0
    description: str = field(default="", repr=False)
    plate: str = ""
    well: str = ""
    site: str = ""
    acquired: str = ""


@dataclass(frozen=True)
class ImageItem:
    """One image of a file.

    Attributes
    ----------
    path : Path
    pixels : ndarray
        (y, x) or (z, y, x), with 3 or 4 colours last where the file holds colours.
    metadata : ImageMetadata
    """

    path: Path
    pixels: np.ndarray = field(repr=False)
    metadata: ImageMetadata = field(default_factory=ImageMetadata)


def positive(value: Any) -> Optional[float]:
    """Read a number from a file's text: None where it is missing, no number, or not above 0."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def length_um(value: Any, unit: str) -> Optional[float]:
    """Convert a length with its unit to um; None where the unit is no length (pixel, inch of a printer)."""
    number, factor = positive(value), _UNIT_UM.get(unit.strip().lower())
    # 12 digits keep 0.325 from a file that says 3.25e-07 m.
    return None if number is None or factor is None else float(f"{number * factor:.12g}")


def position_um(value: Any, unit: str) -> Optional[float]:
    """Convert a position with its unit to um, of either sign; None where it is no number or the unit no length."""
    factor = _UNIT_UM.get(unit.strip().lower())
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if factor is None or not math.isfinite(number) else float(f"{number * factor:.12g}")


def immersion_index(index: Any, medium: Optional[str]) -> Optional[float]:
    """Refractive index from a file: its number, else that of the medium it names, else None."""
    return positive(index) or _IMMERSION_INDEX.get((medium or "").replace(" ", "").lower())


def modality(*names: Optional[str]) -> Optional[str]:
    """Kind of microscope from a file's words, the telling ones first; None where no word is known."""
    known = {_MODALITY.get((name or "").replace(" ", "").lower()) for name in names} - {None}
    order = ("bright_field", "phase_contrast", "other", "light_sheet", "confocal", "widefield_fluorescence")
    return next((kind for kind in order if kind in known), None)
