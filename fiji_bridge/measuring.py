"""Commands that measure an image of ImageJ: pixels in, numbers and images out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Optional

import numpy as np

from parfocal.commands import command_spec
from parfocal.restoration.result import is_marked_restored
from parfocal.status import ALREADY_RESTORED, MEANINGS

from .images import held, image_like, lengths_um, pixels_of, selection_of
from .options import EACH_PLANE, OVERLAY
from .places import Place, all_places, label_of, shown_places
from .results import Row


def measure(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Measure an image of ImageJ; its selection limits what is measured.

    A command without a mask gets the rectangle around the selection. Pixel size and distance of planes are those of
    the calibration where they are not given.

    Returns
    -------
    dict
        `features` by name, `status`, `reason` and `warnings`; `rows` for the Results table, with the option
        `each_plane` also those of time points and planes.

    Raises
    ------
    ValueError, TypeError
        Where the selection has no area, or an argument is wrong.
    """
    given = {name: value for name, value in arguments.items() if name not in (OVERLAY.name, EACH_PLANE.name)}
    each = arguments.get(EACH_PLANE.name, EACH_PLANE.default)
    with held(image):
        shown, mask_yx = shown_places(image), selection_of(image)
        given = completed(command, given, image)
        stacks = [
            (places, _measured(command, given, image, places, mask_yx))
            for places in (all_places(image) if each else [shown])
        ]
        rows = [row for places, result in stacks for row in _rows(image, places, result, each)]
    if arguments.get(OVERLAY.name, False):
        _draw(image, stacks)
    main = dict(stacks).get(shown, stacks[0][1])
    return {**outputs_of(main), "rows": rows}


def sort(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """The same for a command that refuses what was restored."""
    _refuse_restored(image)
    return measure(command, arguments, image)


def restore(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Restore an image whole; `image` is a new one, marked as restored, where anything was."""
    _refuse_restored(image)
    with held(image):
        shown = shown_places(image)
        result = command(pixels_of(image, shown), **completed(command, arguments, image))
        outputs = outputs_of(result)
        outputs["rows"] = [Row(label_of(image, shown), outputs)]
        if result.restored:
            outputs["image"] = image_like(image, result.image, f"Restored {image.getTitle()}", result.provenance)
        if result.restored and result.uncertainty is not None:
            title = f"Uncertainty of {image.getTitle()}"
            outputs["uncertainty"] = image_like(image, result.uncertainty, title, result.provenance)
    return outputs


def outputs_of(result: Any) -> dict[str, Any]:
    """Numbers of a result by name, and what there is to say of them."""
    metrics = result.metrics() if hasattr(result, "metrics") else {}
    return outputs_with({**result.features(), **metrics}, getattr(result, "estimate", result))


def outputs_with(numbers: dict[str, float], answer: Any) -> dict[str, Any]:
    """Numbers, and the status of an answer."""
    told = {"status": answer.status, "reason": answer.reason, "warnings": " ".join(answer.warnings)}
    return {"features": numbers, **told}


def completed(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Arguments with those that the calibration of the image states."""
    known = {name: value for name, value in lengths_um(image).items() if name in _names(command)}
    return {**known, **arguments}


def _measured(
    command: Callable[..., Any], given: dict[str, Any], image: Any, places: Sequence[Place], mask_yx: Optional[Any]
) -> Any:
    pixels, n_planes = pixels_of(image, places), len(places)
    if mask_yx is None:
        return command(pixels, **given)
    if not mask_yx.any():
        raise ValueError("the selection must lie on the image, it lies outside: choose another or none")
    if "mask_yx" in _names(command):
        return command(pixels, mask_yx=mask_yx, **given)
    return command(_around(pixels, mask_yx, n_planes), **given)


def _rows(image: Any, places: Sequence[Place], result: Any, each: bool) -> list[Row]:
    """Row of planes that were measured together, and with `each` of every plane of them, which says if it is it."""
    rows = [Row(label_of(image, places), outputs_of(result))]
    if not each or len(places) == 1:
        return rows
    sharpest = result.sharpest_plane_index
    for index, place in enumerate(places):
        outputs = outputs_of(result.of_plane(index))
        known = {name: value for name, value in outputs["features"].items() if not name.startswith("SharpestPlane")}
        outputs["features"] = {**known, "Sharpest": float("nan") if sharpest is None else float(index == sharpest)}
        rows.append(Row(label_of(image, [place]), outputs, place))
    return rows


def _draw(image: Any, stacks: Sequence[tuple[Sequence[Place], Any]]) -> None:
    from .overlays import show_patches

    planes = [pair for places, result in stacks for pair in zip(places, result.planes)]
    show_patches(image, [(place, plane.patches) for place, plane in planes if plane.patches is not None])


def _names(command: Callable[..., Any]) -> set[str]:
    return {parameter.name for parameter in command_spec(command).parameters}


def _around(pixels: np.ndarray, mask_yx: np.ndarray, n_planes: int) -> np.ndarray:
    """Rectangle around a selection, of all planes."""
    rows, columns = np.flatnonzero(mask_yx.any(axis=1)), np.flatnonzero(mask_yx.any(axis=0))
    area = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return pixels[area] if n_planes == 1 else pixels[(slice(None), *area)]


def _refuse_restored(image: Any) -> None:
    if is_marked_restored(str(image.getInfoProperty() or "")):
        raise ValueError(f"{image.getTitle()}: {MEANINGS[ALREADY_RESTORED]}")
