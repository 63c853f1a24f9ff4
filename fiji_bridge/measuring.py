"""Commands that measure an image of ImageJ: pixels in, numbers and images out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parfocal.commands import command_spec
from parfocal.restoration.result import is_marked_restored
from parfocal.status import ALREADY_RESTORED, MEANINGS

from .images import image_like, lengths_um, pixels_of, selection_of


def measure(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Measure an image of ImageJ; its selection limits what is measured.

    A command without a mask gets the rectangle around the selection. Pixel size and distance of planes are those of
    the calibration where they are not given.

    Returns
    -------
    dict
        `features` by name, `status`, `reason` and `warnings`.

    Raises
    ------
    ValueError, TypeError
        Where the selection has no area, or an argument is wrong.
    """
    pixels, mask_yx = pixels_of(image), selection_of(image)
    given = _completed(command, arguments, image)
    if mask_yx is not None and "mask_yx" in _names(command):
        given["mask_yx"] = mask_yx
    elif mask_yx is not None:
        pixels = _around(pixels, mask_yx, n_planes=image.getNSlices())
    return _outputs(command(pixels, **given))


def sort(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """The same for a command that refuses what was restored."""
    _refuse_restored(image)
    return measure(command, arguments, image)


def restore(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Restore an image whole; `image` is a new one, marked as restored, where anything was."""
    _refuse_restored(image)
    result = command(pixels_of(image), **_completed(command, arguments, image))
    outputs = _outputs(result)
    if result.restored:
        outputs["image"] = image_like(image, result.image, f"Restored {image.getTitle()}", result.provenance)
        if result.uncertainty is not None:
            outputs["uncertainty"] = image_like(
                image, result.uncertainty, f"Uncertainty of {image.getTitle()}", result.provenance
            )
    return outputs


def _outputs(result: Any) -> dict[str, Any]:
    main = getattr(result, "estimate", result)
    told = {"status": main.status, "reason": main.reason, "warnings": " ".join(main.warnings)}
    return {"features": result.features(), **told}


def _completed(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    known = {name: value for name, value in lengths_um(image).items() if name in _names(command)}
    return {**known, **arguments}


def _names(command: Callable[..., Any]) -> set[str]:
    return {parameter.name for parameter in command_spec(command).parameters}


def _around(pixels: np.ndarray, mask_yx: np.ndarray, n_planes: int) -> np.ndarray:
    """Rectangle around a selection, of all planes."""
    if not mask_yx.any():
        raise ValueError("the selection must lie on the image, it lies outside: choose another or none")
    rows, columns = np.flatnonzero(mask_yx.any(axis=1)), np.flatnonzero(mask_yx.any(axis=0))
    area = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return pixels[area] if n_planes == 1 else pixels[(slice(None), *area)]


def _refuse_restored(image: Any) -> None:
    if is_marked_restored(str(image.getInfoProperty() or "")):
        raise ValueError(f"{image.getTitle()}: {MEANINGS[ALREADY_RESTORED]}")
