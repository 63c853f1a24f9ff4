"""Random batches of planes, as each focal-position network wants to see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from parfocal.focal_position.inputs import normalised, standardised
from parfocal.focal_position.labelled import LabelledPlanes
from parfocal.focal_position.network import FIELD_PX, STRIDE_PX

CROP_PX = FIELD_PX + 4 * STRIDE_PX
# Of so many random squares of a real image the one with the most contrast is taken: an empty one teaches nothing.
_SQUARES = 4
Batch = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class PlaneSampler:
    """Batches of crops, turned and flipped, the same for the same seed and step.

    Attributes
    ----------
    labelled : LabelledPlanes
    architecture : str
    seed : int
    crop_px : int
        Width of the crops at the scale that the network sees; smaller planes are mirrored.
    indices : ndarray, optional
        Planes to draw from; all by default.
    """

    labelled: LabelledPlanes
    architecture: str = "default"
    seed: int = 0
    crop_px: int = CROP_PX
    indices: Optional[np.ndarray] = None

    def batch(self, step: int, size: int) -> Batch:
        """Make one batch: inputs (n, y, x, 1), float32, and distributions to be learnt (n, bins)."""
        rng = np.random.default_rng([self.seed, 94, step])
        pool = np.arange(len(self.labelled)) if self.indices is None else self.indices
        chosen = rng.choice(pool, size)
        inputs = np.stack([self._input(self.labelled.planes[i], rng) for i in chosen])
        return inputs[..., None], self.labelled.targets[chosen]

    def _input(self, plane_yx: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        seen = expose(plane_yx, rng) if self.labelled.clean else np.asarray(plane_yx, np.float32)
        if self.architecture == "wei2018":
            return standardised(_turned(_cut(seen, self.crop_px, rng), rng))
        # The scale of intensities is that of the whole image, as when an image is estimated.
        whole = normalised(seen)
        squares = [_cut(whole, self.crop_px, rng) for _ in range(1 if self.labelled.clean else _SQUARES)]
        crop = _turned(max(squares, key=lambda square: float(square.std())), rng)
        crop = crop * np.float32(np.exp(rng.uniform(-0.2, 0.2))) + np.float32(rng.uniform(-0.05, 0.05))
        return crop + np.float32(rng.uniform(0, 0.02)) * rng.standard_normal(crop.shape, dtype=np.float32)


def expose(plane_yx: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Expose noise-free light with 30 to 3000 photoelectrons over an even or uneven background."""
    photons = float(np.exp(rng.uniform(np.log(30), np.log(3000))))
    background = float(np.exp(rng.uniform(np.log(0.01), np.log(0.5))))
    light = np.asarray(plane_yx, np.float32) + np.float32(background)
    if rng.random() < 0.4:
        line = np.linspace(-0.5, 0.5, plane_yx.shape[0], dtype=np.float32)
        slope = rng.uniform(-0.6, 0.6, 2).astype(np.float32) * np.float32(background)
        light = light + slope[0] * line[:, None] + slope[1] * np.linspace(-0.5, 0.5, plane_yx.shape[1])
    light = np.maximum(light * np.float32(photons), 0)
    # The normal approximation of the photon noise: a fifth of the time, and as good at these counts.
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    return np.asarray(light + noise * np.sqrt(light + np.float32(rng.uniform(0.5, 4))), np.float32)


def _cut(plane_yx: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Cut a random square; a plane that is smaller is mirrored first."""
    missing = [max(0, size - side) for side in plane_yx.shape]
    plane = np.pad(plane_yx, [(0, n) for n in missing], mode="symmetric") if any(missing) else plane_yx
    y, x = (int(rng.integers(side - size + 1)) for side in plane.shape)
    return plane[y : y + size, x : x + size]


def _turned(square_yx: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    turned = np.rot90(square_yx, int(rng.integers(4)))
    return turned[:, ::-1] if rng.random() < 0.5 else turned
