"""Optics in physical units, and the point spread functions that follow from them."""

from parfocal.optics.optics import Optics
from parfocal.optics.psf import born_wolf_psf, encircled_energy_diameter_um, gibson_lanni_psf

__all__ = ["Optics", "born_wolf_psf", "encircled_energy_diameter_um", "gibson_lanni_psf"]
