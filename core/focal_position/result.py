"""What `estimate_focal_position` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from parfocal import status

NAN = float("nan")


@dataclass(frozen=True)
class Candidate:
    """One peak of the distribution.

    Attributes
    ----------
    defocus_um : float
        Signed distance to the focal plane.
    deviation_um : float
        Standard deviation within the peak.
    probability : float
        Share of the distribution that belongs to it, 0 to 1.
    """

    defocus_um: float
    deviation_um: float
    probability: float


_NO_CANDIDATE = Candidate(NAN, NAN, NAN)


@dataclass(frozen=True)
class FocalPosition:
    """Focal position of one image.

    Attributes
    ----------
    status : str
        `ok`, or why there is no estimate: `sign_unknown` (the distance is known, not whether it is above or below),
        `two_layers` (two peaks that are no mirror images: structures in two planes), `broad` (the distribution says too
        little), or a reason of the image (`blank`, `saturated`, `too_small`, `not_finite`, `no_content`,
        `out_of_range`, `out_of_domain`).
    reason : str
        The same as a sentence; empty for `ok`.
    warnings : tuple of str
        What deserves care although the estimate stands.
    defocus_um : float
        Where the image was taken, relative to the focal plane, in um: positive above it. NaN unless the status is `ok`.
    deviation_um : float
        Standard deviation of the estimate, um; NaN unless the status is `ok`.
    certainty : float
        Probability of the estimate's own peak, 0 to 1; NaN where nothing was estimated.
    candidates : tuple of Candidate
        Peaks of the distribution, the most probable first: with `sign_unknown` and `two_layers` there are two. Empty
        where nothing was estimated.
    positions_um : ndarray
        Middles of the bins of the distribution, (n,), ascending.
    probability : ndarray
        Probability of each bin, (n,), sum 1; NaN where nothing was estimated.
    """

    status: str
    reason: str = ""
    warnings: tuple[str, ...] = ()
    defocus_um: float = NAN
    deviation_um: float = NAN
    certainty: float = NAN
    candidates: tuple[Candidate, ...] = ()
    positions_um: Any = None
    probability: Any = None

    def __post_init__(self) -> None:
        for name in ("positions_um", "probability"):
            value = getattr(self, name)
            object.__setattr__(self, name, np.empty(0) if value is None else np.asarray(value, float))

    @property
    def answered(self) -> bool:
        """Whether there is one estimate."""
        return self.status == status.OK

    def features(self) -> dict[str, float]:
        """Name the numbers for a table: NaN where there is no estimate; the keys do not depend on the image.

        The two most probable candidates are there whether or not one of them is the estimate.
        """
        first, second = (*self.candidates, _NO_CANDIDATE, _NO_CANDIDATE)[:2]
        return {
            "DefocusUm": self.defocus_um,
            "DeviationUm": self.deviation_um,
            "Certainty": self.certainty,
            "Answered": float(self.answered),
            "Candidates": float(len(self.candidates)),
            "FirstCandidateUm": first.defocus_um,
            "FirstCandidateProbability": first.probability,
            "SecondCandidateUm": second.defocus_um,
            "SecondCandidateProbability": second.probability,
        }
