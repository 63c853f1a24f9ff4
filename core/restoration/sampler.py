"""Random batches: crops of in-focus images, blurred and exposed at random, or crops of real pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, TypeVar

import numpy as np

from parfocal.optics.optics import MODEL_OPTICS, Optics
from parfocal.restoration.dataset import PairPixels, Scene
from parfocal.restoration.inputs import context_px, network_input
from parfocal.restoration.synthesis import LATERAL_UNITS_PX, PSF_PX, blurred_pair, expose, optics_of, random_haze

Made = TypeVar("Made")
_LEVEL_STEP = 0.25


@dataclass(frozen=True)
class Batch:
    """What one training step needs: `inputs` and `truth` (n, y, x, c), and for each the unit `scale` of the truth.

    (truth / scale) has data range 1; the loss looks at both images divided by it.
    """

    inputs: np.ndarray
    truth: np.ndarray
    scale: np.ndarray


class SyntheticSampler:
    """Endless random batches, the same for the same seed and step.

    Parameters
    ----------
    scenes : sequence of Scene
    architecture : str
        For which network the inputs are made.
    crop_px : int
        Width of a crop of the truth.
    seed : int
    largest_level : float
        The level is uniform between 0 and this, in steps of 0.25.
    optics_spread : bool
        Draw the optics of three in five crops from `LATERAL_UNITS_PX`; otherwise all have the model's.

    Attributes
    ----------
    crops : int
        Crops of this size that fit into the scenes side by side: one pass.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        architecture: str,
        crop_px: int,
        seed: int,
        largest_level: float = 10.0,
        optics_spread: bool = True,
    ) -> None:
        self.scenes, self.architecture, self.crop_px, self.seed = scenes, architecture, crop_px, seed
        self.largest_level, self.optics_spread = largest_level, optics_spread
        self.crops = sum(crops_of(scene.pixels, crop_px) for scene in scenes)
        self.weights = group_weights([scene.group for scene in scenes])

    def batch(self, step: int, size: int) -> Batch:
        """Make one batch."""
        rng = np.random.default_rng([self.seed, 50, step])
        chosen = rng.choice(len(self.scenes), size, p=self.weights)
        return _stacked([self._sample(self.scenes[index], rng) for index in chosen])

    def _sample(self, scene: Scene, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
        level = _LEVEL_STEP * int(rng.integers(round(self.largest_level / _LEVEL_STEP) + 1))
        optics = MODEL_OPTICS
        if self.optics_spread and rng.random() < 0.6:
            optics = optics_of(float(rng.choice(LATERAL_UNITS_PX)))
        margin = context_px(self.architecture)
        crop = random_crop(scene.pixels, self.crop_px, margin + PSF_PX // 2, rng)
        focused, blurred = blurred_pair(crop, level, optics)
        haze = random_haze(blurred.shape[0], rng)[..., None] if rng.random() < 0.3 else np.float32(0)
        exposed = expose(blurred + haze, rng)
        # What normalising a whole image by its percentiles does: a blurred image has dimmer bright structures.
        scale = float(np.exp(rng.uniform(np.log(0.7), np.log(3.0))))
        offset = float(rng.uniform(-0.05, 0.05))
        inputs = network_input(self.architecture, exposed * scale + offset, measured_level(level, rng), optics)
        end = margin + self.crop_px
        truth = (focused + haze)[margin:end, margin:end] * scale + offset
        return inputs, truth.astype(np.float32), scale


class PairSampler:
    """Endless random crops of real pairs, the same for the same seed and step.

    Parameters
    ----------
    pairs : sequence of PairPixels
    architecture : str
        For which network the inputs are made.
    crop_px : int
        Width of a crop of the truth.
    seed : int
    optics : Optics
        Optics of the images, for the bank of the default network.
    """

    def __init__(
        self, pairs: Sequence[PairPixels], architecture: str, crop_px: int, seed: int, optics: Optics = MODEL_OPTICS
    ) -> None:
        self.pairs, self.architecture, self.crop_px, self.seed, self.optics = pairs, architecture, crop_px, seed, optics
        self.crops = sum(crops_of(pair.focused, crop_px) for pair in pairs)

    def batch(self, step: int, size: int) -> Batch:
        """Make one batch."""
        rng = np.random.default_rng([self.seed, 51, step])
        chosen = rng.integers(len(self.pairs), size=size)
        return _stacked([self._sample(self.pairs[index], rng) for index in chosen])

    def _sample(self, pair: PairPixels, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
        margin = context_px(self.architecture)
        channels = pair.focused.shape[-1]
        both = random_crop(np.concatenate([pair.defocused, pair.focused], axis=-1), self.crop_px, margin, rng)
        end = margin + self.crop_px
        inputs = network_input(self.architecture, both[..., :channels], measured_level(pair.level, rng), self.optics)
        return inputs, both[margin:end, margin:end, channels:], pair.scale


def measured_level(level: float, rng: np.random.Generator) -> float:
    """Draw what `measure_image_focus` may say of an image of this level.

    Its errors on images blurred by a known amount have a standard deviation of 0.3 to 0.5 levels; now and then they are
    larger, and soft structures in focus read as level 1 to 2.
    """
    error = rng.normal(0.0, 0.35 if rng.random() < 0.8 else 0.9)
    soft = abs(rng.normal(0.0, 0.8)) * max(0.0, 1 - level / 3)
    return float(np.clip(level + error + soft, 0.0, 10.0))


def crops_of(pixels: np.ndarray, crop_px: int) -> int:
    """Count the crops of a size that fit into an image side by side, at least 1."""
    return max(1, pixels.shape[0] // crop_px) * max(1, pixels.shape[1] // crop_px)


def group_weights(groups: Sequence[str]) -> np.ndarray:
    """Weights by which images are drawn, sum 1: a group of n images weighs sqrt(n).

    So small groups are heard and large ones do not drown them.
    """
    weights = np.array([groups.count(group) ** -0.5 for group in groups])
    return weights / weights.sum()


def _stacked(samples: Sequence[tuple[np.ndarray, np.ndarray, float]]) -> Batch:
    inputs, truths, scales = zip(*samples)
    return Batch(np.stack(inputs), np.stack(truths), np.array(scales, np.float32))


def batches(make: Callable[[int, int], Made], first_step: int, size: int) -> Iterator[Made]:
    """Yield batch after batch of a sampler's `batch`, the next one prepared in a thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(make, first_step, size)
        step = first_step
        while True:
            ready, step = upcoming.result(), step + 1
            upcoming = pool.submit(make, step, size)
            yield ready


def random_crop(pixels: np.ndarray, size: int, context: int, rng: np.random.Generator) -> np.ndarray:
    """Cut `size` pixels at a random place with context around them, mirrored beyond the image, turned and flipped."""
    lines = []
    for length in pixels.shape[:2]:
        start = int(rng.integers(max(1, length - size + 1)))
        line = np.arange(start - context, start + size + context) % (2 * length)
        lines.append(np.where(line < length, line, 2 * length - 1 - line))
    crop = np.rot90(pixels[lines[0][:, None], lines[1][None, :]], int(rng.integers(4)))
    return np.ascontiguousarray(crop[:, ::-1] if rng.integers(2) else crop, np.float32)
