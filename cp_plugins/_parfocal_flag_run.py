"""Sorting CellProfiler's images with `parfocal`, which is imported when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from cellprofiler_core.image import Image

if __package__:
    from . import _parfocal_engine as engine
    from . import _parfocal_flag_settings as flag_settings
    from . import _parfocal_host as host
    from . import _parfocal_restore_origin as origin
    from ._parfocal_flag_threshold import Threshold
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_engine as engine
    import _parfocal_flag_settings as flag_settings
    import _parfocal_host as host
    import _parfocal_restore_origin as origin
    from _parfocal_flag_threshold import Threshold


@dataclass(frozen=True)
class SortedImage:
    """Whether one image of an image set is defocused.

    Attributes
    ----------
    image_name : str
    image : cellprofiler_core.image.Image
    result : parfocal.sorting.result.DefocusFlag
    threshold : Threshold
    flagged : bool
        Whether the image is flagged: as defocused, or because it has no answer.
    """

    image_name: str
    image: Image
    result: Any
    threshold: Threshold
    flagged: bool

    def features(self) -> dict[str, float]:
        """Numbers, by name."""
        numbers: dict[str, float] = self.result.features()
        return numbers

    def texts(self) -> dict[str, str]:
        """Text measurements."""
        warnings = ", ".join((*self.result.warnings, *self.threshold.warnings))
        return {"Status": self.result.status, "Reason": self.result.reason, "Warnings": warnings}

    def shown_plane(self) -> tuple[np.ndarray, int, int]:
        """Plane that stands for the image, its index, and how many there are."""
        pixels = self.image.pixel_data
        if not self.image.volumetric:
            return pixels, 0, 1
        index = self.result.planes.index(self.result.main_plane)
        return pixels[index], index, len(pixels)


def sort_image(module: Any, workspace: Any, image_name: str, threshold: Threshold) -> SortedImage:
    """Sort one image, unless it has been restored before: it is no longer as the camera saw it.

    Raises
    ------
    ValueError
        Where the image is none that can be sorted; the message names it.
    """
    arguments = {**module.arguments(), "threshold": threshold.value}
    image = workspace.image_set.get_image(image_name)
    provider = workspace.image_set.get_image_provider(image_name)
    host.check_pixels(image, image_name, provider, arguments["saturation_level"] is not None)
    result = _sorted(module, workspace, image_name, host.counts(image, provider), arguments)
    flagged = module.flag_unanswered.value if result.flagged is None else result.flagged
    return SortedImage(image_name, image, result, threshold, bool(flagged))


def _sorted(module: Any, workspace: Any, image_name: str, pixels: np.ndarray, arguments: dict[str, Any]) -> Any:
    """Result of the command, or of an image that has no answer; also where the worker is lost at it."""
    from parfocal import status
    from parfocal.sorting.result import NAN, DefocusFlag, PlaneFlag

    try:
        before, found = origin.restored_before(workspace, module, image_name), status.ALREADY_RESTORED
        if not before:
            return engine.call("flag_defocused", pixels, **arguments)
    except engine.Lost as error:
        before, found = f"{image_name}: {error}", status.UNREADABLE
    threshold = arguments["threshold"]
    return DefocusFlag((PlaneFlag(status=found, reason=before),), NAN if threshold is None else threshold)


def set_flagged(module: Any, images: list[SortedImage]) -> bool:
    """Say whether the image set is flagged."""
    linked = all if module.combination.value == flag_settings.ALL else any
    return linked(image.flagged for image in images)
