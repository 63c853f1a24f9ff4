"""Print what is told of images beyond the last level, with and without a look at half the size.

`python docs/beyond_the_last_level.py IMAGES`, where IMAGES holds the folders that `models/training_sources.json` names,
takes up to four images of each source, none of which was trained on, blurs and exposes them (1000 photoelectrons).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np

from parfocal import measure_image_focus
from parfocal.focus_quality.synthesis import Camera, defocus_image
from parfocal.optics.optics import MODEL_OPTICS
from parfocal.training.images import find_training_images, read_gray, reason_to_refuse, split_by_field

SOURCES = Path(__file__).parents[1] / "models" / "training_sources.json"
LEVELS = (3, 5, 7, 8, 9, 10, 11, 12, 14, 17, 20, 25)
IMAGES_PER_SOURCE, SIDE_PX = 4, 640
# Levels from here on are read as the last one.
LAST = 9.0


def sharp_images(folder: str) -> Iterator[np.ndarray]:
    """Images in focus, background 0 and bright structures 1, large enough to be halved."""
    parts = split_by_field(find_training_images(folder, str(SOURCES)))
    count: Counter[str] = Counter()
    for image in (image for name in ("test", "left_out") for image in parts[name]):
        if count[image.source] == IMAGES_PER_SOURCE:
            continue
        pixels = read_gray(image.path)[:SIDE_PX, :SIDE_PX]
        if reason_to_refuse(pixels, smallest_px=168) is None:
            count[image.source] += 1
            low, high = np.percentile(pixels, [0.5, 99.9])
            yield np.clip((pixels - low) / (high - low), 0, None)


def told(image: np.ndarray, at_half: bool) -> float:
    """Level of an image, NaN without an answer."""
    if at_half:
        return measure_image_focus(image).estimate.defocus_level
    with patch("parfocal.focus_quality.plane.is_beyond", lambda level, level_at_half: False):
        return measure_image_focus(image).estimate.defocus_level


def main(folder: str) -> None:
    """Print a row for each level."""
    images, rng = list(sharp_images(folder)), np.random.default_rng(0)
    print(f"{len(images)} images; shares told level {LAST:g} or more, and told less than that and than true by over 2")
    print(f"{'level':>5} {'without: last':>14} {'too low':>8} {'at half: last':>14} {'too low':>8}")
    for level in LEVELS:
        blurred = [defocus_image(image, MODEL_OPTICS.level_to_um(level)) for image in images]
        exposed = [Camera().expose(1000 * image + 50, rng) for image in blurred]
        figures = []
        for at_half in (False, True):
            found = np.array([told(image, at_half) for image in exposed])
            figures += [np.mean(found >= LAST), np.mean(found < min(level - 2, LAST))]
        print("{:5} {:14.3f} {:8.3f} {:14.3f} {:8.3f}".format(level, *figures))


if __name__ == "__main__":
    main(sys.argv[1])
