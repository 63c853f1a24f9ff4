"""Several fields of a sample: stacks to learn from, and the focal planes that a surface is laid through."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional

from parfocal.focal_position.stacks import LabelledStack
from parfocal.focus_control.microscope import FieldStage, Microscope, StageError
from parfocal.focus_control.planes import take_stack
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.surface import FocusSurface

XY = tuple[float, float]
# How near to its target the stage must end, and how often a move is tried.
_ARRIVAL_UM, _TRIES = 5.0, 3


@contextmanager
def returning(stage: FieldStage) -> Iterator[XY]:
    """Give the position of the stage, and go back there at the end, whatever ends it.

    Raises
    ------
    StageError
        Where the position cannot be read, or is not reached again.
    """
    start = stage.xy_um()
    try:
        yield start
    finally:
        move_to_field(stage, start)


def move_to_field(stage: FieldStage, target_xy_um: XY) -> None:
    """Move there, with a few tries (StageError where the stage ends elsewhere)."""
    fault = ""
    for _ in range(_TRIES):
        try:
            stage.move_to_um(*target_xy_um)
            reached = stage.xy_um()
        except StageError as error:
            fault = str(error)
            continue
        if math.dist(reached, target_xy_um) <= _ARRIVAL_UM:
            return
        fault = f"it is at {_told(reached)} um"
    raise StageError(f"the XY stage did not reach {_told(target_xy_um)} um: {fault}")


def check_offsets(offsets_um: Sequence[XY], field_um: Optional[XY]) -> None:
    """Raise ValueError where an offset does not lead to another field.

    Parameters
    ----------
    offsets_um : sequence of (x, y)
        From the first field.
    field_um : tuple of float, optional
        Width and height of a field; fields may not overlap. Where it is not known they must lie 10 um apart.
    """
    width, height = field_um or (2 * _ARRIVAL_UM, 2 * _ARRIVAL_UM)
    taken: list[XY] = [(0.0, 0.0)]
    for offset in offsets_um:
        if not all(map(math.isfinite, offset)):
            raise ValueError(f"field_offset_um must be two finite numbers, got {_told(offset)}")
        for other in taken:
            if abs(offset[0] - other[0]) < width and abs(offset[1] - other[1]) < height:
                raise ValueError(
                    f"field_offset_um must lead to a field that does not overlap with the one at {_told(other)} um:"
                    f" {width:g} um away in x or {height:g} um in y, got {_told(offset)}"
                )
        taken.append(offset)


def take_fields(
    microscope: Microscope,
    stage: FieldStage,
    settings: HoldFocus,
    half_range_um: float,
    step_um: float,
    offsets_um: Sequence[XY],
    told: Callable[[str], None] = lambda line: None,
) -> list[LabelledStack]:
    """Take a z-stack of the present field and of those at offsets from it.

    Parameters
    ----------
    microscope : Microscope
    stage : FieldStage
    settings, half_range_um, step_um
        As for `take_stack`.
    offsets_um : sequence of (x, y)
        From the present position of the stage.
    told : callable
        Is given a line about each field.

    Returns
    -------
    list of LabelledStack
        That of the present field first; a further field without a focal plane is left out. Both stages are back where
        they were.

    Raises
    ------
    ValueError
        Where an offset does not lead to another field, or the present one holds no focal plane.
    MicroscopeError
        Where an image or a move fails.
    """
    check_offsets(offsets_um, stage.field_um())
    stacks = []
    with returning(stage) as (x_um, y_um):
        for number, (dx_um, dy_um) in enumerate([(0.0, 0.0), *offsets_um], 1):
            name = f"field {number}"
            if number > 1:
                move_to_field(stage, (x_um + dx_um, y_um + dy_um))
            try:
                stack = take_stack(microscope, settings, half_range_um, step_um, name)
            except ValueError as error:
                if number == 1:
                    raise
                told(f"{name} is left out: {error}")
                continue
            told(stack_line(stack))
            stacks.append(stack)
    return stacks


def stack_line(stack: LabelledStack) -> str:
    """What was taken, in a line."""
    return f"{stack.name}: {len(stack.z_um)} planes, focal plane at {stack.focal_z_um:.2f} um"


def measure_focus_surface(
    microscope: Microscope,
    stage: FieldStage,
    positions_xy_um: Sequence[XY],
    focus: Callable[[], Any],
    kind: str = "auto",
) -> FocusSurface:
    """Find the focal plane at several positions and lay a surface through them.

    Parameters
    ----------
    microscope : Microscope
    stage : FieldStage
    positions_xy_um : sequence of (x, y)
        Of the stage; 3 or more that do not lie on a line.
    focus : callable
        Finds the focal plane there and returns an `AutofocusResult`, such as `lambda: autofocus(microscope)`. Positions
        where it finds none are left out.
    kind : str
        As for `FocusSurface`.

    Returns
    -------
    FocusSurface
        Both stages are back where they were.

    Raises
    ------
    ValueError
        Where too few positions are left.
    StageError
        Where a move fails.
    """
    points, deviations = [], []
    start_um = microscope.z_um()
    try:
        with returning(stage):
            for x_um, y_um in positions_xy_um:
                move_to_field(stage, (x_um, y_um))
                found = focus()
                if found.found:
                    points.append((x_um, y_um, found.focal_plane_z_um))
                    deviations.append(found.deviation_um if math.isfinite(found.deviation_um) else 0.0)
    finally:
        microscope.move_to_um(start_um)
    if len(points) < 3:
        raise ValueError(f"a surface needs 3 focal planes, found {len(points)} at {len(positions_xy_um)} positions")
    return FocusSurface(points, deviations, kind)


def _told(xy_um: XY) -> str:
    return f"{xy_um[0]:g}, {xy_um[1]:g}"
