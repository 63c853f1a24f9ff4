"""Random batches: crops of in-focus images, blurred and exposed at random, or crops of real pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, NamedTuple, TypeVar

import numpy as np

from parfocal.optics.optics import MODEL_OPTICS, Optics
from parfocal.restoration.dataset import PairPixels, Scene
from parfocal.restoration.inputs import context_px, network_input
from parfocal.restoration.settings import RestorationTraining
from parfocal.restoration.synthesis import (
    LATERAL_UNITS_PX,
    PSF_PX,
    blurred_pair,
    expose,
    optics_of,
    random_haze,
    random_thickness,
    thick_layers,
)

Made = TypeVar("Made")
_LEVEL_STEP = 0.25


@dataclass(frozen=True)
class Batch:
    """What one training step needs: `inputs` and `truth` (n, y, x, c), and `offset` and `scale` of each truth.

    (truth - offset) / scale has background 0 and data range 1; the loss looks at both images under this scale.
    """

    inputs: np.ndarray
    truth: np.ndarray
    offset: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Batch:
        """Stack samples."""
        inputs, truth, offset, scale = zip(*samples)
        offset, scale = (np.array(values, np.float32)[:, None, None, None] for values in (offset, scale))
        return cls(np.stack(inputs), np.stack(truth), offset, scale)


class Sample(NamedTuple):
    """One crop of a batch."""

    inputs: np.ndarray
    truth: np.ndarray
    offset: float
    scale: float


class SyntheticSampler:
    """Endless random batches, the same for the same seed and step.

    Parameters
    ----------
    scenes : sequence of Scene
    settings : RestorationTraining
        For which network and how large the crops are made, and how they are blurred; the level is uniform from 0 on, in
        steps of 0.25, and under `optics_spread` three in five crops have optics drawn from `LATERAL_UNITS_PX`.
    seed : int

    Attributes
    ----------
    crops : int
        Crops of this size that fit into the scenes side by side: one pass.
    """

    def __init__(self, scenes: Sequence[Scene], settings: RestorationTraining, seed: int) -> None:
        self.scenes, self.settings, self.seed = scenes, settings, seed
        self.crops = sum(crops_of(scene.pixels, settings.crop_px) for scene in scenes)
        self.weights = group_weights([scene.group for scene in scenes])

    def batch(self, step: int, size: int) -> Batch:
        """Make one batch."""
        rng = np.random.default_rng([self.seed, 50, step])
        chosen = rng.choice(len(self.scenes), size, p=self.weights)
        return Batch.of([self._sample(self.scenes[index], rng) for index in chosen])

    def _sample(self, scene: Scene, rng: np.random.Generator) -> Sample:
        settings = self.settings
        level = _LEVEL_STEP * int(rng.integers(round(settings.largest_level / _LEVEL_STEP) + 1))
        optics = MODEL_OPTICS
        if settings.optics_spread and rng.random() < 0.6:
            optics = optics_of(float(rng.choice(LATERAL_UNITS_PX)))
        thickness = random_thickness(level, rng) if rng.random() < settings.thick_share else 0.0
        layers = thick_layers(level, thickness, rng) if thickness else {level: 1.0}
        margin = context_px(settings.architecture)
        crop = random_crop(scene.pixels, settings.crop_px, margin + PSF_PX // 2, rng)
        focused, blurred = blurred_pair(crop, layers, optics)
        haze = random_haze(blurred.shape[0], rng)[..., None] if rng.random() < 0.3 else np.float32(0)
        exposed = expose(blurred + haze, rng)
        # What normalising a whole image by its percentiles does: a blurred image has dimmer bright structures.
        scale = float(np.exp(rng.uniform(np.log(0.7), np.log(3.0))))
        offset = float(rng.uniform(-0.05, 0.05))
        told = measured_level(level, rng, thickness)
        inputs = network_input(settings.architecture, exposed * scale + offset, told, optics)
        end = margin + settings.crop_px
        truth = (focused + haze)[margin:end, margin:end] * scale + offset
        return Sample(inputs, truth.astype(np.float32), offset, scale)


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
        return Batch.of([self._sample(self.pairs[index], rng) for index in chosen])

    def _sample(self, pair: PairPixels, rng: np.random.Generator) -> Sample:
        margin = context_px(self.architecture)
        channels = pair.focused.shape[-1]
        both = random_crop(np.concatenate([pair.defocused, pair.focused], axis=-1), self.crop_px, margin, rng)
        end = margin + self.crop_px
        inputs = network_input(self.architecture, both[..., :channels], measured_level(pair.level, rng), self.optics)
        return Sample(inputs, both[margin:end, margin:end, channels:], pair.offset, pair.scale)


def measured_level(level: float, rng: np.random.Generator, thickness: float = 0.0) -> float:
    """Draw what `measure_image_focus` may say of an image of this level, the middle one where it is thick.

    Its errors on images blurred by a known amount have a standard deviation of 0.3 to 0.5 levels; now and then they are
    larger, and soft structures in focus read as level 1 to 2. Of a specimen that is thick the nearest parts count most:
    of images blurred by such kernels 0.3 is missing where it reaches over 4 levels, 0.7 over 6 and 1.7 over 10
    (`docs/thick_specimens.py`), and a little more of the real nucleus there.
    """
    nearer = thickness**2 / 50 * rng.uniform(0.5, 2.0) if thickness else 0.0
    error = rng.normal(0.0, 0.35 if rng.random() < 0.8 else 0.9)
    soft = abs(rng.normal(0.0, 0.8)) * max(0.0, 1 - level / 3)
    return float(np.clip(level - nearer + error + soft, 0.0, 10.0))


def crops_of(pixels: np.ndarray, crop_px: int) -> int:
    """Count the crops of a size that fit into an image side by side, at least 1."""
    return max(1, pixels.shape[0] // crop_px) * max(1, pixels.shape[1] // crop_px)


def group_weights(groups: Sequence[str]) -> np.ndarray:
    """Weights by which images are drawn, sum 1: a group of n images weighs sqrt(n).

    So small groups are heard and large ones do not drown them.
    """
    weights = np.array([groups.count(group) ** -0.5 for group in groups])
    return weights / weights.sum()


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
