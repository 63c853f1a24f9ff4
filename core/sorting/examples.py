"""Examples to train sorters from: in-focus images shown sharp and defocused, or images that a person labelled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Optional

import numpy as np

from parfocal.images.planes import as_planes
from parfocal.images.reading import one_line, read_images
from parfocal.labels.table import LabelledImage
from parfocal.restoration.dataset import read_scenes
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.synthesis import PSF_PX, blurred_pair, expose, optics_of, random_haze
from parfocal.sorting.inputs import in_range, without_hot_pixels
from parfocal.sorting.network import PAPER_CROP_PX
from parfocal.sorting.plane import SMALLEST_SIDE_PX
from parfocal.training.images import TrainingImage

# What counts as sharp and as defocused in synthetic examples. Levels between the two are not judged; a network that is
# trained on them too learns where a soft image in focus lies.
LARGEST_SHARP, SMALLEST_DEFOCUS, LARGEST_DEFOCUS = 0.5, 3.0, 10.0
_LEVEL_STEP = 0.25
# The probability to be learned is 0 up to the first of these levels and 1 from the second on.
_RAMP = (1.0, 3.0)
# lambda / NA in pixels: the model's, and what finer and coarser cameras have.
_LATERAL_UNITS_PX = (1.25, 1.54, 2.0)


@dataclass(frozen=True)
class Example:
    """One image (y, x), float16, background 0 and bright structures 1, and whether it is defocused.

    `field` and `source` say what must stay on one side of a split; `level` is the synthetic defocus, NaN where a person
    labelled the image; `target` is the probability to be learned where it is neither 0 nor 1.
    """

    pixels: np.ndarray
    defocused: bool
    source: str
    field: str
    name: str
    level: float = float("nan")
    target: Optional[float] = None

    @property
    def between(self) -> bool:
        """Whether it is neither sharp nor defocused and only of use in training."""
        return LARGEST_SHARP < self.level < SMALLEST_DEFOCUS


def synthetic_examples(
    images: Sequence[TrainingImage], per_class: int, seed: int, between: bool = False
) -> list[Example]:
    """Expose each in-focus image several times sharp and as often defocused, with random cameras.

    Parameters
    ----------
    images : sequence of TrainingImage
    per_class : int
        Exposures of each class for each image, each at a random place of up to 536 pixels.
    seed : int
        Of places, levels and noise.
    between : bool
        Expose each image as often at levels between sharp and defocused too.
    """
    ranges = [(0.0, LARGEST_SHARP), (SMALLEST_DEFOCUS, LARGEST_DEFOCUS)]
    if between:
        ranges.append((LARGEST_SHARP + _LEVEL_STEP, SMALLEST_DEFOCUS - _LEVEL_STEP))
    examples = []
    for number, image in enumerate(images):
        scene = read_scenes([image])[0].pixels.astype(np.float32)
        for kind, (low, high) in enumerate(ranges):
            for copy in range(per_class):
                rng = np.random.default_rng([seed, number, kind, copy])
                level = low + _LEVEL_STEP * int(rng.integers(round((high - low) / _LEVEL_STEP) + 1))
                examples.append(_synthetic_example(image, exposed_at(scene, level, rng), level))
    return examples


def _synthetic_example(image: TrainingImage, pixels: np.ndarray, level: float) -> Example:
    target = float(np.clip((level - _RAMP[0]) / (_RAMP[1] - _RAMP[0]), 0, 1))
    return Example(pixels, target >= 0.5, image.source, image.field, image.path.name, level, target)


def exposed_at(scene_yxc: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Show a random part of an in-focus image at a level, exposed with a random camera: (y, x), float16."""
    places = [int(rng.integers(max(1, length - PAPER_CROP_PX + 1))) for length in scene_yxc.shape[:2]]
    part = scene_yxc[places[0] : places[0] + PAPER_CROP_PX, places[1] : places[1] + PAPER_CROP_PX]
    half = PSF_PX // 2
    padded = np.pad(part, ((half, half), (half, half), (0, 0)), mode="symmetric")
    blurred = blurred_pair(padded, {level: 1.0}, optics_of(float(rng.choice(_LATERAL_UNITS_PX))))[1]
    if rng.random() < 0.3:
        blurred = blurred + random_haze(max(blurred.shape[:2]), rng)[: blurred.shape[0], : blurred.shape[1], None]
    return expose(blurred, rng)[..., 0].astype(np.float16)


def labelled_examples(images: Sequence[LabelledImage], folder: Path) -> tuple[list[Example], list[str]]:
    """Read images that a person labelled; unusable ones are left out.

    Of a stack with a marked plane, that plane is sharp, and planes a quarter of the stack away (3 at least) or further
    are defocused; those between take no part. Names are relative to the folder of the images.

    Returns
    -------
    examples : list of Example
    refused : list of str
        A line for each image that cannot be trained from, with the reason.
    """
    examples, refused = [], []
    for image in images:
        if image.label == "unusable":
            continue
        name = image.path.relative_to(folder).as_posix()
        try:
            shown = _shown(image)
        except (OSError, ValueError, SyntaxError, ImportError) as error:
            refused.append(f"{name}: cannot be read: {one_line(error)}")
            continue
        for pixels, defocused in shown:
            reason = _reason_to_refuse(pixels)
            if reason:
                refused.append(f"{name}: {reason}")
                continue
            seen = np.clip(Intensity.of(pixels).apply(pixels), -100, 100).astype(np.float16)
            examples.append(Example(seen, defocused, folder.name, image.field, name))
    return examples, refused


def _shown(image: LabelledImage) -> list[tuple[np.ndarray, bool]]:
    """Planes (y, x) that a label says something of, and what: those of the first image of the label's channel."""
    items = (item for item in read_images(image.path) if item.metadata.channel == image.channel)
    item = next(items, None)
    if item is None:
        raise ValueError(f"the file has no channel {image.channel}")
    stack_zyx = [_ready(plane) for plane in as_planes(item.pixels)[0]]
    if image.label == "sharp" and len(stack_zyx) > 1:
        raise ValueError(f"which of its {len(stack_zyx)} planes is sharp is to be marked")
    if image.label != "plane":
        return [(plane, image.label == "defocused") for plane in stack_zyx]
    sharp, away = int(image.plane or 0), max(3, len(stack_zyx) // 4)
    if sharp >= len(stack_zyx):
        raise ValueError(f"plane {sharp} (from 0) is marked as sharp, the file has {len(stack_zyx)}")
    return [(plane, z != sharp) for z, plane in enumerate(stack_zyx) if z == sharp or abs(z - sharp) >= away]


def _ready(plane_yx: np.ndarray) -> np.ndarray:
    """Leave hot pixels out, as `flag_defocused` does; float32."""
    cleaned, _ = without_hot_pixels(plane_yx)
    return np.asarray(in_range(cleaned) if cleaned.size else cleaned, np.float32)


def _reason_to_refuse(pixels_yx: np.ndarray) -> str:
    height, width = pixels_yx.shape
    if min(height, width) < SMALLEST_SIDE_PX:
        return f"too small: {width} x {height} px, needs {SMALLEST_SIDE_PX} x {SMALLEST_SIDE_PX}"
    return "" if np.isfinite(pixels_yx).all() and pixels_yx.min() < pixels_yx.max() else "blank, or not finite"


def folds(examples: Sequence[Example], count: int = 5) -> np.ndarray:
    """Number the fold of each example, 0 to count - 1: fields are kept whole, those of a source dealt out evenly.

    Within a source the fields are ordered by a hash of their name, so that the folds depend on nothing but the names.
    """
    place: dict[tuple[str, str], int] = {}
    for offset, source in enumerate(sorted({example.source for example in examples})):
        fields = {example.field for example in examples if example.source == source}
        ordered = sorted(fields, key=partial(_digest, source))
        # Sources begin at different folds, so that those of one field do not all fall into the first.
        place.update({(source, field): (offset + i) % count for i, field in enumerate(ordered)})
    return np.array([place[example.source, example.field] for example in examples])


def _digest(source: str, field: str) -> str:
    return hashlib.sha256(f"{source}/{field}".encode()).hexdigest()
