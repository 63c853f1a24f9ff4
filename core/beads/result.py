"""What `measure_bead_focal_plane` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal import status
from parfocal.beads.bead import RefusedBead
from parfocal.beads.distance.result import DistanceEstimate
from parfocal.beads.feature_table import FeatureTable
from parfocal.beads.field import FieldShape
from parfocal.beads.focal_plane import ReferenceFocalPlane
from parfocal.beads.widths import BeadWidths

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


@dataclass(frozen=True)
class BeadMeasurement:
    """One bead of a stack.

    Attributes
    ----------
    label : int
        Number of the bead, from 1, by rows and columns.
    y_px, x_px : float
        Centre in the plane next to the focal plane, px; whole numbers are the middles of pixels.
    focal_plane_um : float
        Focal plane of this bead alone, um; NaN where `reason` says why.
    focal_plane_error_um : float
        Its standard error, um; what all beads have in common is not in it.
    slope_z_um, centre_z_um : float
        The two extrema whose mean it is, um.
    n_planes : int
        Planes in which it was measured.
    saturated_planes : int
        Planes left out since the bead is saturated there.
    used : bool
        Whether it took part in the reference focal plane.
    in_field : bool
        Whether it took part in the surface fitted across the field.
    reason : str
        Why it was not used or has no focal plane of its own, or nothing.
    widths : BeadWidths or None
        Widths of a fluorescent bead; None in bright field.
    """

    label: int
    y_px: float
    x_px: float
    focal_plane_um: float = NAN
    focal_plane_error_um: float = NAN
    slope_z_um: float = NAN
    centre_z_um: float = NAN
    n_planes: int = 0
    saturated_planes: int = 0
    used: bool = False
    in_field: bool = False
    reason: str = ""
    widths: Optional[BeadWidths] = None


@dataclass(frozen=True)
class BeadFocalPlane:
    """The reference focal plane of a stack of beads, what it rests on, and how the field lies.

    Attributes
    ----------
    reference_focal_plane_um : float
        REFP, um, in the z of the planes; NaN without an answer.
    interval_um : tuple of float
        Interval of it, lower and upper end.
    reference : ReferenceFocalPlane
        The plane by slope and by centre intensity, the curves, the warnings.
    beads : tuple of BeadMeasurement
        All beads that were found, also those not used.
    refused : tuple of RefusedBead
        Candidates that are no single free bead, with the reason.
    field_shape : FieldShape
        Tilt and curvature of the focal plane across the field.
    z_um : ndarray
        Positions of the planes, um, in the order given.
    saturated_share_z : ndarray
        Share of the beads that are saturated in each plane.
    pixel_size_um, bead_diameter_um : float
        As given.
    contrast : str
        As given.
    target_um : float
        Target plane, REFP plus the target's offset, um; NaN where no offset was given.
    status, reason : str
        `ok`, or why there is no answer: see `parfocal.status`.
    warnings : tuple of str
        For answers that deserve care.
    plane_distances : tuple of DistanceEstimate
        With a distance model: how far each plane lies from the reference focal plane as read off its beads, positive
        above; empty without one.
    features : FeatureTable or None
        Features of all beads in all planes, to pool stacks (`parfocal.beads.pooling`); None without beads.
    """

    reference_focal_plane_um: float = NAN
    interval_um: tuple[float, float] = (NAN, NAN)
    reference: ReferenceFocalPlane = field(default_factory=ReferenceFocalPlane, repr=False)
    beads: tuple[BeadMeasurement, ...] = field(default=(), repr=False)
    refused: tuple[RefusedBead, ...] = field(default=(), repr=False)
    field_shape: FieldShape = field(default_factory=FieldShape, repr=False)
    z_um: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    saturated_share_z: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    pixel_size_um: float = NAN
    bead_diameter_um: float = NAN
    contrast: str = "bright_field"
    target_um: float = NAN
    status: str = status.OK
    reason: str = ""
    warnings: tuple[str, ...] = ()
    plane_distances: tuple[DistanceEstimate, ...] = field(default=(), repr=False)
    features: Optional[FeatureTable] = field(default=None, repr=False)

    @property
    def answered(self) -> bool:
        """Whether there is a reference focal plane."""
        return self.status == status.OK

    @property
    def n_beads(self) -> int:
        """Number of beads that the reference focal plane rests on."""
        return sum(bead.used for bead in self.beads)

    @property
    def distance_um(self) -> float:
        """Distance of a single plane from the reference focal plane, um, positive above; NaN for a stack."""
        return float(self.z_um[0]) - self.reference_focal_plane_um if len(self.z_um) == 1 else NAN

    def numbers(self) -> dict[str, float]:
        """Name the numbers for a table: NaN where there is no answer; the keys do not depend on the stack."""
        return {
            "ReferenceFocalPlaneUm": self.reference_focal_plane_um,
            "IntervalLowUm": self.interval_um[0],
            "IntervalHighUm": self.interval_um[1],
            "SlopeZUm": self.reference.slope_z_um if self.answered else NAN,
            "CentreZUm": self.reference.centre_z_um if self.answered else NAN,
            "TargetUm": self.target_um,
            "BeadCount": float(self.n_beads),
            "RefusedCount": float(len(self.refused) + len(self.beads) - self.n_beads),
            "TiltUmPerMm": self.field_shape.tilt_um_per_mm,
            "TiltErrorUmPerMm": self.field_shape.tilt_error_um_per_mm,
            "Answered": float(self.answered),
        }

    def bead_table(self) -> pd.DataFrame:
        """Table of the beads and the refused candidates, one row each; lengths in um, places in px."""
        import pandas as pd

        rows = [_bead_row(bead) for bead in self.beads]
        rows += [
            {"y_px": r.y_px, "x_px": r.x_px, "used": False, "reason": f"{r.reason}: {r.text}"} for r in self.refused
        ]
        return pd.DataFrame(rows, columns=BEAD_COLUMNS)


def distance_text(distance_um: float) -> str:
    """Say a signed distance in words, such as `3.25 um above the REFP`."""
    return f"{abs(distance_um):.2f} um {'above' if distance_um >= 0 else 'below'} the REFP"


BEAD_COLUMNS = [
    "bead",
    "y_px",
    "x_px",
    "used",
    "focal_plane_um",
    "focal_plane_error_um",
    "slope_z_um",
    "centre_z_um",
    "n_planes",
    "saturated_planes",
    "in_field",
    "best_z_um",
    "lateral_fwhm_um",
    "axial_fwhm_um",
    "signal_to_background",
    "reason",
]


def _bead_row(bead: BeadMeasurement) -> dict[str, Any]:
    row = {name: getattr(bead, name) for name in BEAD_COLUMNS if hasattr(bead, name)}
    row["bead"] = bead.label
    if bead.widths is not None:
        names = ("best_z_um", "lateral_fwhm_um", "axial_fwhm_um", "signal_to_background")
        row.update({name: getattr(bead.widths, name) for name in names})
        why = (bead.reason, bead.widths.reason, bead.widths.lateral_reason, bead.widths.axial_reason)
        row["reason"] = "; ".join(filter(None, why))
    return row
