"""What can be set about the sample, the stage and the light of a simulated bead stack."""

from __future__ import annotations

import math
from dataclasses import dataclass

from parfocal.focus_quality.synthesis import Camera


@dataclass(frozen=True)
class Sample:
    """What lies on the slide beside the isolated beads, and how it lies.

    Parameters
    ----------
    height_spread_um : float
        Standard deviation of the beads' heights, um of stage.
    tilt_yx_um_per_mm : tuple of float
        Rise of the field towards larger y and x, um per mm.
    curvature_um_per_mm2 : float
        Height added per squared distance from the field's middle, um per mm^2.
    touching_pairs : int
        Pairs of beads in contact, besides the isolated ones.
    border_beads : int
        Beads that the image's border cuts, besides the isolated ones.
    minimum_distance_diameters : float
        Least distance of the isolated beads from others and (half of it) from the border, bead diameters, 1 or more.
    dust : int
        Small dark specks that stay in place in the image whatever the stage does, as dirt near the camera.
    cells : int
        Weakly refracting irregular blobs, a few of them absorbing; bright field only, phenomenological.
    cell_diameter_um : float
        Mean diameter of the cells, um.

    Raises
    ------
    ValueError
        Where a value lies outside its range.
    """

    height_spread_um: float = 0.0
    tilt_yx_um_per_mm: tuple[float, float] = (0.0, 0.0)
    curvature_um_per_mm2: float = 0.0
    touching_pairs: int = 0
    border_beads: int = 0
    minimum_distance_diameters: float = 2.0
    dust: int = 0
    cells: int = 0
    cell_diameter_um: float = 14.0

    def __post_init__(self) -> None:
        _require(self, ("height_spread_um", "touching_pairs", "border_beads", "dust", "cells"), 0.0)
        _require(self, ("minimum_distance_diameters", "cell_diameter_um"), 1.0)


@dataclass(frozen=True)
class Stage:
    """How the stage misbehaves.

    Parameters
    ----------
    drift_yx_px_per_plane : tuple of float
        Shift of the sample from each plane to the next, pixels.
    z_jitter_um : float
        Standard deviation of the true minus the reported position, um.

    Raises
    ------
    ValueError
        Where the jitter is below 0.
    """

    drift_yx_px_per_plane: tuple[float, float] = (0.0, 0.0)
    z_jitter_um: float = 0.0

    def __post_init__(self) -> None:
        _require(self, ("z_jitter_um",), 0.0)


@dataclass(frozen=True)
class Light:
    """How much light reaches the camera, and how evenly.

    Parameters
    ----------
    level_electrons : float
        Expected photoelectrons of the bare background in bright field, of a bead's brightest point in fluorescence.
    exposure : float
        Factor on all light.
    stray_electrons : float
        Expected photoelectrons that every pixel gets besides (stray light, fluorescent background).
    vignetting : float
        Share of the light that the corners lack, 0 to 1, growing with the squared distance from the middle.
    gradient_yx : tuple of float
        Relative change of the light over the whole height and width.

    Raises
    ------
    ValueError
        Where a value lies outside its range.
    """

    level_electrons: float = 10000.0
    exposure: float = 1.0
    stray_electrons: float = 0.0
    vignetting: float = 0.0
    gradient_yx: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        _require(self, ("level_electrons", "exposure", "stray_electrons", "vignetting"), 0.0)
        if self.vignetting > 1 or max(map(abs, self.gradient_yx)) > 1:
            raise ValueError(f"vignetting and gradient_yx must be at most 1, got {self.vignetting}, {self.gradient_yx}")


def _require(settings: object, names: tuple[str, ...], least: float) -> None:
    for name in names:
        value = getattr(settings, name)
        if not least <= value < math.inf:
            raise ValueError(f"{name} must be {least:g} or more and finite, got {value}")


BARE_SAMPLE = Sample()
STEADY_STAGE = Stage()
EVEN_LIGHT = Light()
PLAIN_CAMERA = Camera()
