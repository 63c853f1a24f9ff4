"""Batches of labelled crops, moved, turned and mirrored, but never blurred or sharpened on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Optional

import numpy as np
from scipy.ndimage import affine_transform

from parfocal.beads.distance.crops import LabelledCrops
from parfocal.beads.distance.normalise import background, normalise

AUGMENTATIONS = ("chalfoun2024", "exact", "relit", "none")
SHIFT_PX = 5
TURN_DEGREES = 5.0
SCALES = (0.95, 1.05)
# Contrast and noise (share of the background) of the light of another image, and its change over a crop.
CONTRASTS = (0.93, 1.07)
LARGEST_NOISE = 0.02
LARGEST_GRADIENT = 0.06


class CropSampler:
    """Endless random batches, the same for the same seed and step.

    Parameters
    ----------
    crops : LabelledCrops
    crop_px : int
        Width of a crop as the network sees it.
    normalisation : str
        See `normalise`.
    count_scale : float
        See `normalise`.
    seed : int
    augmentation : str
        `chalfoun2024`: shift of up to 5 px, turn of up to 5 degrees, reflection, scale 0.95 to 1.05, interpolated.
        `exact`: shifts by whole pixels, quarter turns and reflection, which leave every pixel's value as it is.
        `relit`: the same, then `relit` light, for crops of a few stacks.
    limits_um : tuple of float
        Labels beyond are set to the limit: there the network need only tell that a crop lies outside.
    """

    def __init__(
        self,
        crops: LabelledCrops,
        crop_px: int,
        normalisation: str,
        count_scale: float,
        seed: int = 0,
        augmentation: str = "none",
        limits_um: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        self.crops, self.crop_px = crops, crop_px
        self.normalisation, self.count_scale = normalisation, count_scale
        self.seed, self.augmentation, self.limits_um = seed, augmentation, limits_um

    def with_seed(self, seed: int) -> CropSampler:
        """Give the same crops in another order."""
        return CropSampler(
            self.crops, self.crop_px, self.normalisation, self.count_scale, seed, self.augmentation, self.limits_um
        )

    def batch(self, step: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return network inputs (size, crop_px, crop_px, 1) and distances (size, 1), float32.

        Each pass over the crops is a new random order.
        """
        n = len(self.crops)
        places = np.arange(step * size, (step + 1) * size)
        chosen = [np.random.default_rng([self.seed, 40, turn]).permutation(n) for turn in np.unique(places // n)]
        index = np.concatenate(chosen)[places - places[0] // n * n]
        rng = np.random.default_rng([self.seed, 41, step])
        cut = np.stack([self._augmented(self.crops.crops_nyx[i], rng) for i in index])
        if self.augmentation == "relit":
            cut = relit(cut, rng)
        labels = np.clip(self.crops.distance_um[index], *self.limits_um)
        inputs = normalise(cut, self.normalisation, self.count_scale)
        return inputs[..., None], labels.astype(np.float32)[:, None]

    def batches(self, first_step: int, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield batch after batch, the next one prepared in a thread meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self.batch, first_step, size)
            step = first_step
            while True:
                ready, step = upcoming.result(), step + 1
                upcoming = pool.submit(self.batch, step, size)
                yield ready

    def _augmented(self, crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.augmentation == "none":
            return shifted(crop, (0, 0), self.crop_px)
        if self.augmentation == "chalfoun2024":
            return warped(crop, rng, self.crop_px)
        cut = shifted(crop, rng.integers(-SHIFT_PX, SHIFT_PX + 1, 2), self.crop_px)
        turned = np.rot90(cut, int(rng.integers(4)))
        return turned[:, ::-1] if rng.integers(2) else turned


def shifted(crop: np.ndarray, shift_yx: tuple[int, int] | np.ndarray, size: int) -> np.ndarray:
    """Cut `size` pixels around the middle plus a shift; what lies beyond the crop repeats its edge."""
    lines = [(n - size) // 2 + int(by) + np.arange(size) for n, by in zip(crop.shape, shift_yx)]
    rows, columns = (np.clip(line, 0, n - 1) for line, n in zip(lines, crop.shape))
    return crop[rows[:, None], columns[None, :]]


def warped(crop: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
    """Shift, turn, scale and mirror at random as the paper does, by linear interpolation."""
    angle = np.deg2rad(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag(rng.choice([-1.0, 1.0], 2)) / rng.uniform(*SCALES)
    middle = (np.array(crop.shape) - 1) / 2 + rng.uniform(-SHIFT_PX, SHIFT_PX, 2)
    offset = middle - matrix @ np.full(2, (size - 1) / 2)
    return affine_transform(crop.astype(np.float32), matrix, offset, (size, size), order=1, mode="nearest")


def relit(crops_nyx: np.ndarray, rng: np.random.Generator, field: Optional[np.ndarray] = None) -> np.ndarray:
    """Show crops (n, y, x) in the light of another image, float32: stray light, a gradient, noise, no change of blur.

    The crops of a stack share their light, and those of a few stacks tell a network little of what light may do: by
    how much stray light weakens the contrast, how the background falls off, how noisy a short exposure is. Crops of one
    `field` (n,), counted from 0, get the same contrast and noise, as the beads of one image have; without it each has
    its own.
    """
    n, size = len(crops_nyx), crops_nyx.shape[1]
    index = np.arange(n) if field is None else field
    count = int(index.max(initial=-1)) + 1
    contrast = rng.uniform(*CONTRASTS, count).astype(np.float32)[index, None, None]
    noise = rng.uniform(0, LARGEST_NOISE, count).astype(np.float32)[index, None, None]
    level = np.maximum(background(crops_nyx), np.float32(1e-6))[:, None, None]
    slope = rng.uniform(-LARGEST_GRADIENT, LARGEST_GRADIENT, (n, 2)).astype(np.float32)
    line = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    relative = 1 + contrast * (crops_nyx / level - 1)
    relative *= 1 + slope[:, :1, None] * line[None, :, None] + slope[:, 1:, None] * line[None, None, :]
    # Shot noise grows with the root of the light.
    grain = rng.standard_normal(relative.shape, dtype=np.float32) * np.sqrt(np.maximum(relative, 0))
    return np.asarray(level * (relative + noise * grain), dtype=np.float32)


def relit_fields(crops: LabelledCrops, seed: int, about: int = 3000) -> LabelledCrops:
    """Show the fields of some crops (one stack at one distance) in several lights, so that there are `about` so many.

    Each time they are a stack of their own.
    """
    _, field = np.unique(np.stack([crops.stack_index, crops.distance_um]), axis=1, return_inverse=True)
    rng = np.random.default_rng([seed, 42])
    times = max(1, about // max(1, len(crops)))
    lights = [relit(crops.crops_nyx, rng, field.ravel()) for _ in range(times)]
    first = np.unique(crops.stack_index, return_inverse=True)[1].ravel()
    stack = np.concatenate([first + turn * len(crops) for turn in range(times)])
    return replace(
        crops, crops_nyx=np.concatenate(lights), distance_um=np.tile(crops.distance_um, times), stack_index=stack
    )
