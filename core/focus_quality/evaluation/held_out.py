"""Images that took no part in training: chosen, checked, and defocused under a stated exposure."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parfocal.focus_quality.dataset import normalise
from parfocal.focus_quality.synthesis import Camera, defocus_levels
from parfocal.registry import shipped_file
from parfocal.training.images import TrainingImage, find_training_images, read_gray, reason_to_refuse, split_by_field

TEST, LEFT_OUT, UNKNOWN = "test", "left_out", "unknown"


@dataclass(frozen=True)
class Exposure:
    """How synthetic images are exposed: peak signal and read noise in photoelectrons, background as share of the peak.

    The peak is that of the sharp image (its 99.9th percentile); one count a photoelectron, on a black level of 100.
    """

    peak_electrons: float = 1000.0
    background_share: float = 0.05
    read_noise_electrons: float = 2.0

    def expose(self, clean_yx: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Expose an image with background 0 and bright structures 1 (uint16)."""
        camera = Camera(gain=1.0, offset=100.0, read_noise=self.read_noise_electrons)
        return camera.expose((clean_yx + self.background_share) * self.peak_electrons, rng)


@dataclass(frozen=True)
class HeldOutImage:
    """One image to evaluate on.

    Attributes
    ----------
    image : TrainingImage
    part : str
        `test` (another field of a trained source), `left_out` (foreign source) or `unknown`.
    """

    image: TrainingImage
    part: str

    @property
    def field(self) -> str:
        """Name of the field, unique over the sources."""
        return f"{self.image.source}/{self.image.field}"

    @property
    def seed(self) -> int:
        """Number that depends on nothing but the names."""
        return zlib.crc32(f"{self.field}/{self.image.path.name}".encode())

    def read(self) -> np.ndarray:
        """Read the image as it was stored (its type tells an 8-bit from a 16-bit camera)."""
        import imageio.v3 as iio

        return np.asarray(iio.imread(self.image.path))

    def exposures(self, exposure: Exposure, seed: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (level, counts uint16) for all 11 levels; the same for the same seed, whatever else is evaluated."""
        rng = np.random.default_rng([seed, self.seed])
        for level, clean in enumerate(defocus_levels(normalise(read_gray(self.image.path)))):
            yield level, exposure.expose(clean, rng)


@dataclass(frozen=True)
class HeldOut:
    """The images to evaluate on, those refused with the reason, and what the reader must know of the choice."""

    images: tuple[HeldOutImage, ...]
    refused: tuple[tuple[Path, str, str], ...]
    warnings: tuple[str, ...] = ()


def find_held_out(
    folder: str | os.PathLike[str],
    sources: str | os.PathLike[str] | None = None,
    images_per_source: int = 8,
    seed: int = 0,
) -> HeldOut:
    """Choose up to so many images of each source that took no part in training.

    Parameters
    ----------
    folder : path
    sources : path, optional
        JSON that groups the images into sources and fields. Without it the shipped one, if it knows any image of the
        folder, else each subfolder is a source and all images are taken.
    images_per_source : int
        The choice among more is random, under the seed.
    seed : int

    Raises
    ------
    FileNotFoundError
        Where the folder holds no image, or none that can be used.
    """
    parts, warnings = _parts(folder, sources)
    rng = np.random.default_rng(seed)
    choices = [choose_images(images, part, images_per_source, rng) for part, images in parts.items()]
    chosen = tuple(image for choice in choices for image in choice.images)
    refused = tuple(row for choice in choices for row in choice.refused)
    if not chosen:
        raise FileNotFoundError(f"no image below {folder} can be evaluated on: {len(refused)} were refused")
    return HeldOut(chosen, refused, warnings)


def choose_images(images: list[TrainingImage], part: str, per_source: int, rng: np.random.Generator) -> HeldOut:
    """Choose up to so many images of each source at random; unusable ones are passed over and listed."""
    chosen: list[HeldOutImage] = []
    refused: list[tuple[Path, str, str]] = []
    for source in sorted({image.source for image in images}):
        own = [image for image in images if image.source == source]
        for image in (own[i] for i in rng.permutation(len(own))):
            if sum(known.image.source == source for known in chosen) == per_source:
                break
            reason = _reason(image.path)
            if reason is None:
                chosen.append(HeldOutImage(image, part))
            else:
                refused.append((image.path, source, reason))
    return HeldOut(tuple(chosen), tuple(refused))


def _reason(path: Path) -> str | None:
    try:
        return reason_to_refuse(read_gray(path))
    except (OSError, ValueError) as error:
        return f"cannot be read as one plane: {error}"


def find_sources(
    folder: str | os.PathLike[str], sources: str | os.PathLike[str] | None
) -> tuple[list[TrainingImage], bool]:
    """List the images with their sources, and say whether these are known; unknown ones are told by their folders."""
    try:
        return find_training_images(Path(folder), Path(sources or shipped_file("training_sources.json"))), True
    except FileNotFoundError:
        if sources is not None:
            raise
        return find_training_images(Path(folder)), False


def _parts(
    folder: str | os.PathLike[str], sources: str | os.PathLike[str] | None
) -> tuple[dict[str, list[TrainingImage]], tuple[str, ...]]:
    found, known = find_sources(folder, sources)
    if not known:
        warning = (
            "The images belong to none of the sources that the shipped models were made from. Each folder counts as a"
            " source; nobody knows whether the model was trained on these images."
        )
        return {UNKNOWN: found}, (warning,)
    split = split_by_field(found)
    return {TEST: split[TEST], LEFT_OUT: split[LEFT_OUT]}, ()
