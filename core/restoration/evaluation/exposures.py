"""Held-out in-focus images, shown in focus and at a level, and exposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
from scipy.signal import fftconvolve

from parfocal.optics.optics import MODEL_OPTICS, Optics
from parfocal.restoration.comparison import photographed
from parfocal.restoration.dataset import read_scenes
from parfocal.restoration.evaluation.plan import SIDES, Plan
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.kernels import level_psf
from parfocal.restoration.synthesis import PSF_PX
from parfocal.training.images import TrainingImage


class Kernels(NamedTuple):
    """Point spread functions (y, x) of 65 px in focus and defocused, the level of the latter, and the optics."""

    focused: np.ndarray
    defocused: np.ndarray
    level: float
    optics: Optics


def born_wolf_kernels(level: float, optics: Optics = MODEL_OPTICS) -> Kernels:
    """Kernels without aberration, equal on both sides of focus."""
    return Kernels(level_psf(0.0, optics, PSF_PX), level_psf(level, optics, PSF_PX), level, optics)


def shown_through(pixels_yx: np.ndarray, kernels: Kernels) -> tuple[np.ndarray, np.ndarray]:
    """Show an image in focus and defocused, both without the outer half of the kernels (32 pixels a side)."""
    pixels = np.asarray(pixels_yx, np.float32)
    focused, defocused = (
        fftconvolve(pixels, kernel.astype(np.float32), mode="valid") for kernel in (kernels.focused, kernels.defocused)
    )
    return focused, defocused


@dataclass(frozen=True)
class Exposure:
    """One image at one level.

    Attributes
    ----------
    held_out, source, stain, image : str
        Side of the split, and where the image comes from.
    kernels : Kernels
    focused, sharp, blurred : ndarray
        (y, x), float32, background 0 and bright structures 1: in focus without noise, the same exposed, and the
        defocused image exposed.
    """

    held_out: str
    source: str
    stain: str
    image: str
    kernels: Kernels
    focused: np.ndarray
    sharp: np.ndarray
    blurred: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        """What a restored image is scored against: the image in focus, bright structures 1."""
        return Intensity.of(self.focused, smoothed=False).apply(self.focused)

    @property
    def level(self) -> float:
        """True level, in blur of the image's own pixels."""
        return self.kernels.level

    @property
    def about(self) -> dict[str, Any]:
        """Columns that name the image and the level."""
        named = {"held_out": self.held_out, "source": self.source, "stain": self.stain, "image": self.image}
        return {**named, "level": self.level}


def exposures(
    plan: Plan,
    chosen: Optional[dict[str, list[TrainingImage]]] = None,
    width_px: Optional[int] = None,
    kernels: Callable[[float], Kernels] = born_wolf_kernels,
    zoom: float = 1.0,
) -> Iterator[Exposure]:
    """Yield the exposures of all chosen images at all levels; their noise depends on nothing but the plan's seed.

    Parameters
    ----------
    plan : Plan
    chosen : dict, optional
        Images by side of the split; those of `plan.held_out()` by default.
    width_px : int, optional
        Images are cut to their middle of this width, `plan.crop_px` by default.
    kernels : callable
        Kernels of a level.
    zoom : float
        Images are resized by this factor first.
    """
    from rich.progress import track

    sides = plan.held_out() if chosen is None else chosen
    listed = [(side, number, image) for side in SIDES for number, image in enumerate(sides.get(side, []))]
    for side, number, image in track(listed, "images"):
        pixels = middle(resized(read_scenes([image])[0].pixels[..., 0], zoom), width_px or plan.crop_px)
        for level in plan.levels:
            rng = np.random.default_rng([plan.seed, list(SIDES).index(side), number, round(100 * level)])
            yield _exposed(pixels, kernels(level), image, side, plan.photons, rng)


def _exposed(
    pixels_yx: np.ndarray,
    kernels: Kernels,
    image: TrainingImage,
    side: str,
    photons: float,
    rng: np.random.Generator,
) -> Exposure:
    padded = np.pad(pixels_yx, PSF_PX // 2, mode="symmetric")
    focused, defocused = shown_through(padded, kernels)
    blurred, sharp = (photographed(shown, photons, rng) for shown in (defocused, focused))
    return Exposure(side, image.source, image.stain, image.path.name, kernels, focused, sharp, blurred)


def middle(pixels_yx: np.ndarray, width_px: int) -> np.ndarray:
    """Cut an image (y, x) to its middle of a width."""
    y, x = (max(0, (n - width_px) // 2) for n in pixels_yx.shape[:2])
    return pixels_yx[y : y + width_px, x : x + width_px]


def resized(pixels_yx: np.ndarray, zoom: float) -> np.ndarray:
    """Resize an image (y, x) by a factor, float32."""
    pixels = np.asarray(pixels_yx, np.float32)
    if zoom == 1.0:
        return pixels
    from skimage.transform import resize

    shape = tuple(max(1, round(n * zoom)) for n in pixels.shape)
    return np.asarray(resize(pixels, shape, order=1, mode="reflect", anti_aliasing=zoom < 1), np.float32)
