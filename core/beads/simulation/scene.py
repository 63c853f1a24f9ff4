"""A field of beads and the sweep through it, plane by plane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

import numpy as np

from parfocal.beads.simulation.appearance import PixelProfiles
from parfocal.beads.simulation.settings import Light, Sample, Stage
from parfocal.beads.simulation.surroundings import Cells
from parfocal.focus_quality.synthesis import Camera


@dataclass(frozen=True, eq=False)
class BeadScene:
    """A field of beads and the sweep through it: the truth, and the planes on demand.

    Heights and positions are those of the stage, um; positive is up.

    Parameters
    ----------
    z_um, true_z_um : ndarray
        Reported and true positions of the planes (z,).
    centres_yx_px : ndarray
        Bead centres in the first plane (n, 2), pixels.
    drift_yx_px : ndarray
        Shift of the sample in each plane against the first (z, 2), pixels.
    bead_z_um : ndarray
        Position at which the image plane passes through each bead's centre (n,).
    bead_reference_z_um : ndarray
        Position of each bead's own reference focal plane (n,).
    reference_focal_plane_um : float
        Position of the reference focal plane in the middle of the field, the mean over appearances; the beads' own
        scatter about it by spread, tilt and curvature.
    bead_plane_um : float
        Position of the beads' centres in the middle of the field; cells lie there too.
    appearance_index : ndarray
        Which of `profiles` each bead has (n,).
    touching, at_border : ndarray
        Whether a bead touches another, or is cut by the border (n,).
    profiles : tuple of PixelProfiles
        What the beads look like on the camera's pixels.
    shape_yx : tuple of int
        Size of a plane, pixels.
    sample, stage, light, camera
        The settings it was made with.
    fixed_yx : ndarray
        Light and dust (y, x), relative.
    cells : Cells or None
        Cells of the field.
    """

    z_um: np.ndarray
    true_z_um: np.ndarray
    centres_yx_px: np.ndarray
    drift_yx_px: np.ndarray
    bead_z_um: np.ndarray
    bead_reference_z_um: np.ndarray
    reference_focal_plane_um: float
    bead_plane_um: float
    appearance_index: np.ndarray
    touching: np.ndarray
    at_border: np.ndarray
    profiles: tuple[PixelProfiles, ...]
    shape_yx: tuple[int, int]
    sample: Sample
    stage: Stage
    light: Light
    camera: Camera
    fixed_yx: np.ndarray
    cells: Optional[Cells]

    def expected_plane(self, index: int) -> np.ndarray:
        """Expected photoelectrons of one plane (y, x), without noise."""
        plane = np.full(self.shape_yx, self.profiles[0].appearance.background, float)
        for bead in range(len(self.centres_yx_px)):
            self._add_bead(plane, bead, index)
        if self.cells is not None:
            distance = self.true_z_um[index] - self.bead_plane_um
            plane *= self.cells.transmission(distance, self.drift_yx_px[index])
        light = self.light
        return light.exposure * (light.level_electrons * plane * self.fixed_yx + light.stray_electrons)

    def planes(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Expose one plane (y, x) after the other, for stacks larger than memory."""
        kind = np.uint8 if self.camera.max_count <= 255 else np.uint16
        for index in range(len(self.z_um)):
            yield self.camera.expose(self.expected_plane(index), rng).astype(kind)

    def _add_bead(self, plane: np.ndarray, bead: int, index: int) -> None:
        profiles = self.profiles[self.appearance_index[bead]]
        profile = profiles.at(self.true_z_um[index] - self.bead_z_um[bead : bead + 1])[0]
        centre = self.centres_yx_px[bead] + self.drift_yx_px[index]
        low = np.clip(np.floor(centre - profiles.reach_px).astype(int), 0, self.shape_yx)
        high = np.clip(np.ceil(centre + profiles.reach_px).astype(int) + 1, 0, self.shape_yx)
        part = plane[low[0] : high[0], low[1] : high[1]]
        y, x = (np.arange(a, b) - c for a, b, c in zip(low, high, centre))
        intensity = profiles.render(profile, np.hypot(y[:, None], x[None, :]))
        if profiles.appearance.is_bright_field:
            part *= intensity
        else:
            part += intensity
