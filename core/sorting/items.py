"""Sorting an image of a file, with what the file says of it."""

from __future__ import annotations

from typing import Any

from parfocal import status
from parfocal.batch.arguments import arguments_for
from parfocal.images.metadata import ImageItem
from parfocal.images.planes import as_planes
from parfocal.restoration.result import already_restored_reason, is_marked_restored
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.result import NAN, DefocusFlag, PlaneFlag


def flag_item(item: ImageItem, given: dict[str, Any]) -> tuple[DefocusFlag, dict[str, Any], tuple[str, ...]]:
    """Sort an image of a file, unless its metadata mark it as restored before: it is no longer as the camera saw it.

    Parameters
    ----------
    item : ImageItem
    given : dict
        Arguments of `flag_defocused` that the user gave; they count more than what the file says.

    Returns
    -------
    flag : DefocusFlag
    arguments : dict
        What it was sorted with.
    warnings : tuple of str
        One for each value of the file that was left out.
    """
    arguments, warnings = arguments_for(item.metadata, given, flag_defocused)
    if is_marked_restored(item.metadata.description):
        return restored_before(item.pixels, item.metadata.description), arguments, warnings
    return flag_defocused(item.pixels, **arguments), arguments, warnings


def restored_before(image: Any, mark: str) -> DefocusFlag:
    """No answer for any plane of an image, with the text that marks it as restored as the reason."""
    reason = already_restored_reason(mark)
    return DefocusFlag((PlaneFlag(status=status.ALREADY_RESTORED, reason=reason),) * len(as_planes(image)[0]), NAN)
