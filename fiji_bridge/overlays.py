"""Patches as an ImageJ Overlay: a border's colour is the defocus level, its lightness the certainty, as in core."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from jpype import JClass

from parfocal.focus_quality.network import N_LEVELS
from parfocal.focus_quality.result import FocusPatches
from parfocal.report.overlay import border_width_px, level_colors

from .places import Place

# Names what is ours among the elements of an overlay.
_OURS = "parfocal"
# The legend in units of its boxes, which are this share of the image's width.
_BOX_SHARE, _SMALLEST_BOX_PX = 1 / 36, 3.0
# Wide enough for the longer text, too, whatever font Java has for it.
_LEGEND_BOXES = N_LEVELS + 3
_LEGEND_TEXTS = (f"level 0 sharp to {N_LEVELS - 1} worst", "the darker, the less certain")


def show_patches(image: Any, measured: Iterable[tuple[Place, FocusPatches]]) -> None:
    """Draw patches and a legend over an image; those of an earlier call are replaced, what others drew is kept."""
    overlay = image.getOverlay() or JClass("ij.gui.Overlay")()
    for roi in [roi for roi in overlay.toArray() if roi.getProperty(_OURS) is not None]:
        overlay.remove(roi)
    parts = [part for place, patches in measured for part in _borders(image, place, patches)]
    for roi in [*parts, *(_legend(image.getWidth()).duplicate().toArray() if parts else [])]:
        roi.setProperty(_OURS, "focus")  # copies would share those of the first
        overlay.add(roi)
    image.setOverlay(overlay)
    image.setHideOverlay(False)


def _borders(image: Any, place: Place, patches: FocusPatches) -> list[Any]:
    """A rectangle for each patch: copies of one, since every call of Java takes time."""
    width = border_width_px(patches.size_px)
    inner = float(patches.size_px - width)
    first = JClass("ij.gui.Roi")(0.0, 0.0, inner, inner)
    first.setStrokeWidth(float(width))
    set_position(image, first, place)
    rois, colors = [], _colors(patches.defocus_level, patches.certainty)
    levels, certainties = patches.defocus_level.tolist(), patches.certainty.tolist()
    for (x, y), level, sure, color in zip(
        (patches.corners_yx[:, ::-1] + width / 2).tolist(), levels, certainties, colors
    ):
        roi = first.clone()
        roi.setLocation(x, y)
        roi.setStrokeColor(color)
        roi.setName(f"level {level:.1f}, certainty {sure:.2f}")
        rois.append(roi)
    return rois


def set_position(image: Any, roi: Any, place: Place) -> None:
    """Have a ROI belong to a plane of a stack."""
    if image.isHyperStack():
        roi.setPosition(*place)
    elif image.getStackSize() > 1:
        roi.setPosition(image.getStackIndex(*place))


@lru_cache(maxsize=4)
def _legend(image_width_px: int) -> Any:
    """A box for each level from sharp to worst, and what they mean, as an Overlay to be copied."""
    box = max(_SMALLEST_BOX_PX, image_width_px * _BOX_SHARE)
    rectangle, text, black = JClass("ij.gui.Roi"), JClass("ij.gui.TextRoi"), JClass("java.awt.Color").BLACK
    back = rectangle(0.0, 0.0, _LEGEND_BOXES * box, 4.4 * box)
    back.setFillColor(black)
    parts = [back]
    for level, color in enumerate(_colors(np.arange(N_LEVELS), np.ones(N_LEVELS))):
        parts.append(rectangle((level + 0.5) * box, 0.5 * box, box, box))
        parts[-1].setFillColor(color)
    font = JClass("java.awt.Font")("SansSerif", 0, max(1, round(0.85 * box)))
    for line, words in enumerate(_LEGEND_TEXTS):
        parts.append(text(0.5 * box, (1.7 + 1.2 * line) * box, words, font))
        parts[-1].setStrokeColor(JClass("java.awt.Color").WHITE)
    legend = JClass("ij.gui.Overlay")()
    for part in parts:
        part.setName("legend")
        legend.add(part)
    return legend


def _colors(levels: np.ndarray, certainties: np.ndarray) -> list[Any]:
    color = JClass("java.awt.Color")
    return [color(*rgb) for rgb in np.rint(255 * level_colors(levels, certainties)).astype(int).tolist()]
