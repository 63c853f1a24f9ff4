"""Make a small screen of 120 fields, 8 of them out of focus: python examples/screen/make_fields.py OUTPUT [SEED].

The 120 fields are parts of 213 x 213 pixels of 15 real images, eight of each. The defocus of 8 of them is synthetic,
since no real set of this kind is at hand: a blur of 4 to 8 levels and the noise of a camera, at random places.
`truth.csv` beside the fields says which they are; the pipeline does not read it.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from parfocal.focus_quality.synthesis import defocus_image
from parfocal.optics.optics import MODEL_OPTICS

IMAGES = Path(__file__).resolve().parent / "images"
FIELD_PX, FIELDS_PER_IMAGE = 213, 8
N_DEFOCUSED = 8
# Photoelectrons behind a count of these 8-bit images, for the noise of the defocused ones.
PHOTONS_PER_COUNT = 8.0


def main(output: Path, seed: int = 2021) -> None:
    """Write the fields as PNG files, and which are defocused, into two new folders below `output`."""
    fields, truth = output / "fields", output / "truth.csv"
    fields.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    cuts = [cut for path in sorted(IMAGES.glob("*.png")) for cut in cut_fields(path)]
    chosen = {int(i): float(rng.uniform(4.0, 8.0)) for i in rng.choice(len(cuts), N_DEFOCUSED, replace=False)}
    with truth.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["file", "level"])
        for number, (name, field) in enumerate(cuts):
            level = chosen.get(number, 0.0)
            iio.imwrite(fields / name, defocused(field, level, rng) if level else field)
            rows.writerow([name, f"{level:.2f}"])
    print(f"{len(cuts)} fields in {fields}, {len(chosen)} of them out of focus (truth.csv says which)")


def cut_fields(path: Path) -> list[tuple[str, np.ndarray]]:
    """Cut an image into fields, row by row, each with its name: well and site."""
    image, well = iio.imread(path), path.stem[-3:]
    corners = [(y, x) for y in range(0, 640 - FIELD_PX + 1, FIELD_PX) for x in range(0, 640 - FIELD_PX + 1, FIELD_PX)]
    return [
        (f"SBS_{well}_s{site}.png", image[y : y + FIELD_PX, x : x + FIELD_PX])
        for site, (y, x) in enumerate(corners[:FIELDS_PER_IMAGE], 1)
    ]


def defocused(field: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Blur a field and expose it anew."""
    light = np.maximum(defocus_image(field, MODEL_OPTICS.level_to_um(level)), 0) * PHOTONS_PER_COUNT
    return np.clip(np.rint(rng.poisson(light) / PHOTONS_PER_COUNT), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
