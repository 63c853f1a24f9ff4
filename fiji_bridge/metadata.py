"""What an image of ImageJ states of the optics, by its calibration and its info."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from parfocal.answers import completed
from parfocal.batch.arguments import FROM_FILE, arguments_for
from parfocal.images.info_text import read_info
from parfocal.images.metadata import ImageMetadata

from .images import lengths_um


def metadata_of(image: Any) -> ImageMetadata:
    """Optics of the channel that is shown; of lengths the calibration counts, which a person can see and set."""
    return replace(read_info(info_of(image), image.getC() - 1), **lengths_um(image))


def info_of(image: Any) -> str:
    """Text that ImageJ shows as the image's info, where what was restored is marked; empty without one."""
    return str(image.getInfoProperty() or "")


def with_stated(
    command: Callable[..., Any], arguments: dict[str, Any], image: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Arguments with those that the image states and nobody has given, and warnings of what it states in vain.

    Raises
    ------
    ValueError
        Where the command needs what neither has.
    """
    found, warnings = arguments_for(metadata_of(image), arguments, command)
    return completed(command, found, {}), warnings


def shown_defaults(command: Callable[..., Any], image: Any) -> dict[str, Any]:
    """What the image states in place of defaults that a dialog shows: it would be overruled by them otherwise."""
    found, _ = arguments_for(metadata_of(image), {}, command)
    return {name: value for name, value in found.items() if name in FROM_FILE}
