"""The command `measure_bead_focal_plane`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Optional

import numpy as np

from parfocal import status
from parfocal.beads import refusal
from parfocal.beads.bead import BeadDetection
from parfocal.beads.bead_planes import bead_focal_planes
from parfocal.beads.crops import cut_crops
from parfocal.beads.detect import find_beads
from parfocal.beads.distance.plane import stack_distances
from parfocal.beads.distance.predict import TASK as DISTANCE_TASK
from parfocal.beads.feature_table import FeatureTable, measure_beads
from parfocal.beads.features import CONTRASTS
from parfocal.beads.field import field_shape
from parfocal.beads.focal_plane import reference_focal_plane
from parfocal.beads.positions import plane_positions
from parfocal.beads.result import BeadFocalPlane, BeadMeasurement
from parfocal.beads.single_plane import measure_single_plane
from parfocal.beads.stack import as_stack
from parfocal.beads.widths import bead_widths
from parfocal.commands import Param, check_arguments, command
from parfocal.images.planes import as_plane_selection
from parfocal.progress import steps
from parfocal.registry import load_model

# A plane in which more of the beads are saturated is lost.
_MANY_SATURATED_SHARE = 0.5
# Half the width of a crop for the widths of a bead.
_CROP_RADIUS_DIAMETERS = 1.2
_CROP_MARGIN_PX = 5


@command
def measure_bead_focal_plane(
    stack_zyx: Annotated[Any, Param(array=True)],
    pixel_size_um: Annotated[float, Param("um", 0.001, 100.0, label="Pixel size")],
    bead_diameter_um: Annotated[float, Param("um", 0.01, 1000.0, label="Diameter of the beads")],
    z_step_um: Annotated[Optional[float], Param("um", 0.0001, 1000.0, label="z step")] = None,
    z_um: Annotated[Optional[Any], Param(array=True)] = None,
    mask_yx: Annotated[Optional[Any], Param(array=True, label="Mask")] = None,
    contrast: Annotated[str, Param(choices=CONTRASTS, label="Contrast")] = "bright_field",
    black_level: Annotated[float, Param("counts", 0.0, None, label="Black level")] = 0.0,
    saturation_level: Annotated[Optional[float], Param("counts", 0.0, None, label="Saturation level")] = None,
    z_error_um: Annotated[float, Param("um", 0.0, 1000.0, label="Repeatability of the stage")] = 0.0,
    interval_level: Annotated[float, Param("", 0.5, 0.999, label="Level of the interval")] = 0.95,
    target_offset_um: Annotated[Optional[float], Param("um", -10000.0, 10000.0, label="Target above the REFP")] = None,
    seed: Annotated[int, Param("", 0, None, label="Seed of the interval")] = 0,
    distance_model: Annotated[Optional[str], Param(label="Distance model")] = None,
) -> BeadFocalPlane:
    """Find the reference focal plane from a z-stack of beads, with an uncertainty, and how the field lies.

    Beads are found, centred to a fraction of a pixel, and measured in every plane: steepest slope and centre intensity
    of the radial profile. The planes where the slope is smallest and the centre brightest give the reference effective
    focal plane (REFP), their mean (Chalfoun et al. 2024, doi:10.1038/s41598-024-57123-w). Distances are positive above
    it, towards larger z.

    A distance model tells the same of a single plane, in or out of focus: it reads off each bead how far the plane lies
    from the REFP, and to which side.

    Parameters
    ----------
    stack_zyx : array_like or sequence of planes
        (z, y, x), or one plane (y, x); integers or floats. Also a memory-mapped array or a sequence that reads its
        planes when asked. It is gone through twice (three times with a distance model), a plane in memory at a time.
    pixel_size_um : float
        Camera pixel divided by magnification.
    bead_diameter_um : float
        Diameter of the beads as they show in focus, at least 3 pixels.
    z_step_um : float
        Distance between the planes, which lie at 0, 1, 2 ... steps. Give it or `z_um`; a single plane needs neither.
    z_um : array_like
        (z,) position of each plane, um, in any order; repeated ones are averaged.
    mask_yx : array_like, optional
        (y, x), True where beads count: those whose centre lies there. The others still take room from their neighbours.
    contrast : str
        `bright_field` (a bead darkens or brightens the light) or `fluorescence` (it shines).
    black_level : float
        Counts of the camera without light.
    saturation_level : float
        Count at which the camera saturates; without it the limits of common cameras are looked for.
    z_error_um : float
        Repeatability of the stage (standard deviation), where it is known: it widens the interval.
    interval_level : float
        Share of intervals that should hold the true plane.
    target_offset_um : float
        Offset of a target plane from the REFP, positive above.
    seed : int
        Of the draws behind the interval.
    distance_model : str
        Name of a shipped model (`a2k_like`, `nikon_like`: simulated optics) or path of a model folder, as
        `calibrate_beads` writes it, or package (.zip). Of a single plane it gives the answer; of a stack it reads each
        plane (`plane_distances`), as a check.

    Returns
    -------
    BeadFocalPlane
        REFP, interval, beads, refused candidates and the shape of the field. Without an answer the numbers are NaN and
        `status` and `reason` say why.

    Raises
    ------
    TypeError, ValueError
        Where an argument is wrong or the planes differ in shape; the message says what would be right.
    ModelError
        Where there is no such distance model.
    """
    check_arguments(measure_bead_focal_plane, locals())
    if distance_model is not None:
        load_model(distance_model, DISTANCE_TASK)
    stack = as_stack(stack_zyx)
    z = plane_positions(len(stack), z_step_um, z_um)
    empty = BeadFocalPlane(z_um=z, pixel_size_um=pixel_size_um, bead_diameter_um=bead_diameter_um, contrast=contrast)
    detection = find_beads(steps(stack), bead_diameter_um, pixel_size_um, contrast)
    whole, detection = detection, _within(detection, mask_yx, np.shape(stack[0]))
    if not detection.beads:
        return replace(
            empty, refused=detection.refused, status=status.NO_CONTENT, reason=_no_bead(detection.text, contrast)
        )
    if len(stack) == 1 and distance_model is not None:
        told = (distance_model, interval_level, z_error_um)
        single = measure_single_plane(replace(empty, refused=detection.refused), stack[0], detection.beads, *told)
        return _with_target(_with_field(single), target_offset_um)
    others = (*whole.refused, *(bead for bead in whole.beads if bead not in detection.beads))
    table = measure_beads(steps(stack), detection.beads, pixel_size_um, contrast, saturation_level, others, black_level)
    features = table.steepest_slope_bz[table.usable_b], table.centre_intensity_bz[table.usable_b]
    reference = reference_focal_plane(z, *features, seed=seed, level=interval_level, z_error_um=z_error_um)
    beads = _beads(detection, table, z)
    found = replace(empty, reference=reference, beads=beads, refused=detection.refused, features=table)
    found = replace(found, warnings=reference.warnings)
    if contrast == "fluorescence":
        found = _with_widths(found, stack, saturation_level)
    if distance_model is not None:
        sizes_um = (pixel_size_um, bead_diameter_um)
        distances = stack_distances(stack, table.centres_bz_yx[table.usable_b], sizes_um, distance_model)
        found = replace(found, plane_distances=distances)
    return _with_target(_answer(_with_field(found), table), target_offset_um)


def _within(detection: BeadDetection, mask_yx: Optional[Any], shape_yx: Any) -> BeadDetection:
    mask = as_plane_selection(mask_yx, "mask_yx", shape_yx, 1)
    return detection if mask is None else detection.within(mask[0].astype(bool))


def _no_bead(text: str, contrast: str) -> str:
    other = "fluorescence" if contrast == "bright_field" else "bright_field"
    return f"no bead in {contrast}: {text}; if the contrast is {other}, say so"


def _beads(detection: BeadDetection, table: FeatureTable, z_um: np.ndarray) -> tuple[BeadMeasurement, ...]:
    own = bead_focal_planes(z_um, table.steepest_slope_bz, table.centre_intensity_bz)
    measured = []
    for index, reason in enumerate(table.reason_b):
        nearest = int(np.nanargmin(np.abs(z_um - own.z_um[index]))) if np.isfinite(own.z_um[index]) else len(z_um) // 2
        y, x = table.centres_bz_yx[index, nearest]
        bead = BeadMeasurement(
            label=index + 1,
            y_px=float(y),
            x_px=float(x),
            focal_plane_um=float(own.z_um[index]),
            focal_plane_error_um=float(own.error_um[index]),
            slope_z_um=float(own.slope_z_um[index]),
            centre_z_um=float(own.centre_z_um[index]),
            n_planes=int(np.isfinite(table.centre_intensity_bz[index]).sum()),
            saturated_planes=int((table.reason_bz[index] == refusal.SATURATED).sum()),
            used=reason == refusal.USED,
            reason=f"{reason}: {refusal.MEANINGS[reason]}" if reason else own.reasons[index],
        )
        measured.append(bead)
    return tuple(measured)


def _with_widths(result: BeadFocalPlane, stack: Any, saturation_level: Optional[float]) -> BeadFocalPlane:
    """Measure the widths of fluorescent beads; of planes at one position the first counts."""
    diameter_px = result.bead_diameter_um / result.pixel_size_um
    size = min(2 * int(np.ceil(_CROP_RADIUS_DIAMETERS * diameter_px + _CROP_MARGIN_PX)) + 1, *np.shape(stack[0]))
    crops = cut_crops(iter(stack), np.array([(bead.y_px, bead.x_px) for bead in result.beads]), size)
    z, first = np.unique(result.z_um, return_index=True)
    sizes = (result.pixel_size_um, result.bead_diameter_um)
    widths = [bead_widths(crop[first], z, *sizes, saturation_level) for crop in crops]
    return replace(result, beads=tuple(replace(bead, widths=w) for bead, w in zip(result.beads, widths)))


def _with_field(result: BeadFocalPlane) -> BeadFocalPlane:
    """Fit the surface across the field to the beads that are used, and mark those it rests on."""
    z = np.array([bead.focal_plane_um if bead.used else np.nan for bead in result.beads])
    x, y = (
        np.array([getattr(bead, axis) for bead in result.beads]) * result.pixel_size_um for axis in ("x_px", "y_px")
    )
    shape = field_shape(x, y, z)
    beads = tuple(replace(bead, in_field=bool(used)) for bead, used in zip(result.beads, shape.used))
    return replace(result, beads=beads, field_shape=shape)


def _answer(result: BeadFocalPlane, table: FeatureTable) -> BeadFocalPlane:
    """Fill in the numbers, or why there are none."""
    reference = result.reference
    saturated = (table.reason_bz == refusal.SATURATED).mean(axis=0)
    result = replace(result, saturated_share_z=saturated)
    if reference.status == status.OK:
        return replace(result, reference_focal_plane_um=reference.z_um, interval_um=reference.interval_um)
    planes = int((saturated > _MANY_SATURATED_SHARE).sum())
    if planes <= len(saturated) / 2:
        hint = "; a distance model tells how far a single plane is off" if len(saturated) == 1 else ""
        return replace(result, status=reference.status, reason=reference.reason + hint)
    reason = f"most beads are saturated in {planes} of {len(saturated)} planes; {reference.reason}"
    return replace(result, status=status.SATURATED, reason=reason)


def _with_target(result: BeadFocalPlane, offset_um: Optional[float]) -> BeadFocalPlane:
    target = float("nan") if offset_um is None else result.reference_focal_plane_um + offset_um
    return replace(result, target_um=target)
