"""The optics of a widefield microscope and the arithmetic of defocus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Optional

# At the scale of Yang et al. (2018) one defocus level is 2 um, one depth of field, and widens the blur by this much:
# 2 * 2 um * NA 0.5 / n 1.0 = 2 um, on pixels of 0.65 um.
BLUR_PX_PER_LEVEL = 2.0 / 0.65


@dataclass(frozen=True)
class Optics:
    """A widefield objective and camera, in physical units.

    The defaults are those of Yang et al. (2018): 20x, NA 0.5, air, 500 nm, binning 2.

    Parameters
    ----------
    emission_wavelength_um : float
        Vacuum wavelength of the emission, um, 0.2 to 2.
    numerical_aperture : float
        In (0, immersion_index].
    immersion_index : float
        Refractive index of the immersion medium, 1 to 2.
    pixel_size_um : float
        Camera pixel divided by magnification, um, above 0.

    Raises
    ------
    ValueError
        Where a value lies outside its range; the message states the range and the value.
    """

    emission_wavelength_um: float = 0.5
    numerical_aperture: float = 0.5
    immersion_index: float = 1.0
    pixel_size_um: float = 0.65

    def __post_init__(self) -> None:
        _require(0.2 <= self.emission_wavelength_um <= 2.0, "emission_wavelength_um", "[0.2, 2.0] um", self)
        _require(1.0 <= self.immersion_index <= 2.0, "immersion_index", "[1.0, 2.0]", self)
        limit = f"(0, immersion_index={self.immersion_index}]"
        _require(0 < self.numerical_aperture <= self.immersion_index, "numerical_aperture", limit, self)
        _require(0 < self.pixel_size_um < math.inf, "pixel_size_um", "(0, inf) um", self)

    @property
    def depth_of_field_um(self) -> float:
        """Wave-optical depth of field n * lambda / NA^2, um (Born and Wolf, Principles of Optics, 8.8)."""
        return self.immersion_index * self.emission_wavelength_um / self.numerical_aperture**2

    @property
    def lateral_unit_um(self) -> float:
        """Lateral unit of the diffraction pattern lambda / NA, um."""
        return self.emission_wavelength_um / self.numerical_aperture

    def blur_diameter_px(self, defocus_distance_um: float) -> float:
        """Diameter of the geometric (paraxial) blur disc 2 z NA / n, in pixels, at a distance from focus in um."""
        blur_um = 2.0 * abs(defocus_distance_um) * self.numerical_aperture / self.immersion_index
        return blur_um / self.pixel_size_um

    def defocus_distance_um(self, blur_diameter_px: float) -> float:
        """Distance from focus in um at which the geometric blur disc has this diameter in pixels."""
        blur_um = abs(blur_diameter_px) * self.pixel_size_um
        return blur_um * self.immersion_index / (2.0 * self.numerical_aperture)

    def level_to_um(self, defocus_level: float) -> float:
        """Distance from focus in um of a defocus level that was read at this pixel size."""
        return self.defocus_distance_um(defocus_level * BLUR_PX_PER_LEVEL)

    def um_to_level(self, defocus_distance_um: float) -> float:
        """Defocus level (0 sharp, not limited to 10) that a distance in um shows at this pixel size."""
        return self.blur_diameter_px(defocus_distance_um) / BLUR_PX_PER_LEVEL

    def with_pixel_size(self, pixel_size_um: float) -> Optics:
        """Return the same objective on pixels of another size, um."""
        return Optics(self.emission_wavelength_um, self.numerical_aperture, self.immersion_index, pixel_size_um)


class KnownOptics(NamedTuple):
    """Optics where all is known, else None; `incomplete` where only a part is, which says nothing about the scale."""

    optics: Optional[Optics]
    incomplete: bool


def known_optics(
    emission_wavelength_um: Optional[float],
    numerical_aperture: Optional[float],
    immersion_index: float,
    pixel_size_um: Optional[float],
) -> KnownOptics:
    """Put together what is known of a microscope.

    Parameters
    ----------
    emission_wavelength_um, numerical_aperture, immersion_index, pixel_size_um : float or None
        As of `Optics`; None for what is not known.

    Raises
    ------
    ValueError
        Where all is known and a value lies outside its range.
    """
    if emission_wavelength_um is not None and numerical_aperture is not None and pixel_size_um is not None:
        return KnownOptics(Optics(emission_wavelength_um, numerical_aperture, immersion_index, pixel_size_um), False)
    given = (emission_wavelength_um, numerical_aperture, pixel_size_um)
    return KnownOptics(None, any(value is not None for value in given))


def _require(holds: bool, name: str, allowed: str, optics: Optics) -> None:
    if not holds:
        raise ValueError(f"{name} must be in {allowed}, got {getattr(optics, name)}")


MODEL_OPTICS = Optics()
