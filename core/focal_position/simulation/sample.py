"""Simulated samples: fluorescent structures in slabs at several heights, in one layer or two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

# A round structure is cut into three slabs: heights and radii as shares of its own, and the share of its light.
_CUTS = ((-0.7, 0.72, 0.25), (0.0, 1.0, 0.5), (0.7, 0.72, 0.25))


@dataclass(frozen=True, eq=False)
class Sample:
    """Light that a sample sends out, by slab.

    Attributes
    ----------
    slabs_nyx : ndarray
        Light of each slab (n, y, x), float32; bright structures have about 1. The borders are joined: what leaves one
        side enters at the other.
    heights : ndarray
        Of the slabs (n,), depths of field above the first layer.
    layer_heights : tuple of float
        Heights of the layers, the first 0; none for an empty sample.
    layer_shares : tuple of float
        Share of the light of each.
    """

    slabs_nyx: np.ndarray
    heights: np.ndarray
    layer_heights: tuple[float, ...]
    layer_shares: tuple[float, ...]


def draw_sample(
    rng: np.random.Generator,
    kind: str = "nuclei",
    count: int = 12,
    size_px: int = 256,
    second_layer: float = 0.0,
    thickness: float = 1.0,
    magnification: float = 1.0,
) -> Sample:
    """Draw a sample.

    Parameters
    ----------
    rng : numpy Generator
    kind : str
        One of `KINDS`.
    count : int
        Structures in a layer; of puncta, beads and fibres eight times as many. 0 leaves the sample empty.
    size_px : int
        Width and height, pixels of the model's scale (0.65 lambda / NA).
    second_layer : float
        Height of a second layer of as many structures above the first, depths of field; 0 for none.
    thickness : float
        Half the height of a nucleus or a cell, depths of field.
    magnification : float
        Factor on the radii of nuclei (6 to 16 px) and cells (16 to 34 px).

    Raises
    ------
    ValueError
        Where there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    flat = Sample(np.zeros((1, size_px, size_px), np.float32), np.zeros(1), (), ())
    if count == 0:
        return flat
    layers = [_layer(rng, kind, count, size_px, thickness, magnification) for _ in range(2 if second_layer else 1)]
    places = (0.0, second_layer)[: len(layers)]
    slabs = np.concatenate([slabs for slabs, _ in layers])
    heights = np.concatenate([height + place for (_, height), place in zip(layers, places)])
    light = np.array([float(slabs.sum()) for slabs, _ in layers])
    shares = tuple((light / light.sum()).tolist())
    return replace(flat, slabs_nyx=slabs, heights=heights, layer_heights=places, layer_shares=shares)


def _layer(
    rng: np.random.Generator, kind: str, count: int, size: int, thickness: float, magnification: float
) -> tuple[np.ndarray, np.ndarray]:
    heights = np.array([height * thickness for height, _, _ in _CUTS])
    slabs = np.zeros((len(_CUTS), size, size), np.float32)
    _DRAW[kind](slabs, rng, count, magnification)
    return slabs, heights


def _nuclei(slabs: np.ndarray, rng: np.random.Generator, count: int, magnification: float) -> None:
    for _ in range(count):
        _ball(slabs, rng, magnification * rng.uniform(6, 16), texture=0.35)


def _cells(slabs: np.ndarray, rng: np.random.Generator, count: int, magnification: float) -> None:
    """Wide soft bodies with vesicles and fibres in them."""
    for _ in range(count):
        _ball(slabs, rng, magnification * rng.uniform(16, 34), texture=0.6, light=0.35)
    _puncta(slabs, rng, max(1, count // 2))
    _fibres(slabs, rng, max(1, count // 2))


def _puncta(slabs: np.ndarray, rng: np.random.Generator, count: int, _magnification: float = 1.0) -> None:
    y, x = rng.integers(slabs.shape[-1], size=(2, 8 * count))
    np.add.at(slabs, (rng.choice(3, 8 * count, p=[0.2, 0.6, 0.2]), y, x), np.exp(rng.normal(1.0, 0.5, 8 * count)))


def _beads(slabs: np.ndarray, rng: np.random.Generator, count: int, _magnification: float = 1.0) -> None:
    """Equal round beads, all in the middle slab: thin against the depth of field."""
    radius = rng.uniform(0.8, 4.0)
    for _ in range(8 * count):
        _ball(slabs[1:2], rng, radius, texture=0.0)


def _fibres(slabs: np.ndarray, rng: np.random.Generator, count: int, _magnification: float = 1.0) -> None:
    """Smooth random curves, one pixel wide."""
    for _ in range(2 * count):
        turns = np.cumsum(rng.normal(0, 0.04, 160)) + rng.uniform(0, 2 * np.pi)
        path = rng.uniform(0, slabs.shape[-1], (2, 1)) + np.cumsum([np.sin(turns), np.cos(turns)], axis=1)
        y, x = np.rint(path).astype(int) % slabs.shape[-1]
        slabs[rng.choice(3, p=[0.2, 0.6, 0.2]), y, x] += np.float32(rng.uniform(0.5, 1.5))


def _ball(slabs: np.ndarray, rng: np.random.Generator, radius_px: float, texture: float, light: float = 1.0) -> None:
    """Draw a rounded, slightly oval structure at a random place into the slabs."""
    size = slabs.shape[-1]
    half = int(1.5 * radius_px) + 3
    grid = np.arange(-half, half + 1, dtype=np.float32)
    angle, oval = rng.uniform(0, np.pi), rng.uniform(0.7, 1.0)
    offset = rng.uniform(-0.5, 0.5, 2)
    y, x = grid[:, None] - offset[0], grid[None, :] - offset[1]
    along, across = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
    radius = np.hypot(along, across / oval)
    grain = np.ones_like(radius)
    if texture:
        rough = gaussian_filter(rng.standard_normal(radius.shape).astype(np.float32), rng.uniform(0.8, 2.5))
        grain = np.clip(1 + texture * rough / max(float(rough.std()), 1e-6), 0.05, 3)
    bright = np.float32(light * np.exp(rng.normal(0, 0.3)))
    center = rng.integers(size, size=2)
    rows, columns = ((c + np.arange(-half, half + 1)) % size for c in center)
    for slab, (_, share, part) in zip(slabs, _CUTS if len(slabs) > 1 else ((0.0, 1.0, 1.0),)):
        inside = np.clip(share * radius_px - radius + 0.5, 0, 1)
        # Additive, so that overlapping structures are brighter, as in widefield images.
        slab[np.ix_(rows, columns)] += (2 * part * bright * inside * grain).astype(np.float32)


_DRAW: dict[str, Callable[[np.ndarray, np.random.Generator, int, float], None]] = {
    "nuclei": _nuclei,
    "cells": _cells,
    "puncta": _puncta,
    "beads": _beads,
    "fibres": _fibres,
}
KINDS = tuple(_DRAW)
