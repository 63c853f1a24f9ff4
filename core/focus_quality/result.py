"""What `measure_image_focus` gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from parfocal import status

NAN = float("nan")
# The level above which summaries and the example pipeline call an image out of focus.
OUT_OF_FOCUS_LEVEL = 3.0


@dataclass(frozen=True)
class FocusEstimate:
    """Focus of one thing: a plane, a patch's worth of it, an object, or a stack's sharpest plane.

    Attributes
    ----------
    defocus_level : float
        Expected level of the distribution, 0 sharp to 10 worst; NaN without an answer. The score of the image.
    predicted_level : float
        Most probable level, a whole number.
    certainty : float
        Of the whole (aggregate) distribution, 0 to 1.
    mean_certainty : float
        Mean over the patches, 0 to 1. High beside a low `certainty`: parts of the image disagree.
    effective_patches : float
        Number of patches of equal weight that say as much as those that it rests on.
    blur_diameter_px : float
        Diameter of the geometric blur disc in pixels of the image as it was given.
    defocus_distance_um : float
        Unsigned distance from the focal plane, um; NaN unless the optics are known.
    probabilities : ndarray
        (11,) distribution over the levels, NaN without an answer.
    status, reason : str
        `ok`, or why there is no answer.
    warnings : tuple of str
        What makes an answer that stands deserve care.
    """

    defocus_level: float = NAN
    predicted_level: float = NAN
    certainty: float = NAN
    mean_certainty: float = NAN
    effective_patches: float = NAN
    blur_diameter_px: float = NAN
    defocus_distance_um: float = NAN
    probabilities: np.ndarray = field(default_factory=lambda: np.full(11, NAN), repr=False)
    status: str = status.OK
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the numbers stand."""
        return self.status == status.OK


@dataclass(frozen=True)
class FocusPatches:
    """The patches of one plane that took part, in pixels of the image as it was given: none that a mask leaves out.

    Attributes
    ----------
    corners_yx : ndarray
        (n, 2) upper left corners.
    size_px : float
        Width of a patch.
    probabilities : ndarray
        (n, 11).
    defocus_level, certainty : ndarray
        (n,) expected level, and certainty 0 to 1; a patch without content has a certainty near 0.
    """

    corners_yx: np.ndarray
    size_px: float
    probabilities: np.ndarray
    defocus_level: np.ndarray
    certainty: np.ndarray


@dataclass(frozen=True)
class PlaneFocus:
    """One plane of the image: its estimate, its patches, its objects by label, and the classical metrics."""

    estimate: FocusEstimate
    patches: FocusPatches | None = None
    objects: dict[int, FocusEstimate] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageFocus:
    """Focus of an image or a stack.

    Attributes
    ----------
    estimate : FocusEstimate
        Of the image; of a stack, that of its sharpest plane that could be answered.
    planes : tuple of PlaneFocus
        One for each z; a single image has one.
    sharpest_plane_index : int or None
        Index of the sharpest plane that could be answered.
    sharpest_plane_z_um : float
        The same in um above the first plane; NaN without a z step.
    """

    estimate: FocusEstimate
    planes: tuple[PlaneFocus, ...] = field(repr=False)
    sharpest_plane_index: int | None = None
    sharpest_plane_z_um: float = NAN

    @property
    def status(self) -> str:
        """`ok`, or why there is no answer."""
        return self.estimate.status

    @property
    def objects(self) -> dict[int, FocusEstimate]:
        """Estimates by label; in a stack, each object's sharpest one among the planes that show it."""
        best: dict[int, FocusEstimate] = {}
        for plane in self.planes:
            for label, estimate in plane.objects.items():
                known = best.get(label)
                if known is None or not known.answered or estimate.defocus_level < known.defocus_level:
                    best[label] = estimate
        return best

    def features(self) -> dict[str, float]:
        """Name the numbers for a table: NaN where there is no answer, never text; the keys do not depend on z."""
        e = self.estimate
        index = NAN if self.sharpest_plane_index is None else float(self.sharpest_plane_index)
        return {
            "Score": e.defocus_level,
            "PredictedLevel": e.predicted_level,
            "Certainty": e.certainty,
            "MeanCertainty": e.mean_certainty,
            "BlurDiameterPx": e.blur_diameter_px,
            "DefocusDistanceUm": e.defocus_distance_um,
            "Answered": float(e.answered),
            "SharpestPlane": index,
            "SharpestPlaneZUm": self.sharpest_plane_z_um,
        }

    def of_plane(self, index: int) -> ImageFocus:
        """Focus of one plane by itself."""
        plane = self.planes[index]
        return ImageFocus(plane.estimate, (plane,), 0 if plane.estimate.answered else None)

    def of_object(self, label: int) -> ImageFocus:
        """Focus of one object by itself."""
        return ImageFocus(self.objects[label], ())

    def metrics(self) -> dict[str, float]:
        """Classical metrics of the image, or of the sharpest plane of a stack; empty where they were not asked for."""
        if not self.planes:
            return {}
        return dict(self.planes[self.sharpest_plane_index or 0].metrics)
