"""Training patches: in-focus images blurred to each level, exposed by a random camera, cut at random places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from parfocal.focus_quality.exposure import cell_means, expose_randomly, random_haze
from parfocal.focus_quality.network import N_LEVELS, PATCH_SIZE_PX
from parfocal.focus_quality.patches import standardise
from parfocal.focus_quality.settings import FocusQualityTraining
from parfocal.focus_quality.structures import draw_structures
from parfocal.focus_quality.synthesis import apply_gain_and_offset, defocus_levels, random_gain_and_offset
from parfocal.training.images import TrainingImage, read_gray


@dataclass(frozen=True)
class BlurredImage:
    """One image at all levels, background 0 and bright structures 1: `levels` (level, y, x) float16."""

    levels: np.ndarray
    source: str
    stain: str
    noise: float

    @property
    def group(self) -> tuple[str, str]:
        """Images that are alike."""
        return self.source, self.stain


def blur_images(images: Sequence[TrainingImage], zoomed_copies: bool = False, seed: int = 0) -> list[BlurredImage]:
    """Read images and blur each to the 11 levels (two at a time, in threads).

    Parameters
    ----------
    images : sequence of TrainingImage
    zoomed_copies : bool
        Add a copy of each image that was reduced to 50 to 90 percent before the blur: smaller objects, sharp edges.
    seed : int
        Of the reductions.
    """
    zooms = np.random.default_rng(seed).uniform(0.5, 0.9, len(images))
    jobs = [(image, 1.0) for image in images]
    if zoomed_copies:
        jobs += list(zip(images, zooms))
    with ThreadPoolExecutor(2) as pool:
        blurred = list(pool.map(lambda job: blur_image(*job), jobs))
    return [image for image in blurred if min(image.levels.shape[1:]) >= PATCH_SIZE_PX]


def training_images(images: Sequence[TrainingImage], settings: FocusQualityTraining) -> list[BlurredImage]:
    """Blur what a run trains on: the images, their reduced copies and simulated pictures, as the settings say."""
    real = blur_images(images, settings.zoomed_copies, settings.seed)
    return real + simulated_images(settings.simulated_pictures, settings.seed)


def simulated_images(count: int, seed: int) -> list[BlurredImage]:
    """Draw simulated pictures and blur them to the 11 levels; they are free of noise."""
    made = []
    for i in range(count):
        kind, light = draw_structures(np.random.default_rng([seed, i, 17]))
        made.append(BlurredImage(defocus_levels(normalise(light)).astype(np.float16), "simulated", kind, 0.0))
    return made


def blur_image(image: TrainingImage, zoom: float = 1.0) -> BlurredImage:
    """Read one image, set its background to 0 and its bright structures to 1, and blur it to the 11 levels."""
    pixels = normalise(read_gray(image.path))
    if zoom != 1.0:
        from skimage.transform import rescale

        pixels = rescale(pixels, zoom, order=1, mode="reflect", anti_aliasing=True).astype(np.float32)
    # White noise that the image brought along, from the second difference of neighbours.
    rough = pixels[:, 1:-1] - (pixels[:, :-2] + pixels[:, 2:]) / 2
    noise = float(np.median(np.abs(rough)) / 0.6745 / np.sqrt(1.5))
    return BlurredImage(defocus_levels(pixels).astype(np.float16), image.source, image.stain, noise)


def normalise(image_yx: np.ndarray) -> np.ndarray:
    """Set the 0.5th percentile to 0 and the 99.9th to 1 (float32); brighter pixels stay above 1."""
    low, high = np.percentile(image_yx, [0.5, 99.9])
    return np.maximum((image_yx - low) / max(high - low, 1e-6), 0).astype(np.float32)


class PatchSampler:
    """Endless random batches, the same for the same seed and step.

    Parameters
    ----------
    images : sequence of BlurredImage
    seed : int
    augment : bool
        Apply the paper's random gain and offset.
    haze : bool
        Add an uneven background to every second patch.
    smooth_noise : bool
        Smooth the noise of every fifth patch, as resampling, compression and colour cameras do.
    standardised : bool
        Bring the patches to mean 0 and variance 1.
    mixed_share : float
        Share of the patches to which one of another image is added, equally far out of focus.
    """

    def __init__(
        self,
        images: Sequence[BlurredImage],
        seed: int,
        augment: bool = True,
        haze: bool = False,
        smooth_noise: bool = False,
        standardised: bool = False,
        mixed_share: float = 0.0,
    ) -> None:
        self.images = images
        self.seed = seed
        self.augment = augment
        self.haze = haze
        self.smooth_noise = smooth_noise
        self.standardised = standardised
        self.mixed_share = mixed_share
        groups = [image.group for image in images]
        counts = {group: groups.count(group) for group in set(groups)}
        # A group of n images is drawn with weight sqrt(n): small ones are heard, large ones do not drown them.
        weights = np.array([counts[group] ** -0.5 for group in groups])
        self.weights = weights / weights.sum()

    def batch(self, step: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return patches (size, 84, 84, 1) float32 and target distributions (size, 11) float32."""
        rng = np.random.default_rng([self.seed, step])
        chosen = rng.choice(len(self.images), size, p=self.weights)
        samples = [self._sample(self.images[index], rng) for index in chosen]
        patches, targets = zip(*samples)
        batch = standardise(np.stack(patches)) if self.standardised else np.stack(patches)
        return batch[..., None], np.stack(targets)

    def batches(self, first_step: int, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield batch after batch, the next one prepared in a thread meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self.batch, first_step, size)
            step = first_step
            while True:
                ready, step = upcoming.result(), step + 1
                upcoming = pool.submit(self.batch, step, size)
                yield ready

    def _sample(self, image: BlurredImage, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        level = int(rng.integers(N_LEVELS))
        clean, brought = _random_crop(image.levels, level, rng), image.noise
        if self.mixed_share and rng.random() < self.mixed_share:
            other, share = self._another(rng), np.exp(rng.uniform(np.log(0.1), 0.0))
            clean = clean + np.float32(share) * _random_crop(other.levels, level, rng)
            brought = np.hypot(brought, share * other.noise)
        haze = random_haze(rng) if self.haze and rng.random() < 0.5 else None
        smoothing_px = rng.uniform(0.4, 1.6) if self.smooth_noise and rng.random() < 0.2 else 0.0
        exposed, noise = expose_randomly(clean, rng, haze, smoothing_px)
        if self.augment:
            exposed = apply_gain_and_offset(exposed, *random_gain_and_offset(rng))
        target = np.eye(N_LEVELS, dtype=np.float32)[level]
        if not has_content(clean, np.hypot(noise, brought / 4)):
            target = np.full(N_LEVELS, 1.0 / N_LEVELS, np.float32)
        return np.rint(exposed), target

    def _another(self, rng: np.random.Generator) -> BlurredImage:
        return self.images[int(rng.choice(len(self.images), p=self.weights))]


def has_content(clean_yx: np.ndarray, noise: float) -> bool:
    """Say whether a patch shows more than noise: the contrast of its 4 x 4 means against the noise in such means.

    With less nobody could tell its level: it carries the uniform target.
    """
    return bool(cell_means(clean_yx).std() > noise)


def _random_crop(levels: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    height, width = levels.shape[1:]
    y = int(rng.integers(height - PATCH_SIZE_PX + 1))
    x = int(rng.integers(width - PATCH_SIZE_PX + 1))
    crop = levels[level, y : y + PATCH_SIZE_PX, x : x + PATCH_SIZE_PX].astype(np.float32)
    crop = np.rot90(crop, int(rng.integers(4)))
    return np.ascontiguousarray(crop[:, ::-1] if rng.integers(2) else crop)
