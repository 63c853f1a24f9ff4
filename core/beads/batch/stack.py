"""What is done with one stack of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.beads.batch.positions import PositionTable, positions_of
from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.beads.result import BeadFocalPlane
from parfocal.commands import command_spec
from parfocal.images.metadata import ImageMetadata, UnreadableImage
from parfocal.images.open_stack import OpenStack, UnreadablePlane

_CONTRASTS = {
    "bright_field": "bright_field",
    "widefield_fluorescence": "fluorescence",
    "confocal": "fluorescence",
    "light_sheet": "fluorescence",
}


@dataclass(frozen=True)
class MeasuredStack:
    """A stack of a batch, measured or with the reason why not.

    Attributes
    ----------
    name : str
        Tells the stacks of a batch apart.
    path : str
        File, folder or pattern.
    result : BeadFocalPlane
        Its planes are those that could be used.
    z_um : ndarray
        (n,) positions of all planes, um; NaN where unknown.
    reasons : tuple of str
        (n,) nothing, or why the plane was left out.
    files : tuple of str
        (n,) file of each plane, or nothing.
    z_origin : str
        `stage` where the positions are those of the stage, `first_plane` where they are counted from the first plane,
        `single_plane` where there is but one and z is counted from it.
    warnings : tuple of str
        Of the result and of the files.
    plane_yx : ndarray or None
        The plane nearest to the reference focal plane (the middle one without an answer).
    plane_index : int
        Its index among all planes.
    """

    name: str
    path: str
    result: BeadFocalPlane
    z_um: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    reasons: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    z_origin: str = ""
    warnings: tuple[str, ...] = ()
    plane_yx: Optional[np.ndarray] = field(default=None, repr=False)
    plane_index: int = -1

    @property
    def usable(self) -> np.ndarray:
        """Indices of the planes that were measured."""
        return np.flatnonzero([not reason for reason in self.reasons])


def measure_stack(
    stack: OpenStack, name: str, given: dict[str, Any], table: Optional[PositionTable] = None
) -> MeasuredStack:
    """Measure a stack; planes that cannot be used are left out and listed.

    Parameters
    ----------
    stack : OpenStack
    name : str
    given : dict
        Arguments of `measure_bead_focal_plane` that the user gave; they count more than what the files say.
    table : PositionTable, optional
        Positions of the planes, where the user gave them.

    Returns
    -------
    MeasuredStack
        Where nothing can be measured, its result says why.
    """
    try:
        return _measure(stack, name, given, table)
    except (UnreadableImage, OSError, MemoryError, TypeError, ValueError) as error:
        return refused_stack(name, stack.path, str(error) or type(error).__name__, given)


def refused_stack(name: str, path: str, reason: str, given: dict[str, Any]) -> MeasuredStack:
    """Say of a stack that it cannot be measured."""
    known = {key: given[key] for key in ("pixel_size_um", "bead_diameter_um", "contrast") if key in given}
    return MeasuredStack(name, path, BeadFocalPlane(status=status.UNREADABLE, reason=reason, **known))


def _measure(stack: OpenStack, name: str, given: dict[str, Any], table: Optional[PositionTable]) -> MeasuredStack:
    arguments, warnings = _arguments(stack.metadata, given)
    z_um, reasons, origin = positions_of(stack, table, given.get("z_step_um"))
    result = _measure_usable(stack, z_um, reasons, arguments)
    usable = [index for index, reason in enumerate(reasons) if not reason]
    if any(reasons):
        warnings.append("planes_left_out")
    nearest = len(usable) // 2
    if result.answered:
        nearest = int(np.argmin(np.abs(z_um[usable] - result.reference_focal_plane_um)))
    return MeasuredStack(
        name=name,
        path=stack.path,
        result=result,
        z_um=z_um,
        reasons=tuple(reasons),
        files=stack.names,
        z_origin=origin,
        warnings=(*result.warnings, *warnings),
        plane_yx=np.array(stack.planes[usable[nearest]]),
        plane_index=usable[nearest],
    )


def _arguments(about: ImageMetadata, given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Arguments of the command but for the positions, and warnings of values of the file that were not used."""
    arguments = {name: value for name, value in given.items() if name != "z_step_um"}
    warnings = []
    if "contrast" not in given and about.modality in _CONTRASTS:
        arguments["contrast"] = _CONTRASTS[about.modality]
    if "pixel_size_um" not in given and about.pixel_size_um is not None:
        try:
            command_spec(measure_bead_focal_plane).parameter("pixel_size_um").param.check(
                "pixel_size_um", about.pixel_size_um
            )
            arguments["pixel_size_um"] = about.pixel_size_um
        except ValueError:
            warnings.append("pixel_size_um_of_file_not_used")
    if "pixel_size_um" not in arguments:
        raise ValueError("the file does not say how large a pixel is: give the pixel size")
    return arguments, warnings


def _measure_usable(
    stack: OpenStack, z_um: np.ndarray, reasons: list[str], arguments: dict[str, Any]
) -> BeadFocalPlane:
    """Measure the planes without a reason; those that turn out to be unreadable get one, and it is done again."""
    while True:
        usable = [index for index, reason in enumerate(reasons) if not reason]
        if not usable:
            raise UnreadableImage(f"none of the {len(reasons)} planes can be used: {next(iter(reasons), 'no plane')}")
        try:
            return measure_bead_focal_plane(stack.planes.only(usable), z_um=z_um[usable], **arguments)
        except UnreadablePlane as error:
            reasons[usable[error.index]] = error.reason
            _look_for_others(stack, usable, reasons)


def _look_for_others(stack: OpenStack, usable: list[int], reasons: list[str]) -> None:
    """Read all planes once, so that the measurement is done again once only."""
    for index in usable:
        try:
            stack.planes[index]
        except UnreadablePlane as error:
            reasons[index] = error.reason
