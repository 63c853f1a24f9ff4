"""Pictures of discs, sharp and blurred, as files and as examples."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
from scipy.ndimage import gaussian_filter

from parfocal.sorting.examples import Example


def discs(seed, size=100):
    """A sharp picture of bright discs on a dim background, float."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((size, size))
    picture = np.full((size, size), 10.0)
    for _ in range(12):
        picture[np.hypot(y - rng.uniform(0, size), x - rng.uniform(0, size)) < rng.uniform(4, 9)] = rng.uniform(80, 240)
    return np.clip(gaussian_filter(picture, 0.6) + rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)


def blur(picture):
    return np.rint(gaussian_filter(picture.astype(float), 6)).astype(np.uint8)


def write_focused(folder, count):
    folder.mkdir(parents=True)
    for i in range(count):
        iio.imwrite(folder / f"field{i}.png", discs(i))
    return folder


def write_labelled(folder, count):
    """Subfolders of sharp and defocused images, and one that is unusable."""
    for name, change in (("sharp", lambda p: p), ("defocused", blur)):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            iio.imwrite(folder / name / f"{name[0]}{i}.png", change(discs(i)))
    (folder / "unusable").mkdir()
    iio.imwrite(folder / "unusable" / "u.png", discs(99))
    return folder


def shown(count, field=str, source="a", defocused=lambda i: i % 2 == 1, size=100):
    """Examples without files."""
    return [Example(discs(i, size) / 255, defocused(i), source, field(i), f"{i}.png") for i in range(count)]
