"""Stacks of which each image set of a group is a plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional

import numpy as np
from cellprofiler_core.object import ObjectSet
from cellprofiler_core.workspace import Workspace

if __package__:
    from . import _parfocal_bead_stack as bead_stack
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_bead_stack as bead_stack


def modules_run_twice(pipeline: Any, module: Any) -> list[Any]:
    """List the modules up to the one that makes the image, which are run to collect the planes of a group."""
    providers = pipeline.get_provider_dictionary(module.image_name.group, module)
    known = providers.get(module.image_name.value)
    return [] if not known else [other for other in pipeline.modules() if other.module_num <= known[-1][0].module_num]


def group_stack(module: Any, workspace: Any, image_numbers: Sequence[int], in_counts: bool) -> bead_stack.BeadStack:
    """Load the planes of a group, in counts and in the type of their file; those that cannot be loaded get a reason.

    Raises
    ------
    ValueError
        Where the image is none that can be measured in any group.
    """
    from parfocal.images.odd_sizes import with_odd_sizes

    name, modules = module.image_name.value, modules_run_twice(workspace.pipeline, module)
    planes: list[Optional[np.ndarray]] = []
    reasons, full_scale = [], None
    with _set_aside(workspace.measurements):
        for number in image_numbers:
            image, provider, reason = _load(workspace, modules, name, number)
            reasons.append(reason)
            if image is None:
                planes.append(None)
                continue
            plane, limit = bead_stack.image_plane(image, name, provider, in_counts)
            planes.append(plane)
            full_scale = full_scale or limit
    shapes = [(0, 0) if plane is None else plane.shape for plane in planes]
    return bead_stack.BeadStack(planes, tuple(image_numbers), with_odd_sizes(reasons, shapes), full_scale)


def _load(workspace: Any, modules: Sequence[Any], name: str, number: int) -> tuple[Any, Any, str]:
    """Run modules on an image set: gives the image and what it was loaded with, or None and why not."""
    image_set = workspace.measurements
    image_set.image_set_number = number
    del image_set.providers[:]
    image_set.clear_cache()
    objects = ObjectSet()
    try:
        for module in modules:
            run = Workspace(workspace.pipeline, module, image_set, objects, image_set, workspace.image_set_list)
            workspace.pipeline.run_module(module, run)
        return image_set.get_image(name), image_set.get_image_provider(name), ""
    except MemoryError:
        raise
    except Exception as error:  # readers of damaged files raise anything
        text = " ".join(str(error).split()) or type(error).__name__
        return None, None, f"could not be loaded: {text}"


@contextmanager
def _set_aside(image_set: Any) -> Iterator[None]:
    """Take the images of the present image set away meanwhile: those of others go by the same names."""
    number, providers = image_set.image_set_number, list(image_set.providers)
    try:
        yield
    finally:
        image_set.image_set_number, image_set.providers[:] = number, providers
        image_set.clear_cache()
