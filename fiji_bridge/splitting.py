"""Plugins > Parfocal > Split Sharp and Defocused...: the planes of a stack in two stacks, by a threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Optional

from jpype import JClass

from parfocal.answers import measured_as_marked
from parfocal.sorting.preview import DEFOCUSED, SHARP, ThresholdPreview
from parfocal.status import ALREADY_RESTORED

from .imagej1 import is_headless, log, record
from .images import held, part_of, planes_of
from .metadata import info_of, with_stated
from .other_images import taken_images
from .places import Place, all_places

TITLE = "Split Sharp and Defocused"
_THRESHOLD = "threshold"


def split_stack(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Sort all slices and time points of the channel that is shown, and put them into two stacks.

    In a window the threshold is chosen by a slider, unless it is given; a macro takes the model's.

    Returns
    -------
    dict
        `sharp` and `defocused`, without one that has no planes; empty where the window was closed.

    Raises
    ------
    ValueError, TypeError
        As for measuring; also where no plane has an answer.
    """
    places = [place for group in all_places(image) for place in group]
    with held(image):
        given, mask_yx = taken_images(arguments, image)
        given, warnings = with_stated(command, given, image)
        result, _ = measured_as_marked(command, planes_of(image, places), given, mask_yx, info_of(image))
    if warnings:
        log([f"{TITLE}, {image.getTitle()}: {' '.join(warnings)}"])
    if result.status == ALREADY_RESTORED:
        raise ValueError(f"{image.getTitle()} was restored by Parfocal, and is not sorted: split the original image")
    if not any(plane.answered for plane in result.planes):
        raise ValueError(f"{image.getTitle()}: {result.reason}")
    preview = ThresholdPreview.of(result)
    threshold: Optional[float] = preview.threshold
    if _THRESHOLD not in arguments and not is_headless() and not JClass("ij.IJ").macroRunning():
        threshold = _chosen(image, places, preview, arguments)
    return {} if threshold is None else _parts(image, places, preview, threshold)


def _chosen(
    image: Any, places: Sequence[Place], preview: ThresholdPreview, arguments: dict[str, Any]
) -> Optional[float]:
    from .threshold_window import ThresholdWindow

    threshold = ThresholdWindow(image, places, preview).choose()
    if threshold is not None:
        record(f"{TITLE}...", {**arguments, _THRESHOLD: f"{threshold:g}"})
    return threshold


def _parts(image: Any, places: Sequence[Place], preview: ThresholdPreview, threshold: float) -> dict[str, Any]:
    split, title = preview.split(threshold), image.getTitle()
    with held(image):
        parts = {
            kind: part_of(image, [places[index] for index in split[kind]], f"{kind.capitalize()} of {title}")
            for kind in (SHARP, DEFOCUSED)
            if split[kind]
        }
    log([f"{title}, threshold {threshold:g}: {preview.told(threshold)}"])
    return parts
