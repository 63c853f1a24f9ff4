"""Commands that measure an image of ImageJ: pixels in, numbers and images out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from parfocal.answers import (
    check_not_restored,
    measured,
    measured_as_marked,
    object_outputs_of,
    outputs_of,
    plane_outputs_of,
)
from parfocal.progress import steps

from .images import held, image_like, pixels_of, planes_of
from .metadata import info_of, with_stated
from .options import EACH_PLANE, OVERLAY
from .other_images import taken_images
from .places import Place, all_places, current_place, label_of, shown_places
from .results import Row


def measure(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Measure or sort an image of ImageJ; its selection limits what is seen, and a mask where the command takes one.

    A command without a mask gets the rectangle around the selection. Optics are those that the image states where they
    are not given.

    Returns
    -------
    dict
        `features` by name, `status`, `reason` and `warnings`; `rows` for the Results table, also those of objects,
        with the option `each_plane` those of time points and planes.

    Raises
    ------
    ValueError, TypeError
        Where the selection has no area, or an argument is wrong.
    """
    given, each = _without_options(arguments)
    with held(image):
        shown = shown_places(image)
        given, mask_yx = taken_images(given, image)
        given, warnings = with_stated(command, given, image)
        told = {
            places: measured_as_marked(command, planes_of(image, places), given, mask_yx, info_of(image))
            for places in (all_places(image) if each else [shown])
        }
        stacks = [(places, result) for places, (result, _) in told.items()]
        rows = [row for places, result in stacks for row in _rows(image, places, result, each)]
    if arguments.get(OVERLAY.name, False):
        _draw(image, stacks)
    main = dict(stacks).get(shown, stacks[0][1])
    more = next(iter(told.values()))[1]
    return warned({**outputs_of(main), "rows": rows}, (*warnings, *more))


def estimate(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """The same for a command that takes a single plane: the one that is shown, or with `each_plane` each of them."""
    given, each = _without_options(arguments)
    with held(image):
        shown = current_place(image)
        given, mask_yx = taken_images(given, image)
        given, warnings = with_stated(command, given, image)
        places = [place for group in all_places(image) for place in group] if each else [shown]
        answers = {
            place: outputs_of(measured(command, pixels_of(image, [place]), given, mask_yx)) for place in steps(places)
        }
        rows = [Row(label_of(image, [place]), outputs, place if each else None) for place, outputs in answers.items()]
    return warned({**answers[shown], "rows": rows}, warnings)


def restore(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Restore an image whole; `image` is a new one, marked as restored, where anything was."""
    check_not_restored(command.__name__, str(image.getTitle()), info_of(image))
    with held(image):
        shown = shown_places(image)
        given, warnings = with_stated(command, arguments, image)
        result = command(pixels_of(image, shown), **given)
        outputs = outputs_of(result)
        outputs["rows"] = [Row(label_of(image, shown), outputs)]
        if result.restored:
            outputs["image"] = image_like(image, result.image, f"Restored {image.getTitle()}", result.provenance)
        if result.restored and result.uncertainty is not None:
            title = f"Uncertainty of {image.getTitle()}"
            outputs["uncertainty"] = image_like(image, result.uncertainty, title, result.provenance)
    return warned(outputs, warnings)


def warned(outputs: dict[str, Any], warnings: Sequence[str]) -> dict[str, Any]:
    """Outputs whose warnings, and those of their rows, have some more; the same without any."""
    if not warnings:
        return outputs
    for told in [outputs, *(row.outputs for row in outputs["rows"])]:
        told["warnings"] = " ".join(dict.fromkeys([*str(told["warnings"]).split(), *warnings]))
    return outputs


def _without_options(arguments: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Arguments of the command, and whether each plane has a row."""
    given = {name: value for name, value in arguments.items() if name not in (OVERLAY.name, EACH_PLANE.name)}
    return given, bool(arguments.get(EACH_PLANE.name, False))


def _rows(image: Any, places: Sequence[Place], result: Any, each: bool) -> list[Row]:
    """Row of planes that were measured together and of their objects, and with `each` of every plane of them."""
    label = label_of(image, places)
    rows = [Row(label, outputs_of(result))]
    for number, outputs in object_outputs_of(result).items():
        rows.append(Row(f"{label}:object {number}", outputs, object_label=number))
    if not each or len(places) == 1:
        return rows
    told = zip(places, plane_outputs_of(result))
    return rows + [Row(label_of(image, [place]), outputs, place) for place, outputs in told]


def _draw(image: Any, stacks: Sequence[tuple[Sequence[Place], Any]]) -> None:
    from .overlays import show_patches

    planes = [pair for places, result in stacks for pair in zip(places, result.planes)]
    show_patches(image, [(place, plane.patches) for place, plane in planes if plane.patches is not None])
