"""Beads that were found, and candidates that were refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Union

import numpy as np


@dataclass(frozen=True)
class Bead:
    """One bead.

    Attributes
    ----------
    y_px, x_px : float
        Centre, px; whole numbers are the middles of pixels.
    diameter_um : float
        Diameter that was looked for, um.
    symmetry : float
        Share of the variance within the bead and its rim that the distance from the centre explains, at most 1.
    signal : float
        By how much the bead stands out: share of the background in bright field, counts in fluorescence.
    """

    y_px: float
    x_px: float
    diameter_um: float
    symmetry: float = float("nan")
    signal: float = float("nan")


@dataclass(frozen=True)
class RefusedBead:
    """A candidate of roughly the size of a bead that is not used.

    Attributes
    ----------
    y_px, x_px : float
        Its place, px.
    reason : str
        One of `parfocal.beads.refusal`.
    text : str
        The same with the figures.
    """

    y_px: float
    x_px: float
    reason: str
    text: str


@dataclass(frozen=True)
class BeadDetection:
    """What was found in a plane or stack.

    Attributes
    ----------
    beads : tuple of Bead
        Sorted by y, then x.
    refused : tuple of RefusedBead
        Sorted by y, then x.
    apparent_diameter_um : float
        Diameter at which the beads show: more than their own where no plane is near focus; NaN without beads.
    text : str
        Empty, or why there is no bead.
    """

    beads: tuple[Bead, ...]
    refused: tuple[RefusedBead, ...]
    apparent_diameter_um: float = float("nan")
    text: str = ""

    def within(self, mask_yx: np.ndarray) -> BeadDetection:
        """Those whose centre lies where a mask (y, x) is True."""

        def inside(found: Union[Bead, RefusedBead]) -> bool:
            y, x = int(np.floor(found.y_px + 0.5)), int(np.floor(found.x_px + 0.5))
            height, width = mask_yx.shape
            return bool(mask_yx[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])

        kept = BeadDetection(
            tuple(bead for bead in self.beads if inside(bead)),
            tuple(refused for refused in self.refused if inside(refused)),
            self.apparent_diameter_um,
            self.text,
        )
        if self.beads and not kept.beads:
            return replace(kept, text=f"{len(self.beads)} lie outside the mask, none inside")
        return kept
