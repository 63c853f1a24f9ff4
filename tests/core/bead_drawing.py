"""Simple drawn beads for tests: a dark ring around a bright middle, or a bright disc."""

from __future__ import annotations

import numpy as np

DIAMETER_PX = 19.0
DIAMETER_UM = 28.5
PIXEL_UM = 1.5


def draw_beads(
    shape_yx,
    centres_yx,
    rng=None,
    *,
    blur=1.0,
    noise=0.01,
    gradient=0.2,
    level=1000.0,
    depth=0.7,
    spot=0.9,
    diameter_px=DIAMETER_PX,
    glow=False,
):
    """Draw a plane (y, x) float: light of this level with a relative gradient along x, beads, and relative noise."""
    scale = diameter_px / DIAMETER_PX
    y, x = np.indices(shape_yx).astype(float)
    image = np.zeros(shape_yx) if glow else np.ones(shape_yx)
    for cy, cx in centres_yx:
        r = np.hypot(y - cy, x - cx)
        disc = 0.5 - 0.5 * np.tanh((r - diameter_px / 2) / (1.2 * blur * scale))
        if glow:
            image += disc
        else:
            middle = np.exp(-(r**2) / (2 * (2.4 * blur * scale) ** 2)) / blur
            image += -depth * disc / blur**0.5 + spot * middle
    image = level * (image + 0.05 if glow else image * (1 + gradient * (x / shape_yx[1] - 0.5)))
    return image if rng is None else image + rng.normal(0, noise * level, shape_yx)


def draw_cells(shape_yx, centres_yx, rng, *, radius_px=8.0, contrast=0.15):
    """Relative transmission (y, x) of irregular, weakly refracting blobs."""
    y, x = np.indices(shape_yx).astype(float)
    light = np.ones(shape_yx)
    for cy, cx in centres_yx:
        angle = np.arctan2(y - cy, x - cx)
        edge = radius_px * (1 + 0.35 * np.cos(2 * angle + rng.uniform(0, 6)) + 0.2 * np.cos(3 * angle))
        r = np.hypot(y - cy, x - cx) / edge
        light *= 1 + contrast * np.exp(-((r / 0.7) ** 2)) - contrast * np.exp(-(((r - 1) / 0.2) ** 2))
    return light
