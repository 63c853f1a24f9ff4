"""How a threshold splits the planes of a stack into sharp and defocused, as numbers and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from parfocal.sorting.result import DefocusFlag

SHARP, DEFOCUSED, NO_ANSWER = "sharp", "defocused", "no answer"
# Blue and red that colour-blind people tell apart, and grey.
COLORS = {SHARP: (33, 102, 172), DEFOCUSED: (214, 96, 77), NO_ANSWER: (170, 170, 170)}
_BACKGROUND, _LINE = (255, 255, 255), (40, 40, 40)
# A plane without defocus has a bar all the same, so that its colour is seen.
_LOWEST_BAR_PX = 6
# Below the bars lies a mark under the plane that is shown, with a gap between.
_MARK_PX, _GAP_PX = 5, 3


@dataclass(frozen=True)
class ThresholdPreview:
    """Probabilities of planes, split by any threshold without being measured again.

    Attributes
    ----------
    probability : ndarray
        (n,) of defocus, NaN where there is no answer.
    threshold : float
        The one they were sorted by.
    """

    probability: np.ndarray
    threshold: float

    @classmethod
    def of(cls, flag: DefocusFlag) -> ThresholdPreview:
        """Of the planes of a stack that has been sorted."""
        return cls(np.array([plane.probability for plane in flag.planes]), flag.threshold)

    def kinds(self, threshold: float) -> list[str]:
        """`sharp`, `defocused` or `no answer` for each plane, as `flag_defocused` with this threshold has it."""
        return [NO_ANSWER if np.isnan(p) else DEFOCUSED if p > threshold else SHARP for p in self.probability]

    def split(self, threshold: float) -> dict[str, list[int]]:
        """Indices of the planes of each kind."""
        kinds = self.kinds(threshold)
        return {kind: [index for index, found in enumerate(kinds) if found == kind] for kind in COLORS}

    def told(self, threshold: float) -> str:
        """How many planes are sharp and how many defocused, and how many have no answer if there are any."""
        counts = {kind: len(found) for kind, found in self.split(threshold).items()}
        return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count or kind != NO_ANSWER)

    def picture(self, threshold: float, chosen: int, shape_yx: tuple[int, int]) -> np.ndarray:
        """Bars of probability over planes in the colours of their kinds, with a line at the threshold.

        Parameters
        ----------
        threshold : float
        chosen : int
            Index of a plane whose place is marked.
        shape_yx : tuple of int
            Of the picture, px.

        Returns
        -------
        ndarray
            (y, x, 3), uint8.
        """
        height, width = shape_yx[0] - _MARK_PX - _GAP_PX, shape_yx[1]
        picture = np.empty((*shape_yx, 3), np.uint8)
        picture[:] = _BACKGROUND
        plane_x = self.plane_at(np.arange(width), width)
        picture[-_MARK_PX:, plane_x == chosen] = _LINE
        tops = [_row(p, height) for p in np.nan_to_num(self.probability, nan=1.0)]
        colors = [COLORS[kind] for kind in self.kinds(threshold)]
        # A gap between bars, where there is room for one.
        gaps = np.flatnonzero(np.diff(plane_x)) if width > 4 * len(self.probability) else ()
        for x in np.setdiff1d(np.arange(width), gaps):
            picture[tops[plane_x[x]] : height, x] = colors[plane_x[x]]
        row = min(_row(threshold, height), height - 2)
        picture[row : row + 2] = _LINE
        return picture

    def plane_at(self, x: Any, width: int) -> np.ndarray:
        """Index of the plane whose bar lies at a column, or each of several, of a picture of this width."""
        return np.clip(np.asarray(x) * len(self.probability) // width, 0, len(self.probability) - 1)


def _row(probability: float, height: int) -> int:
    """Row of a picture at which a probability lies, 0 at its foot."""
    return round((1 - probability) * (height - _LOWEST_BAR_PX))
