"""Measuring stacks of beads with `parfocal`, which is imported when it is first needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import numpy as np

if __package__:
    from . import _parfocal_bead_group as bead_group
    from . import _parfocal_bead_stack as bead_stack
    from . import _parfocal_engine as engine
    from ._parfocal_bead_positions import Sources
    from ._parfocal_bead_result import MeasuredBeads, nearest_plane
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_bead_group as bead_group
    import _parfocal_bead_stack as bead_stack
    import _parfocal_engine as engine
    from _parfocal_bead_positions import Sources
    from _parfocal_bead_result import MeasuredBeads, nearest_plane


# Which make counts of any scale the same for a distance model.
_WITHOUT_COUNTS = ("average_background", "z_score")


def measure(module: Any, workspace: Any) -> tuple[MeasuredBeads, Optional[int]]:
    """Measure what the image set belongs to; gives also its place among the planes, or None for a 3D image."""
    if module.single:
        return measure_image(module, workspace), 0
    if not module.grouped:
        return measure_volume(module, workspace), None
    measured = measure_group(module, workspace)
    return measured, measured.image_numbers.index(workspace.measurements.image_set_number)


def measure_image(module: Any, workspace: Any) -> MeasuredBeads:
    """Measure the single image of an image set (ValueError where it is none that can be measured)."""
    from parfocal.beads.distance.predict import TASK
    from parfocal.registry import checked_config

    arguments = module.arguments()
    normalisation = checked_config(arguments["distance_model"], TASK)[1]["normalisation"]
    stack = bead_stack.single_plane(workspace, module.image_name.value, normalisation not in _WITHOUT_COUNTS)
    return _measured(module, workspace, stack, arguments)


def measure_volume(module: Any, workspace: Any) -> MeasuredBeads:
    """Measure the 3D image of an image set (ValueError where it is no image that can be measured)."""
    arguments = module.arguments()
    stack = bead_stack.volume_stack(workspace, module.image_name.value, _in_counts(arguments))
    return _measured(module, workspace, stack, arguments)


def measure_group(module: Any, workspace: Any) -> MeasuredBeads:
    """Measure the group that the image set belongs to, once for all of its image sets."""
    kept = module.get_dictionary()
    key = (tuple(kept["image_numbers"]), workspace.pipeline.settings_hash())
    if kept.get("key") != key:
        arguments = module.arguments()
        stack = bead_group.group_stack(module, workspace, key[0], _in_counts(arguments))
        kept.update(key=key, measured=_measured(module, workspace, stack, arguments))
    return kept["measured"]


def _in_counts(arguments: dict[str, Any]) -> bool:
    return arguments["black_level"] > 0 or arguments["saturation_level"] is not None


def _measured(module: Any, workspace: Any, stack: Any, arguments: dict[str, Any]) -> MeasuredBeads:
    """Measure a stack; one that cannot be measured has the reason for it and does not end the run."""
    from parfocal import status
    from parfocal.beads.result import BeadFocalPlane

    n_planes = len(stack.reasons)
    shapes = tuple(stack.shape_yx(index) for index in range(n_planes))
    unknown = np.full(n_planes, np.nan)
    try:
        return _answer(module, workspace, stack, arguments, shapes)
    except (ValueError, TypeError, OSError, MemoryError, engine.Lost) as error:
        known = {name: arguments[name] for name in ("bead_diameter_um", "contrast")}
        reason = " ".join(str(error).split()) or type(error).__name__
        result = BeadFocalPlane(status=status.UNREADABLE, reason=reason, **known)
        planes = (stack.image_numbers, shapes, unknown, stack.reasons, n_planes // 2)
        return MeasuredBeads(result, *planes, single=module.single)


def _answer(
    module: Any, workspace: Any, stack: Any, arguments: dict[str, Any], shapes: tuple[tuple[int, int], ...]
) -> MeasuredBeads:
    sources = Sources(module, workspace.measurements, stack.image_numbers, len(shapes))
    arguments = {**arguments, "pixel_size_um": sources.pixel_size_um()}
    if arguments.get("saturation_level") is None:
        arguments["saturation_level"] = stack.full_scale
    z, missing = sources.z_um()
    reasons = tuple(reason or ("" if np.isfinite(where) else missing) for reason, where in zip(stack.reasons, z))
    usable = [index for index, reason in enumerate(reasons) if not reason]
    if not usable:
        raise ValueError(f"none of the {len(reasons)} planes can be used; the first {reasons[0]}")
    result = engine.call("measure_bead_focal_plane", stack.usable(usable), z_um=z[usable], **arguments)
    nearest = nearest_plane(z, reasons, result.reference_focal_plane_um)
    measured = MeasuredBeads(result, stack.image_numbers, shapes, z, reasons, nearest)
    return replace(measured, plane_yx=np.array(stack.planes[nearest]), single=module.single)
