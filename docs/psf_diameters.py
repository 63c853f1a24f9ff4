"""Print the 80 percent energy diameters of the two PSF models at NA 0.5, 500 nm, in air."""

from __future__ import annotations

import numpy as np

from parfocal.optics import Optics, encircled_energy_diameter_um, gibson_lanni_psf
from parfocal.optics.psf import born_wolf_intensity

RADIUS_UM = np.linspace(0.0, 200.0, 20001)


def born_wolf_diameter_um(defocus_distance_um: float) -> float:
    """Integrate the radial profile out to 200 um."""
    energy = np.cumsum(born_wolf_intensity(RADIUS_UM, defocus_distance_um) * RADIUS_UM)
    return 2.0 * float(np.interp(0.8 * energy[-1], energy, RADIUS_UM))


if __name__ == "__main__":
    optics = Optics(pixel_size_um=0.1)
    for distance_um in (4.0, 10.0, 20.0):
        psf_yx = gibson_lanni_psf(distance_um, optics, size_px=601)
        gibson_lanni = encircled_energy_diameter_um(psf_yx, optics.pixel_size_um)
        born_wolf = born_wolf_diameter_um(distance_um)
        print(f"{distance_um:4g} um  Born-Wolf {born_wolf:6.2f}  Gibson-Lanni {gibson_lanni:6.2f}")
