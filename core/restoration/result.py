"""What `restore_defocus` gives back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from parfocal import status

NAN = float("nan")
# Fronts write it into the metadata of what they save, and look for it before they restore.
MARK = "Restored from defocus by Parfocal"
# Warning of an image that was restored: its focus is not that of the microscope.
RESTORED_IMAGE = "restored_image"


@dataclass(frozen=True)
class PlaneRestoration:
    """What was done to one plane.

    Attributes
    ----------
    restored : bool
        Whether the plane was changed. A sharp plane is not, with status `ok`; nor is one without an answer.
    defocus_level : float
        Level that was measured or given, in blur of the plane's own pixels; NaN where it is not known.
    change : float
        Root mean square of the change over the standard deviation of the plane before; 0 where nothing was changed.
    intensity_ratio : float
        Total intensity after over before; 1 where nothing was changed.
    status, reason : str
        `ok`, or why the plane comes out as it went in; the reason also says why a sharp plane was left alone.
    warnings : tuple of str
        `optics_assumed`: the model's optics were taken. `hot_pixels`: single bright pixels were left out.
        `partly_saturated`, `unchecked`: the focus was not measured first.
    """

    restored: bool = False
    defocus_level: float = NAN
    change: float = 0.0
    intensity_ratio: float = 1.0
    status: str = status.OK
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the plane was restored or found to be sharp."""
        return self.status == status.OK


@dataclass(frozen=True)
class Restoration:
    """A restored image, and how it came about.

    Attributes
    ----------
    image : ndarray
        Shape and type of the input; planes that were not restored are equal to the input.
    uncertainty : ndarray or None
        Standard deviation of the error to be expected at each pixel, in the unit of the image, float32, shape of the
        input; 0 where nothing was changed. None unless it was asked for.
    planes : tuple of PlaneRestoration
        One for each z; a single image has one.
    provenance : str
        Text for the metadata of what is saved; empty where nothing was restored.
    """

    image: np.ndarray = field(repr=False)
    uncertainty: Optional[np.ndarray] = field(repr=False)
    planes: tuple[PlaneRestoration, ...]
    provenance: str = ""

    @property
    def restored(self) -> bool:
        """Whether any plane was changed."""
        return any(plane.restored for plane in self.planes)

    @property
    def answered(self) -> bool:
        """Whether any plane was restored or found to be sharp."""
        return any(plane.answered for plane in self.planes)

    @property
    def main_plane(self) -> PlaneRestoration:
        """Plane that stands for the image: the one changed most, else the sharpest one answered, else the first."""

        def rank(plane: PlaneRestoration) -> tuple[bool, bool, float, float]:
            known = plane.defocus_level == plane.defocus_level
            return plane.restored, plane.answered, plane.change, -plane.defocus_level if known else -np.inf

        return max(self.planes, key=rank)

    @property
    def status(self) -> str:
        """`ok`, or why nothing was done."""
        return self.main_plane.status

    @property
    def reason(self) -> str:
        """Sentence that says why the image, or its main plane, comes out unchanged; empty where it was restored."""
        return self.main_plane.reason

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of all planes, each once."""
        return tuple(dict.fromkeys(warning for plane in self.planes for warning in plane.warnings))

    def features(self) -> dict[str, float]:
        """Name the numbers for a table; the keys do not depend on the image."""
        main = self.main_plane
        return {
            "Restored": float(main.restored),
            "DefocusLevel": main.defocus_level,
            "Change": main.change,
            "IntensityRatio": main.intensity_ratio,
            "PlanesRestored": float(sum(plane.restored for plane in self.planes)),
            "Answered": float(main.answered),
        }


def is_marked_restored(metadata: str) -> bool:
    """Say whether a text of metadata (a TIFF description, say) marks an image as restored."""
    return MARK in metadata


def already_restored_reason(metadata: str) -> str:
    """Why an image with such a mark is left alone; of all that its metadata say, the mark alone is told."""
    mark = re.search(rf"{MARK}[^\n<]*", metadata)
    return f"{status.MEANINGS[status.ALREADY_RESTORED]}: {mark.group().strip()[:200] if mark else ''}"


def provenance_text(method: str, version: str, restored: int, of: int) -> str:
    """Text that marks an image as restored; never leave it out of what is saved."""
    which = "" if of == 1 else f", {restored} of {of} planes"
    return f"{MARK} {version} ({method}{which}). Not for quantification of intensity or texture."
