"""Images to train restoring networks from: in-focus images alone, or pairs of the same field in and out of focus."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parfocal.focus_quality.measure import measure_image_focus
from parfocal.optics.optics import BLUR_PX_PER_LEVEL, MODEL_OPTICS, Optics
from parfocal.restoration.intensity import Intensity
from parfocal.training.images import SUFFIXES, TrainingImage


@dataclass(frozen=True)
class Scene:
    """An in-focus image (y, x, colour), background 0 and bright structures 1, float16, and the group it belongs to."""

    pixels: np.ndarray
    group: str


@dataclass(frozen=True)
class ImagePair:
    """Files of one field in focus and defocused."""

    focused: Path
    defocused: Path


@dataclass(frozen=True)
class PairPixels:
    """A pair (y, x, colour), float32, both under the intensity scale of the defocused one; see `Batch`.

    `level` is the measured level of the defocused one in blur of its own pixels, 0 where none could be measured.
    """

    focused: np.ndarray
    defocused: np.ndarray
    offset: float
    scale: float
    level: float = 0.0


def read_pixels(path: str | Path, channels: int = 1) -> np.ndarray:
    """Read an image as float32 (y, x, channels); to one channel colours are averaged, a fourth (alpha) is left out.

    Raises
    ------
    ValueError
        Where the file is no single plane, or a gray one and several channels are wanted.
    """
    import imageio.v3 as iio

    pixels = np.asarray(iio.imread(path))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"a training image must be a single plane (y, x) or (y, x, colour), got {pixels.shape}: {path}"
        )
    colours = pixels[..., :3].astype(np.float32)
    if channels == 1:
        return colours.mean(axis=-1, keepdims=True)
    if colours.shape[-1] != channels:
        raise ValueError(f"an image with {channels} channels is needed, got {colours.shape[-1]}: {path}")
    return colours


def read_scenes(
    images: Sequence[TrainingImage], channels: int = 1, zoomed_copies: bool = False, seed: int = 0
) -> list[Scene]:
    """Read in-focus images, set their background to 0 and their bright structures to 1.

    Parameters
    ----------
    images : sequence of TrainingImage
    channels : int
        Colours to keep.
    zoomed_copies : bool
        Add a copy of each image reduced to 50 to 90 percent: smaller objects, sharp edges, less noise.
    seed : int
        Of the reductions.
    """
    zooms = np.random.default_rng(seed).uniform(0.5, 0.9, len(images))
    scenes = []
    for image, zoom in zip(images, zooms):
        pixels = read_pixels(image.path, channels)
        pixels = np.maximum(Intensity.of(pixels, smoothed=False).apply(pixels), 0)
        scenes.append(Scene(pixels.astype(np.float16), f"{image.source}/{image.stain}"))
        if zoomed_copies:
            from skimage.transform import resize

            shape = (round(pixels.shape[0] * zoom), round(pixels.shape[1] * zoom), channels)
            reduced = resize(pixels, shape, order=1, mode="reflect", anti_aliasing=True)
            scenes.append(Scene(reduced.astype(np.float16), f"{image.source}/{image.stain}"))
    return scenes


def find_pairs(focused: str | Path, defocused: str | Path) -> list[ImagePair]:
    """Pair the images of two folders by their file names without suffix.

    Parameters
    ----------
    focused : path
        In-focus images, no two of the same name.
    defocused : path
        Defocused images, searched recursively: a field may have several, in subfolders.

    Raises
    ------
    FileNotFoundError
        Where a folder is missing or holds no image.
    ValueError
        Where an image has no partner, or two in-focus images share a name; the message names them.
    """
    sharp, blurred = _images_below(focused), _images_below(defocused)
    by_name = {path.stem: path for path in sharp}
    if len(by_name) < len(sharp):
        twice = next(path for path in sharp if by_name[path.stem] != path)
        raise ValueError(f"in-focus images must have different names, there are two of {twice.stem!r} in {focused}")
    alone = [path for path in blurred if path.stem not in by_name]
    partners = {path.stem for path in blurred}
    alone += [path for path in sharp if path.stem not in partners]
    if alone:
        names = ", ".join(path.name for path in alone[:3])
        raise ValueError(
            f"every image needs a partner of the same name in the other folder: {len(alone)} have none ({names})"
        )
    return [ImagePair(by_name[path.stem], path) for path in blurred]


def split_pairs(pairs: Sequence[ImagePair], validation_share: float = 0.1) -> tuple[list[ImagePair], list[ImagePair]]:
    """Split into training and validation by field, in the order of a hash of the name; one field serves as both."""
    fields = sorted({pair.focused.stem for pair in pairs}, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    held = set(fields[: max(1, round(validation_share * len(fields)))])
    validation = [pair for pair in pairs if pair.focused.stem in held]
    train = [pair for pair in pairs if pair.focused.stem not in held]
    return train or validation, validation


def read_pairs(pairs: Sequence[ImagePair], channels: int = 1, optics: Optics = MODEL_OPTICS) -> list[PairPixels]:
    """Read pairs and measure the level of the defocused images.

    Parameters
    ----------
    pairs : sequence of ImagePair
    channels : int
        Colours to keep.
    optics : Optics
        Optics of the images.

    Raises
    ------
    ValueError
        Where the two images of a pair differ in size, or one is blank; the message names the files and sizes.
    """
    return [_read_pair(pair, channels, optics) for pair in pairs]


def _read_pair(pair: ImagePair, channels: int, optics: Optics) -> PairPixels:
    focused, defocused = read_pixels(pair.focused, channels), read_pixels(pair.defocused, channels)
    if focused.shape != defocused.shape:
        sizes = " and ".join(f"{shape[1]} x {shape[0]} px" for shape in (focused.shape, defocused.shape))
        raise ValueError(f"the images of a pair must have one size, got {sizes}: {pair.focused}, {pair.defocused}")
    for path, pixels in ((pair.focused, focused), (pair.defocused, defocused)):
        if not np.isfinite(pixels).all() or pixels.min() == pixels.max():
            raise ValueError(f"an image of a pair must be finite and show something: {path}")
    seen, own = Intensity.of(defocused), Intensity.of(focused, smoothed=False)
    level = image_level(defocused.mean(axis=-1), optics)
    offset = (own.low - seen.low) / seen.span
    known = level if level == level else 0.0
    return PairPixels(seen.apply(focused), seen.apply(defocused), offset, own.span / seen.span, known)


def image_level(image_yx: np.ndarray, optics: Optics = MODEL_OPTICS) -> float:
    """Measure the level of an image in blur of its own pixels; NaN where there is no answer."""
    focus = measure_image_focus(
        image_yx,
        pixel_size_um=optics.pixel_size_um,
        numerical_aperture=optics.numerical_aperture,
        emission_wavelength_um=optics.emission_wavelength_um,
        immersion_index=optics.immersion_index,
    )
    return float(focus.estimate.blur_diameter_px) / BLUR_PX_PER_LEVEL


def _images_below(folder: str | Path) -> list[Path]:
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise FileNotFoundError(f"no image below {folder} (looked for {', '.join(SUFFIXES)})")
    return paths
