"""Commands that measure an image of ImageJ: pixels in, numbers and images out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from parfocal.answers import check_not_restored, completed, measured, outputs_of, plane_outputs_of

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
        given = completed(command, given, lengths_um(image))
        stacks = [
            (places, measured(command, pixels_of(image, places), given, mask_yx))
            for places in (all_places(image) if each else [shown])
        ]
        rows = [row for places, result in stacks for row in _rows(image, places, result, each)]
    if arguments.get(OVERLAY.name, False):
        _draw(image, stacks)
    main = dict(stacks).get(shown, stacks[0][1])
    return {**outputs_of(main), "rows": rows}


def sort(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """The same for a command that refuses what was restored."""
    _refuse_restored(command, image)
    return measure(command, arguments, image)


def restore(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Restore an image whole; `image` is a new one, marked as restored, where anything was."""
    _refuse_restored(command, image)
    with held(image):
        shown = shown_places(image)
        result = command(pixels_of(image, shown), **completed(command, arguments, lengths_um(image)))
        outputs = outputs_of(result)
        outputs["rows"] = [Row(label_of(image, shown), outputs)]
        if result.restored:
            outputs["image"] = image_like(image, result.image, f"Restored {image.getTitle()}", result.provenance)
        if result.restored and result.uncertainty is not None:
            title = f"Uncertainty of {image.getTitle()}"
            outputs["uncertainty"] = image_like(image, result.uncertainty, title, result.provenance)
    return outputs


def _rows(image: Any, places: Sequence[Place], result: Any, each: bool) -> list[Row]:
    """Row of planes that were measured together, and with `each` of every plane of them, which says if it is it."""
    rows = [Row(label_of(image, places), outputs_of(result))]
    if not each or len(places) == 1:
        return rows
    told = zip(places, plane_outputs_of(result))
    return rows + [Row(label_of(image, [place]), outputs, place) for place, outputs in told]


def _draw(image: Any, stacks: Sequence[tuple[Sequence[Place], Any]]) -> None:
    from .overlays import show_patches

    planes = [pair for places, result in stacks for pair in zip(places, result.planes)]
    show_patches(image, [(place, plane.patches) for place, plane in planes if plane.patches is not None])


def _refuse_restored(command: Callable[..., Any], image: Any) -> None:
    check_not_restored(command.__name__, str(image.getTitle()), str(image.getInfoProperty() or ""))
