"""Restoring CellProfiler's images with `parfocal`, which is imported when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from cellprofiler_core.image import Image

if __package__:
    from . import _parfocal_engine as engine
    from . import _parfocal_host as host
    from . import _parfocal_restore_origin as origin
    from . import _parfocal_restore_settings as restore_settings
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_engine as engine
    import _parfocal_host as host
    import _parfocal_restore_origin as origin
    import _parfocal_restore_settings as restore_settings


@dataclass(frozen=True)
class RestoredImage:
    """What became of the image of an image set.

    Attributes
    ----------
    image : cellprofiler_core.image.Image
        The input image.
    restoration : parfocal.restoration.result.Restoration
        In counts.
    pixels : ndarray
        The restored image on CellProfiler's scale; the pixels of the input image where nothing was restored.
    error : ndarray or None
        The uncertainty on the same scale.
    kept : float
        Share of the intensity of the main plane that was not cut off at the upper end of the scale.
    """

    image: Image
    restoration: Any
    pixels: np.ndarray
    error: Optional[np.ndarray]
    kept: float

    def features(self) -> dict[str, float]:
        """Numbers, by name."""
        numbers: dict[str, float] = self.restoration.features()
        return {**numbers, "IntensityRatio": numbers["IntensityRatio"] * self.kept}

    def texts(self) -> dict[str, str]:
        """Text measurements."""
        from parfocal.restoration.conserve import INTENSITY_TOLERANCE

        found = self.restoration
        warnings = [*found.warnings, *(["cut_off"] if self.kept < 1 - INTENSITY_TOLERANCE else [])]
        texts = {"Status": found.status, "Reason": found.reason, "Warnings": ", ".join(warnings)}
        return {**texts, "Provenance": found.provenance}

    def restored_image(self) -> Image:
        """The image that goes out, with the mask, the scale and the file of the input image."""
        made = self._image(self.pixels)
        if self.restoration.restored:
            origin.mark(made, self.restoration.provenance)
        return made

    def error_image(self) -> Image:
        """The uncertainty as an image."""
        return self._image(self.error)

    def _image(self, pixels: Optional[np.ndarray]) -> Image:
        image = self.image
        kept = {"dimensions": image.dimensions, "channelstack": image.channelstack}
        made = Image(pixels, parent_image=image, convert=False, **kept)
        made.channel_names = image.channel_names
        return made

    def main_index(self) -> int:
        """Place of the plane that stands for the image."""
        found: int = self.restoration.planes.index(self.restoration.main_plane)
        return found


def restore(module: Any, workspace: Any) -> RestoredImage:
    """Restore the image of an image set, or say why it is left alone.

    Raises
    ------
    ValueError
        Where the image is none that can be restored; the message names it.
    """
    name, arguments = module.image_name.value, module.arguments()
    image = workspace.image_set.get_image(name)
    provider = workspace.image_set.get_image_provider(name)
    host.check_pixels(image, name, provider, arguments["saturation_level"] is not None)
    try:
        restoration = _left_alone(module, workspace, image)
        if restoration is None:
            restoration = engine.call("restore_defocus", host.counts(image, provider), **arguments)
    except engine.Lost as error:
        from parfocal import status

        restoration = _unchanged(image, status.UNREADABLE, f"{name}: {error}")
    scale = host.count_scale(image, provider) or 1.0
    pixels, kept = _to_scale(image, restoration, scale)
    error = None
    if arguments.get("uncertainty"):
        error = _error(image, restoration, scale)
    return RestoredImage(image, restoration, pixels, error, kept)


def _left_alone(module: Any, workspace: Any, image: Image) -> Any:
    """Result for an image that is not even looked at, with the reason; None for one that is."""
    from parfocal import status

    found, reason = _condition(module, workspace)
    before = "" if reason else origin.restored_before(workspace, module, module.image_name.value)
    if before:
        found, reason = status.ALREADY_RESTORED, before
    return _unchanged(image, found, reason) if reason else None


def _unchanged(image: Image, status: str, reason: str) -> Any:
    from parfocal.restoration.result import PlaneRestoration, Restoration

    return Restoration(image.pixel_data, None, (PlaneRestoration(status=status, reason=reason),))


def _condition(module: Any, workspace: Any) -> tuple[str, str]:
    """Say why the measurement rules out that an image is restored, with a status; an empty reason where it does not."""
    from parfocal import status

    if module.when.value == restore_settings.ALWAYS:
        return status.OK, ""
    name = module.measurement.value
    value = origin.current_value(workspace.measurements, name)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return status.NOT_FINITE, f"not restored, since {name} is no number: {value!r}"
    if np.isnan(number):
        return status.NOT_FINITE, f"not restored, since {name} is NaN"
    low, high = module.smallest_value.value, module.largest_value.value
    if low is not None and number < low:
        return status.OK, f"not restored, since {name} is {number:.4g}, below {low:g}"
    if high is not None and number > high:
        return status.OK, f"not restored, since {name} is {number:.4g}, above {high:g}"
    return status.OK, ""


def _to_scale(image: Image, restoration: Any, scale: float) -> tuple[np.ndarray, float]:
    """Bring counts to the scale of the input image, planes that were left alone as they were.

    Modules such as SaveImages refuse values above 1: what restoring made brighter than that is cut off, unless the
    input image went beyond. The share of intensity that was kept in the main plane comes with it.
    """
    if not restoration.restored:
        return image.pixel_data, 1.0
    pixels, kept = image.pixel_data.copy(), 1.0
    planes = pixels if image.volumetric else pixels[None]
    counts = restoration.image if image.volumetric else restoration.image[None]
    for plane, answer, restored in zip(planes, restoration.planes, counts):
        if not answer.restored:
            continue
        limit = max(1.0, float(plane.max()))
        scaled = restored.astype(plane.dtype) / plane.dtype.type(scale)
        plane[...] = np.minimum(scaled, limit)
        if answer is restoration.main_plane:
            total = scaled.sum(dtype=np.float64)
            kept = float(plane.sum(dtype=np.float64) / total) if total else 1.0
    return pixels, kept


def _error(image: Image, restoration: Any, scale: float) -> np.ndarray:
    if restoration.uncertainty is None:
        return np.zeros(image.pixel_data.shape, np.float32)
    # Like the image itself: not above 1, which other modules refuse.
    return np.minimum(restoration.uncertainty / np.float32(scale), max(1.0, float(np.nanmax(image.pixel_data))))
