"""The reference focal plane told from a single plane of beads by a distance model."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from parfocal.beads import refusal
from parfocal.beads.bead import Bead
from parfocal.beads.distance.plane import plane_distance
from parfocal.beads.distance.predict import ModelName
from parfocal.beads.distance.result import BEAD_REASONS
from parfocal.beads.focal_plane import ReferenceFocalPlane
from parfocal.beads.result import BeadFocalPlane, BeadMeasurement
from parfocal.status import OK


def measure_single_plane(
    result: BeadFocalPlane,
    plane_yx: Any,
    beads: tuple[Bead, ...],
    model: ModelName,
    level: float = 0.95,
    z_error_um: float = 0.0,
) -> BeadFocalPlane:
    """Fill in what a distance model tells of the only plane: the reference focal plane lies at z less the distance.

    Parameters
    ----------
    result : BeadFocalPlane
        With the plane's position, pixel size and bead diameter.
    plane_yx : array_like
        Counts (y, x).
    beads : tuple of Bead
        Beads that were found in it, one or more.
    model : str or path
        Name or folder of a distance model.
    level : float
        Share of intervals that should hold the true plane.
    z_error_um : float
        Standard deviation of the plane's position, um.
    """
    from scipy.special import ndtri

    centres = [(bead.y_px, bead.x_px) for bead in beads]
    found = plane_distance(plane_yx, centres, result.pixel_size_um, result.bead_diameter_um, model)
    z = float(result.z_um[0])
    measured = tuple(
        BeadMeasurement(
            label=number,
            y_px=bead.y_px,
            x_px=bead.x_px,
            focal_plane_um=z - float(distance),
            n_planes=int(math.isfinite(distance)),
            used=name == OK and found.answered,
            reason=_reason(name),
        )
        for number, (bead, distance, name) in enumerate(zip(beads, found.bead_distance_um, found.bead_status), 1)
    )
    half = float(ndtri(0.5 + level / 2)) * math.hypot(found.standard_error_um, z_error_um)
    centre = z - found.distance_um
    return replace(
        result,
        reference_focal_plane_um=centre,
        interval_um=(centre - half, centre + half),
        reference=ReferenceFocalPlane(level=level),
        beads=measured,
        plane_distances=(found,),
        status=found.status,
        reason=found.reason,
        warnings=found.warnings,
    )


def _reason(name: str) -> str:
    if name == OK:
        return ""
    return f"{name}: {BEAD_REASONS.get(name) or refusal.MEANINGS[name]}"
