"""What `signed_distance` gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from parfocal import status

NAN = float("nan")
OUTLIER = "outlier"
# What the status of a crop means, where it is not `ok`.
BEAD_REASONS = {
    status.OUT_OF_RANGE: "beyond the range of the model, or its networks disagree",
    status.OUT_OF_DOMAIN: "does not look like a trained bead at the distance read off it",
    status.SATURATED: "saturated",
    status.BLANK: "blank",
    status.NOT_FINITE: "not finite",
    status.TOO_SMALL: "the crop is smaller than the model needs",
    OUTLIER: "differs from the other beads",
}


@dataclass(frozen=True)
class DistanceEstimate:
    """Signed distance of an image from the reference focal plane, positive above it.

    Attributes
    ----------
    distance_um : float
        Mean over beads and networks, um; NaN without an answer.
    standard_error_um : float
        Of `distance_um`, um: the scatter between beads, and the error that all beads of an image share as measured on
        crops that took no part in training. It holds for the optics and beads that the model was trained for.
    interval_um : tuple of float
        95 percent interval, um.
    n_beads, n_refused : int
        Beads in the mean, and crops that gave no answer or were outliers.
    bead_distance_um : ndarray
        (n,) mean over the networks for each crop, um; NaN where it was refused.
    bead_status : tuple of str
        Of each crop: `ok`, `outlier`, or why it was refused.
    member_distance_um : ndarray
        (members,) mean over the beads for each network, um.
    status, reason : str
        `ok`, or why there is no answer.
    warnings : tuple of str
        What makes an answer that stands deserve care.
    """

    distance_um: float = NAN
    standard_error_um: float = NAN
    interval_um: tuple[float, float] = (NAN, NAN)
    n_beads: int = 0
    n_refused: int = 0
    bead_distance_um: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    bead_status: tuple[str, ...] = ()
    member_distance_um: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    status: str = status.OK
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the numbers stand."""
        return self.status == status.OK
