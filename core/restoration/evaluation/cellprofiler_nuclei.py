"""Nuclei as CellProfiler's own IdentifyPrimaryObjects outlines them, run in this process."""

from __future__ import annotations

from typing import Any

import numpy as np

# Typical diameters, px, smallest and largest, among which one is chosen for an image.
DIAMETERS_PX = ((6, 20), (9, 30), (13, 45), (20, 65), (30, 100), (45, 150))
_KEPT_SHARE = 0.9


def require_cellprofiler() -> None:
    """Raise ImportError, with what to do, where CellProfiler is not installed."""
    try:
        import cellprofiler.modules.identifyprimaryobjects  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "counting nuclei needs CellProfiler, which runs on Python 3.9 alone: in"
            ' Parfocal\'s folder pip install -e ".[cellprofiler]" with that Python, and evaluate there'
        ) from error
    from cellprofiler_core.preferences import set_headless

    set_headless()


def nuclei_of(image_yx: np.ndarray, diameters_px: tuple[int, int]) -> np.ndarray:
    """Outline nuclei with the module's default settings (minimum cross-entropy, declumping by intensity).

    Parameters
    ----------
    image_yx : ndarray
        (y, x), 0 to 1.
    diameters_px : tuple of int
        Typical diameters, smallest and largest; nuclei outside and at the border are left out.

    Returns
    -------
    ndarray
        Labels (y, x), 0 background.
    """
    from cellprofiler.modules.identifyprimaryobjects import IdentifyPrimaryObjects

    module = IdentifyPrimaryObjects()
    module.set_module_num(1)
    module.show_window = False
    module.x_name.value, module.y_name.value = "DNA", "Nuclei"
    module.size_range.value = diameters_px
    workspace = _workspace(module, np.asarray(image_yx, np.float32))
    module.run(workspace)
    return np.asarray(workspace.object_set.get_objects("Nuclei").segmented)


def diameter_range(image_yx: np.ndarray) -> tuple[int, int]:
    """Typical diameters of the nuclei of a sharp image: the widest of `DIAMETERS_PX` that keep nearly all of them.

    A range that begins too low splits nuclei, one that begins too high loses them: of those under which the outlined
    area is 90 percent of the largest or more, the one that begins highest is taken.
    """
    areas = [int((nuclei_of(image_yx, diameters) > 0).sum()) for diameters in DIAMETERS_PX]
    return max(one for one, area in zip(DIAMETERS_PX, areas) if area >= _KEPT_SHARE * max(areas))


def _workspace(module: Any, image_yx: np.ndarray) -> Any:
    from cellprofiler_core.image import Image, ImageSetList
    from cellprofiler_core.measurement import Measurements
    from cellprofiler_core.object import ObjectSet
    from cellprofiler_core.pipeline import Pipeline
    from cellprofiler_core.workspace import Workspace

    image_sets = ImageSetList()
    image_set = image_sets.get_image_set(0)
    image_set.add("DNA", Image(image_yx))
    return Workspace(Pipeline(), module, image_set, ObjectSet(), Measurements(), image_sets)
