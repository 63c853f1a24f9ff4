"""Sweeps over the reference focal plane: stacks of beads, cut to crops with their distance from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parfocal import status
from parfocal.beads import refusal
from parfocal.beads.crops import whole_crops
from parfocal.beads.distance.crops import LabelledCrops
from parfocal.beads.distance.quality import crop_status
from parfocal.beads.result import BeadFocalPlane
from parfocal.report.beads_style import WARNINGS

# With these the stack answers, but its reference focal plane may lie elsewhere: labels would be wrong by as much.
_UNSURE = ("extremum_at_end_of_stack", "features_disagree")
# With this one the profile of the other stacks tells where: the planes about the peak are saturated.
SATURATED_PEAK = "extremum_beside_excluded_planes"
_NOT_DRAWN = "not_drawn"


@dataclass(frozen=True)
class CropCut:
    """How crops are cut from a sweep.

    Attributes
    ----------
    size_px : int
        Width of a crop: what the network sees, and room to shift it.
    most_beads : int
        Beads of a stack that are used at most, drawn by chance: it bounds the memory.
    seed : int
        Of the draw.
    """

    size_px: int
    most_beads: int = 30
    seed: int = 1


@dataclass(frozen=True, eq=False)
class Sweep:
    """A stack with its labelled crops, or the reason why it is left out.

    Attributes
    ----------
    name, path : str
    result : BeadFocalPlane
        Its distances are counted from `reference_focal_plane_um`.
    crops_nyx : ndarray
        (n, y, x) crops of the beads that were used, in the planes' type.
    distance_um : ndarray
        (n,) plane minus reference focal plane, um, positive above.
    plane, bead : ndarray of int
        (n,) index of the plane in the stack, and number of the bead.
    rows : tuple of dict
        A row for each bead and plane: stack, plane, bead, distance_um, kept, reason; of a bead that was not used one.
    reason : str
        Why the stack is left out, or nothing.
    """

    name: str
    path: str
    result: BeadFocalPlane = field(repr=False)
    crops_nyx: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0), np.uint8), repr=False)
    distance_um: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    plane: np.ndarray = field(default_factory=lambda: np.empty(0, int), repr=False)
    bead: np.ndarray = field(default_factory=lambda: np.empty(0, int), repr=False)
    rows: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    reason: str = ""

    def __len__(self) -> int:
        return len(self.crops_nyx)

    @property
    def saturated_peak(self) -> bool:
        """Whether it has crops, but planes about its peak were saturated, so that its own REFP is not sure."""
        return not self.reason and SATURATED_PEAK in self.result.warnings

    @property
    def background(self) -> float:
        """Median count of the background about the used beads: the effective exposure; NaN without one."""
        table = self.result.features
        if table is None or not table.usable_b.any():
            return float("nan")
        known = table.background_bz[table.usable_b]
        known = known[np.isfinite(known)]
        return float(np.median(known)) if len(known) else float("nan")


def label_sweep(
    name: str, path: str, planes: Iterable[Any], result: BeadFocalPlane, plane: Sequence[int], cut: CropCut
) -> Sweep:
    """Cut crops about the used beads of a measured stack from every plane, and label them with their distance.

    Crops that the border cuts or that `crop_status` finds unusable (saturated, blank, not finite) are left out.

    Parameters
    ----------
    name, path : str
    planes : iterable of array_like
        (y, x), those that were measured, read once.
    result : BeadFocalPlane
        What `measure_bead_focal_plane` says of them.
    plane : sequence of int
        Index of each of these planes in the stack.
    cut : CropCut

    Returns
    -------
    Sweep
        With a reason and without crops where the stack has no sure reference focal plane.
    """
    reason = _why_not(result)
    table = result.features
    if reason or table is None:
        return Sweep(name, path, result, reason=reason)
    beads = _drawn(np.flatnonzero([bead.used for bead in result.beads]), cut)
    label = np.array([bead.label for bead in result.beads])[beads]
    distance = result.z_um - result.reference_focal_plane_um
    parts, found = [], []
    for position, plane_yx in enumerate(planes):
        crops, inside = whole_crops(plane_yx, table.centres_bz_yx[beads, position], cut.size_px)
        names = np.full(len(beads), refusal.BORDER, dtype=object)
        names[inside] = crop_status(crops)
        parts.append(crops[names[inside] == status.OK])
        found.append(names)
    known = np.array(found)  # (plane, bead)
    kept = known == status.OK
    which, bead = np.nonzero(kept)
    shown = [
        _row(name, index, number, far, reason)
        for index, far, names in zip(plane, distance, known)
        for number, reason in zip(label, names)
    ]
    return Sweep(
        name=name,
        path=path,
        result=result,
        crops_nyx=np.concatenate(parts),
        distance_um=distance[which],
        plane=np.asarray(plane)[which],
        bead=label[bead],
        rows=(*_unused_rows(name, result, set(label)), *shown),
        reason="" if kept.any() else f"no bead has a usable crop of {cut.size_px} px: all are cut by the border",
    )


def pooled_crops(sweeps: Sequence[Sweep], index: Sequence[int]) -> LabelledCrops:
    """Put the crops of some of the sweeps together; `stack_index` is the sweep's place among all."""
    chosen = [sweeps[i] for i in index]
    return LabelledCrops(
        np.concatenate([sweep.crops_nyx for sweep in chosen]),
        np.concatenate([sweep.distance_um for sweep in chosen]),
        np.repeat(np.asarray(index, int), [len(sweep) for sweep in chosen]),
        chosen[0].result.pixel_size_um,
        chosen[0].result.bead_diameter_um,
    )


def _why_not(result: BeadFocalPlane) -> str:
    if not result.answered:
        return f"{result.status}: {result.reason}"
    return " ".join(WARNINGS[name] for name in _UNSURE if name in result.warnings)


def _drawn(beads: np.ndarray, cut: CropCut) -> np.ndarray:
    order = np.random.default_rng([cut.seed, 80]).permutation(len(beads))
    return np.asarray(np.sort(beads[order[: cut.most_beads]]))


def _row(name: str, plane: Any, bead: int, distance_um: float, reason: str) -> dict[str, Any]:
    kept = reason == status.OK
    return {
        "stack": name,
        "plane": plane,
        "bead": int(bead),
        "distance_um": float(distance_um),
        "kept": kept,
        "reason": "" if kept else reason,
    }


def _unused_rows(name: str, result: BeadFocalPlane, drawn: set[int]) -> list[dict[str, Any]]:
    """A row without a plane for each bead that was found but gives no crop."""
    left = [bead for bead in result.beads if bead.label not in drawn]
    return [_row(name, None, bead.label, float("nan"), bead.reason or _NOT_DRAWN) for bead in left]
