"""Bringing a plane to the scale that the focus quality model was trained at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

from parfocal.optics.optics import BLUR_PX_PER_LEVEL, MODEL_OPTICS, Optics

# Beyond these the resampled picture has little in common with what the model has seen.
LARGEST_REDUCTION = 8.0
LARGEST_UNDERSAMPLING = 4.0


@dataclass(frozen=True)
class ModelScale:
    """How a plane is resampled, and what a level then means.

    With complete optics the plane is reduced until a pixel is as large against lambda / NA as in the model's images
    (0.65 um at 1 um). One level is then one depth of field n lambda / NA^2. A plane that is coarser than that is left
    as it is, since enlarging adds no detail: its levels are wider, by geometry. Without optics nothing is resampled.

    Attributes
    ----------
    zoom : float
        Factor on the number of pixels along an axis, at most 1.
    optics : Optics or None
        Optics of the resampled plane; None where they are not known.
    """

    zoom: float = 1.0
    optics: Optional[Optics] = None

    @classmethod
    def of(cls, optics: Optional[Optics]) -> ModelScale:
        """Scale for these optics, or for unknown ones (None)."""
        if optics is None:
            return cls()
        model_pixel_um = MODEL_OPTICS.pixel_size_um * optics.lateral_unit_um / MODEL_OPTICS.lateral_unit_um
        zoom = min(1.0, optics.pixel_size_um / model_pixel_um)
        return cls(zoom, optics.with_pixel_size(optics.pixel_size_um / zoom))

    def reason_out_of_range(self) -> str:
        """Say why the optics are outside the range, or nothing where they are inside."""
        if self.optics is None:
            return ""
        if self.zoom < 1.0 / LARGEST_REDUCTION:
            return (
                f"pixels are {1 / self.zoom:.1f} times finer than the model's scale, the limit is {LARGEST_REDUCTION:g}"
            )
        model_pixel_um = MODEL_OPTICS.pixel_size_um * self.optics.lateral_unit_um / MODEL_OPTICS.lateral_unit_um
        coarseness = self.optics.pixel_size_um / model_pixel_um
        if coarseness > LARGEST_UNDERSAMPLING:
            return f"pixels are {coarseness:.1f} times coarser than the model's, the limit is {LARGEST_UNDERSAMPLING:g}"
        return ""

    def blur_diameter_px(self, defocus_level: float) -> float:
        """Blur diameter of a level in pixels of the plane as it was given."""
        return defocus_level * BLUR_PX_PER_LEVEL / self.zoom

    def defocus_distance_um(self, defocus_level: float) -> float:
        """Distance from focus in um of a level; NaN where the optics are not known."""
        return self.optics.level_to_um(defocus_level) if self.optics else float("nan")

    def resample(self, image_yx: np.ndarray) -> np.ndarray:
        """Reduce a plane of intensities, with anti-aliasing (float32); returned as it is where the scale fits."""
        if self.zoom == 1.0:
            return image_yx
        from skimage.transform import resize

        image = np.asarray(image_yx, np.float32)
        shape = self.resampled_shape(image.shape)
        reduced = resize(image, shape, order=1, mode="reflect", anti_aliasing=True, preserve_range=True)
        return np.asarray(reduced, np.float32)

    def resample_mask(self, mask_yx: np.ndarray) -> np.ndarray:
        """Reduce a mask by taking the nearest pixel."""
        if self.zoom == 1.0:
            return mask_yx
        rows, columns = (
            np.minimum(((np.arange(new) + 0.5) * old / new).astype(int), old - 1)
            for new, old in zip(self.resampled_shape(mask_yx.shape), mask_yx.shape)
        )
        return mask_yx[np.ix_(rows, columns)]

    def resample_box(self, box: tuple[slice, slice]) -> tuple[slice, slice]:
        """Bounding box after resampling: the pixels that it touches, so that a small object never vanishes."""
        y, x = (slice(math.floor(side.start * self.zoom), math.ceil(side.stop * self.zoom)) for side in box)
        return y, x

    def resampled_shape(self, shape_yx: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of a plane after resampling."""
        return tuple(round(length * self.zoom) for length in shape_yx)
