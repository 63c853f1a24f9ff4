"""Writes tests/data/core/reference_probabilities.json: what the shipped model says of the test images.

Run `python tests/core/make_reference.py` whenever the shipped model was replaced. The tests compare every environment
with this file, and so the environments with each other.
"""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import tifffile

from parfocal import measure_image_focus
from parfocal.registry import model_folder, read_config

DATA = Path(__file__).parents[1] / "data" / "core"
REFERENCE = DATA / "reference_probabilities.json"


def shipped_sha256() -> str:
    """Digest of the shipped weights, to tell a reference that is out of date."""
    return read_config(model_folder("default", "focus_quality"))["sha256"]


def probabilities() -> dict[str, np.ndarray]:
    """Patch probabilities (n, 11) of each real test image, of all planes for the stack."""
    images = {path.name: iio.imread(path) for path in sorted(DATA.glob("*.png"))}
    images["nucleus_widefield.tif"] = tifffile.imread(DATA / "nucleus_widefield.tif")
    results = {name: measure_image_focus(image).planes for name, image in images.items()}
    return {name: np.concatenate([plane.patches.probabilities for plane in planes]) for name, planes in results.items()}


def main() -> None:
    """Write the file."""
    found = {name: np.round(values.astype(float), 7).tolist() for name, values in probabilities().items()}
    REFERENCE.write_text(json.dumps({"sha256": shipped_sha256(), "probabilities": found}, indent=1) + "\n")
    print(f"wrote {REFERENCE}")


if __name__ == "__main__":
    main()
