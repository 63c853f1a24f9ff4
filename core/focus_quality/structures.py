"""Simulated pictures in focus, beside the real ones: structures that the images at hand do not show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

SIZE_PX = 256


def draw_structures(rng: np.random.Generator, size_px: int = SIZE_PX) -> tuple[str, np.ndarray]:
    """Draw one picture of a random kind: its name, and light (y, x), float32, 0 where there is nothing.

    Parameters
    ----------
    rng : numpy Generator
    size_px : int
        Width and height, pixels of the model's scale.
    """
    name = list(_DRAW)[int(rng.integers(len(_DRAW)))]
    return name, _DRAW[name](rng, size_px).astype(np.float32)


def _domes(rng: np.random.Generator, size: int) -> np.ndarray:
    """Round thick bodies: light goes with their thickness, so that their border is soft in focus too."""
    picture = np.zeros((size, size))
    largest = np.exp(rng.uniform(np.log(5), np.log(60)))
    softness = rng.uniform(0.1, 1.0)
    for _ in range(_number(rng, size, largest)):
        radius = largest * rng.uniform(0.6, 1.0)
        inside = np.clip(1 - _ellipse(rng, size, radius) ** 2, 0, None)
        picture += rng.uniform(0.4, 1.0) * inside**softness
    return picture * _texture(rng, size, rng.uniform(0.0, 0.4))


def _plates(rng: np.random.Generator, size: int) -> np.ndarray:
    """Flat bodies of one brightness each."""
    picture = np.zeros((size, size))
    largest = np.exp(rng.uniform(np.log(4), np.log(50)))
    for _ in range(_number(rng, size, largest)):
        radius = largest * rng.uniform(0.6, 1.0)
        picture += rng.uniform(0.4, 1.0) * np.clip((1 - _ellipse(rng, size, radius)) * radius + 0.5, 0, 1)
    return picture * _texture(rng, size, rng.uniform(0.0, 0.4))


def _membranes(rng: np.random.Generator, size: int) -> np.ndarray:
    """Bright borders of cells that touch each other, over a faint inside."""
    points = rng.uniform(0, size, (2, max(4, int(size**2 / rng.uniform(15, 70) ** 2))))
    y, x = np.indices((size, size))
    distances = np.sort(np.hypot(y[..., None] - points[0], x[..., None] - points[1]), axis=-1)
    border = np.clip(rng.uniform(1.0, 2.5) - (distances[..., 1] - distances[..., 0]) / 2, 0, 1)
    return rng.uniform(0.0, 0.3) + border * _texture(rng, size, 0.4)


def _fibres(rng: np.random.Generator, size: int) -> np.ndarray:
    """Smooth curves a pixel wide, over a hazy body."""
    picture = np.zeros((size, size))
    for _ in range(int(rng.uniform(6, 120))):
        turns = np.cumsum(rng.normal(0, rng.uniform(0.005, 0.06), 2 * size)) + rng.uniform(0, 2 * np.pi)
        path = rng.uniform(0, size, (2, 1)) + np.cumsum([np.sin(turns), np.cos(turns)], axis=1)
        y, x = np.rint(path).astype(int) % size
        picture[y, x] += rng.uniform(0.3, 1.0)
    return picture + rng.uniform(0, 0.3) * gaussian_filter(picture, 12, mode="wrap") * 10


def _spots(rng: np.random.Generator, size: int) -> np.ndarray:
    """Points and small beads, alone or on soft bodies."""
    picture = np.zeros((size, size))
    count = int(np.exp(rng.uniform(np.log(10), np.log(1500))))
    y, x = rng.integers(size, size=(2, count))
    np.add.at(picture, (y, x), np.exp(rng.normal(0, rng.uniform(0.1, 0.8), count)))
    radius = rng.uniform(0.3, 3.0)
    picture = gaussian_filter(picture, radius, mode="wrap") * (2 * np.pi * radius**2 + 1)
    return picture + (rng.uniform(0, 0.5) * _domes(rng, size) if rng.random() < 0.5 else 0.0)


def _tissue(rng: np.random.Generator, size: int) -> np.ndarray:
    """Texture of all scales, whose power falls with frequency."""
    rows, columns = np.fft.fftfreq(size), np.fft.rfftfreq(size)
    frequency = np.hypot(rows[:, None], columns[None, :])
    noise = np.fft.rfft2(rng.standard_normal((size, size)))
    field = np.fft.irfft2(noise / (frequency + 1 / size) ** rng.uniform(0.8, 1.6), (size, size))
    field = (field - field.mean()) / field.std()
    return np.clip(field - rng.uniform(-1.5, 1.0), 0, None) ** rng.uniform(0.5, 1.5)


def _ellipse(rng: np.random.Generator, size: int, radius: float) -> np.ndarray:
    """Distance from a random middle, 1 on the border of an ellipse; what leaves one side enters at the other."""
    angle, oval = rng.uniform(0, np.pi), rng.uniform(0.6, 1.0)
    place = rng.uniform(0, size, 2)
    y, x = ((np.arange(size) - c + size / 2) % size - size / 2 for c in place)
    along = y[:, None] * np.cos(angle) + x[None, :] * np.sin(angle)
    across = x[None, :] * np.cos(angle) - y[:, None] * np.sin(angle)
    return np.asarray(np.hypot(along, across / oval) / radius)


def _number(rng: np.random.Generator, size: int, radius: float) -> int:
    """Bodies that cover 3 to 60 percent of the picture."""
    return max(1, int(rng.uniform(0.03, 0.6) * size**2 / (np.pi * radius**2)))


def _texture(rng: np.random.Generator, size: int, contrast: float) -> np.ndarray:
    grain = gaussian_filter(rng.standard_normal((size, size)), np.exp(rng.uniform(np.log(0.7), np.log(6))), mode="wrap")
    return np.asarray(np.clip(1 + contrast * grain / grain.std(), 0.05, 3))


_DRAW: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "domes": _domes,
    "plates": _plates,
    "membranes": _membranes,
    "fibres": _fibres,
    "spots": _spots,
    "tissue": _tissue,
}
KINDS = tuple(_DRAW)
