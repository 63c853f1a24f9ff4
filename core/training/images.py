"""In-focus images to train from: found, grouped by source and field, checked, and split by field."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from parfocal.images.lone_pixels import without_lone_pixels
from parfocal.images.reading import one_line
from parfocal.restoration.kernels import estimate_noise

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
# A sharp edge loses slope when it is smoothed further, a defocused one hardly does. Over the images of the model card
# the ratio is 0.36 to 0.82 in focus (medians 0.5 to 0.73) and above 0.82 from level 4 on in the median of each source.
EDGE_SLOPE_RATIO_LIMIT = 0.82
# Standard deviation after smoothing by 2 px over that of the noise: 0.14 of white noise alone, 1.4 and more of images
# of the model card.
_LEAST_OVER_NOISE = 0.3


@dataclass(frozen=True)
class TrainingImage:
    """One in-focus image and where it comes from.

    Attributes
    ----------
    path : Path
    source, stain : str
        Names for the tables.
    field : str
        Images of one field stay on the same side of the split.
    train : bool
        False where the source must not take part in training.
    """

    path: Path
    source: str
    stain: str
    field: str
    train: bool = True


def split_by_field(
    images: list[TrainingImage], test_share: float = 0.2, validation_share: float = 0.1
) -> dict[str, list[TrainingImage]]:
    """Split into `train`, `validation`, `test` (other fields of the trained sources) and `left_out` (foreign sources).

    Whole fields go to one side. Within a source the fields are ordered by a hash of their name, so that the split
    depends on nothing but the names; a source of one field is trained on whole.
    """
    parts: dict[str, list[TrainingImage]] = {"train": [], "validation": [], "test": [], "left_out": []}
    parts["left_out"] = [image for image in images if not image.train]
    for source in sorted({image.source for image in images if image.train}):
        own = [image for image in images if image.train and image.source == source]
        fields = sorted({image.field for image in own}, key=lambda name: _digest(f"{source}/{name}"))
        n_test = max(1, round(test_share * len(fields))) if len(fields) > 1 else 0
        n_validation = round(validation_share * len(fields))
        side = dict.fromkeys(fields[:n_test], "test")
        side.update(dict.fromkeys(fields[n_test : n_test + n_validation], "validation"))
        for image in own:
            parts[side.get(image.field, "train")].append(image)
    return parts


def find_training_images(folder: str | Path, sources: str | Path | None = None) -> list[TrainingImage]:
    """List the images below a folder with their source, stain and field.

    Parameters
    ----------
    folder : path
        Searched recursively for PNG, TIFF, JPEG and BMP files.
    sources : path, optional
        JSON file in the form of `models/training_sources.json`. Without it each folder is a source, each file a field.

    Raises
    ------
    FileNotFoundError
        Where the folder does not exist or holds no image that belongs to a source.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {folder}")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    rules = json.loads(Path(sources).read_text())["sources"] if sources else None
    found = [_classify(path, folder, rules) for path in paths]
    images = [image for image in found if image is not None]
    if not images:
        raise FileNotFoundError(f"no training image below {folder} (looked for {', '.join(SUFFIXES)})")
    return images


def read_gray(path: str | Path) -> np.ndarray:
    """Read a single image as float32 (y, x); of colours the mean is taken, a fourth (alpha) channel is left out."""
    import imageio.v3 as iio

    pixels = np.asarray(iio.imread(path))
    if pixels.ndim == 3 and pixels.shape[-1] in (3, 4):
        pixels = pixels[..., :3].mean(axis=-1)
    if pixels.ndim != 2:
        raise ValueError(f"a training image must be a single plane (y, x), got shape {pixels.shape} in {path}")
    return pixels.astype(np.float32)


def reason_to_refuse(image_yx: np.ndarray, smallest_px: int = 84) -> str | None:
    """Say why an image is no good for training (too small, blank, noise, saturated, out of focus), or None if it is."""
    if min(image_yx.shape) < smallest_px:
        return f"too small: {image_yx.shape[1]} x {image_yx.shape[0]} px, needs {smallest_px}"
    if not np.isfinite(image_yx).all():
        return "holds values that are not finite"
    low, high = np.percentile(image_yx, [1, 99.9])
    if high <= low:
        return "blank"
    if np.mean(image_yx >= image_yx.max()) > 0.05:
        return "saturated: over 5 percent of the pixels at the maximum"
    if gaussian_filter(image_yx, 2.0).std() < _LEAST_OVER_NOISE * estimate_noise(image_yx):
        return "shows nothing but noise"
    # A hot pixel has the steepest edges there are.
    ratio = edge_slope_ratio(without_lone_pixels(image_yx)[0])
    if ratio > EDGE_SLOPE_RATIO_LIMIT:
        return f"not in focus: edge slope ratio {ratio:.2f}, limit {EDGE_SLOPE_RATIO_LIMIT}"
    return None


def accept_images(parts: dict[str, list[TrainingImage]], refused: Path) -> dict[str, list[TrainingImage]]:
    """Keep the images that can be trained from; the others are listed, with the reason, in the CSV file `refused`."""
    reasons = {image.path: _reason_on_disk(image.path) for images in parts.values() for image in images}
    rows = [(image, reasons[image.path]) for images in parts.values() for image in images if reasons[image.path]]
    if rows:
        with refused.open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["file", "source", "reason"])
            writer.writerows([image.path.name, image.source, reason] for image, reason in rows)
    return {name: [image for image in images if not reasons[image.path]] for name, images in parts.items()}


def accept_trained(parts: dict[str, list[TrainingImage]], refused: Path) -> dict[str, list[TrainingImage]]:
    """Accept the images of `train` and `validation`; of those kept back for tests the refused ones are listed too."""
    accepted = accept_images({name: parts[name] for name in ("train", "validation", "test")}, refused)
    return {name: accepted[name] for name in ("train", "validation")}


def _reason_on_disk(path: Path) -> str | None:
    try:
        pixels = read_gray(path)
    except Exception as error:  # noqa: BLE001  a broken file makes readers raise anything (Pillow: struct.error)
        return f"cannot be read: {one_line(error)}"
    return reason_to_refuse(pixels)


def edge_slope_ratio(image_yx: np.ndarray) -> float:
    """Steepest slopes after smoothing by 2.5 px over those after 1 px; near 1 where the image was blurred already."""
    fine, coarse = (_steepest(gaussian_filter(image_yx, sigma)) for sigma in (1.0, 2.5))
    return float(coarse / fine) if fine > 0 else float("nan")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _steepest(image_yx: np.ndarray) -> float:
    slope = np.hypot(np.diff(image_yx, axis=0)[:, :-1], np.diff(image_yx, axis=1)[:-1]).ravel()
    count = max(50, slope.size // 100)
    return float(np.partition(slope, -count)[-count:].mean()) if slope.size > count else float(slope.max())


def _classify(path: Path, folder: Path, rules: list[dict] | None) -> TrainingImage | None:
    relative = path.relative_to(folder).as_posix()
    if rules is None:
        source = path.parent.relative_to(folder).as_posix()
        return TrainingImage(path, folder.name if source == "." else source, "", path.stem)
    for rule in rules:
        match = re.search(rule["pattern"], relative)
        if match:
            named = match.groupdict()
            stain = named.get("stain") or rule.get("stain", "")
            return TrainingImage(path, rule["source"], stain, named.get("field") or rule["field"], rule["train"])
    return None
