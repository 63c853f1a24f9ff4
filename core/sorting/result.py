"""What `flag_defocused` gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from parfocal import status

NAN = float("nan")


@dataclass(frozen=True)
class PlaneFlag:
    """Sorting of one plane.

    Attributes
    ----------
    probability : float
        That the plane is defocused, 0 to 1; NaN without an answer.
    defocus_level : float
        Level that `measure_image_focus` gives, NaN where it was not asked or has no answer.
    status, reason : str
        `ok`, or why there is no answer; `disagreement` where sorter and level contradict each other.
    warnings : tuple of str
        `level_unchecked`: the level was not measured, or has no answer. `hot_pixels`: single bright pixels were left
        out. `partly_saturated`. `optics_incomplete`: pixel size, numerical aperture and wavelength are used only
        together, and some of them were not known.
    """

    probability: float = NAN
    defocus_level: float = NAN
    status: str = status.OK
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the probability stands."""
        return self.status == status.OK


@dataclass(frozen=True)
class DefocusFlag:
    """Whether an image or a stack is defocused.

    Attributes
    ----------
    planes : tuple of PlaneFlag
        One for each z; a single image has one.
    threshold : float
        Probability above which a plane counts as defocused.
    """

    planes: tuple[PlaneFlag, ...]
    threshold: float

    @property
    def main_plane(self) -> PlaneFlag:
        """Plane that stands for the image: of those with an answer the sharpest, else the first.

        Where that one is defocused and another, whose answer was withdrawn, may be sharp, the latter stands for it.
        """
        answered = [plane for plane in self.planes if plane.answered]
        withdrawn = [plane for plane in self.planes if plane.status == status.DISAGREEMENT]
        if answered:
            sharpest = min(answered, key=lambda plane: plane.probability)
            return withdrawn[0] if withdrawn and sharpest.probability > self.threshold else sharpest
        return (withdrawn or self.planes)[0]

    @property
    def sharpest_plane_index(self) -> Optional[int]:
        """Index of the plane that stands for the image; None where none could be answered."""
        return self.planes.index(self.main_plane) if self.answered else None

    @property
    def answered(self) -> bool:
        """Whether the plane that stands for the image could be answered."""
        return self.main_plane.answered

    @property
    def probability(self) -> float:
        """Probability that the image is defocused: that of its sharpest plane; NaN without an answer."""
        return self.main_plane.probability

    @property
    def defocus_level(self) -> float:
        """Measured level of the plane that stands for the image; NaN where it was not asked or has no answer."""
        return self.main_plane.defocus_level

    @property
    def flagged(self) -> Optional[bool]:
        """Whether the image counts as defocused; None without an answer."""
        return self.probability > self.threshold if self.answered else None

    @property
    def status(self) -> str:
        """`ok`, or why there is no answer."""
        return self.main_plane.status

    @property
    def reason(self) -> str:
        """Sentence that says why there is no answer; empty where there is one."""
        return self.main_plane.reason

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of the plane that stands for the image."""
        return self.main_plane.warnings

    def of_plane(self, index: int) -> DefocusFlag:
        """Sorting of one plane by itself."""
        return DefocusFlag((self.planes[index],), self.threshold)

    def features(self) -> dict[str, float]:
        """Name the numbers for a table: NaN where there is no answer; the keys do not depend on the image."""
        return {
            "Probability": self.probability,
            "Defocused": NAN if self.flagged is None else float(self.flagged),
            "Answered": float(self.answered),
            "Threshold": self.threshold,
            "DefocusLevel": self.defocus_level,
            "SharpestPlane": NAN if self.sharpest_plane_index is None else float(self.sharpest_plane_index),
        }
