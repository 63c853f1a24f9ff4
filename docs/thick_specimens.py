"""Print of which levels the blur of a real nucleus is made, and what is measured of images that are blurred like that.

`python docs/thick_specimens.py IMAGES`, where IMAGES holds the stacks of `models/evaluation_stacks.json` and the images
of `models/training_sources.json`. The kernels of planes of the widefield stack are sums of Born-Wolf PSFs, fitted to
its sharpest plane by non-negative least squares; a level has a tenth of the light or more where it is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from scipy.signal import fftconvolve

from parfocal.focus_quality.evaluation.stacks import find_stacks, read_stack
from parfocal.optics.optics import MODEL_OPTICS
from parfocal.registry import shipped_file
from parfocal.restoration.comparison import photographed
from parfocal.restoration.dataset import image_level, read_scenes
from parfocal.restoration.evaluation.exposures import middle
from parfocal.restoration.evaluation.real_pairs import RealPair, pairs_of
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.kernels import level_psf
from parfocal.restoration.synthesis import blurred_pair, thick_layers
from parfocal.training.images import find_training_images, split_by_field

LEVELS = (*range(11), 12, 14, 16, 20)
PSF_PX, IMAGES, REPEATS = 129, 14, 3


def shares_of_levels(pair: RealPair) -> np.ndarray:
    """Share of each of `LEVELS` in the kernel that takes the sharpest plane to the defocused one."""
    unit = Intensity.of(pair.sharp_yx, smoothed=False)
    sharp = np.pad(unit.apply(pair.sharp_yx), PSF_PX, mode="symmetric")
    inside = np.s_[PSF_PX:-PSF_PX, PSF_PX:-PSF_PX]
    psfs = [level_psf(float(level), pair.optics, PSF_PX).astype(np.float32) for level in LEVELS]
    shown = [fftconvolve(sharp, psf, mode="same")[inside].ravel() for psf in psfs]
    found, _ = nnls(np.stack([*shown, np.ones(shown[0].size)], axis=1), unit.apply(pair.image_yx).ravel())
    return np.asarray(found[:-1] / found[:-1].sum())


def print_nucleus(images: str) -> None:
    """Print the kernels of those planes of the nucleus that are restored."""
    entries, _ = find_stacks(images, shipped_file("evaluation_stacks.json"))
    stack = read_stack(images, next(entry for entry in entries if entry["name"] == "nucleus widefield"))
    print("plane  measured level  mean level of the kernel  levels with a tenth of the light or more")
    for pair in pairs_of(stack, 1024):
        measured = image_level(np.asarray(pair.image_yx, np.float32))
        if 2.5 <= measured < 9.0:
            shares = shares_of_levels(pair)
            named = " ".join(f"{level} ({share:.2f})" for level, share in zip(LEVELS, shares) if share >= 0.1)
            print(f"{pair.plane:5d}  {measured:14.1f}  {shares @ np.array(LEVELS):24.1f}  {named}")


def print_measured(images: str) -> None:
    """Print what is missing of the level of the middle, of images blurred as thick specimens are."""
    parts = split_by_field(find_training_images(images, shipped_file("training_sources.json")))
    rng = np.random.default_rng(0)
    chosen = [parts["validation"][i] for i in rng.permutation(len(parts["validation"]))[:IMAGES]]
    scenes = [np.asarray(middle(scene.pixels, 352), np.float32) for scene in read_scenes(chosen)]
    print("levels from the nearest to the farthest part  measured less middle level: mean, standard deviation")
    for thickness in (0, 4, 6, 8, 10):
        missing = [error for level in (7.0, 9.0) for scene in scenes for error in _errors(scene, level, thickness, rng)]
        print(f"{thickness:44d}  {np.nanmean(missing):+.2f}, {np.nanstd(missing):.2f}")


def _errors(scene_yxc: np.ndarray, level: float, thickness: int, rng: np.random.Generator) -> list[float]:
    found = []
    for _ in range(REPEATS):
        layers = thick_layers(level, thickness, rng) if thickness else {level: 1.0}
        blurred = blurred_pair(scene_yxc, layers, MODEL_OPTICS)[1][..., 0]
        found.append(image_level(photographed(blurred, 1000.0, rng)) - level)
    return found


if __name__ == "__main__":
    folder = str(Path(sys.argv[1]))
    print_nucleus(folder)
    print_measured(folder)
