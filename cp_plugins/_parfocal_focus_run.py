"""Measuring the focus of CellProfiler's images with `parfocal`, which is imported when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from cellprofiler_core.image import Image

if __package__:
    from . import _parfocal_engine as engine
    from . import _parfocal_host as host
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_engine as engine
    import _parfocal_host as host


@dataclass(frozen=True)
class MeasuredImage:
    """Focus of one image of an image set.

    Attributes
    ----------
    image_name : str
    image : cellprofiler_core.image.Image
    pixels : ndarray
        Its pixels as they were measured, in counts.
    result : parfocal.focus_quality.result.ImageFocus
    objects : dict of dict
        For each name of objects their number, and the estimates by label.
    """

    image_name: str
    image: Image
    pixels: np.ndarray
    result: Any
    objects: dict[str, tuple[int, dict[int, Any]]]

    def texts(self) -> dict[str, str]:
        """Text measurements."""
        estimate = self.result.estimate
        return {"Status": estimate.status, "Reason": estimate.reason, "Warnings": ", ".join(estimate.warnings)}

    def object_features(self) -> dict[str, dict[str, np.ndarray]]:
        """Measurements by name of objects and feature, an array in the order of the object numbers."""
        return {name: _object_columns(count, estimates) for name, (count, estimates) in self.objects.items()}

    def table(self) -> list[tuple[str, str]]:
        """Rows for the window: text, numbers that stand, classical metrics."""
        numbers = {**self.result.features(), **self.result.metrics()}
        rows = [(name, text) for name, text in self.texts().items() if text]
        if not self.image.volumetric:
            del numbers["SharpestPlane"]
        rows += [(name, f"{value:.4g}") for name, value in numbers.items() if np.isfinite(value)]
        for name, columns in self.object_features().items():
            answered = columns["Answered"] > 0
            rows.append((f"{name} answered", f"{int(answered.sum())} of {answered.size}"))
            if answered.any():
                rows.append((f"{name}, median Score", f"{np.median(columns['Score'][answered]):.4g}"))
        return rows

    def overlay_image(self) -> Image:
        """Each plane with its patches, coloured by level."""
        from parfocal.images.planes import as_planes
        from parfocal.report.overlay import draw_overlay

        stack_zyx, _ = as_planes(self.pixels)
        drawn = [draw_overlay(plane, focus.patches) for plane, focus in zip(stack_zyx, self.result.planes)]
        rgb = np.stack(drawn) if self.image.volumetric else drawn[0]
        return Image(rgb, parent_image=self.image, convert=False, dimensions=self.image.dimensions)

    def sharpest_overlay(self) -> np.ndarray:
        """Draw the overlay of the sharpest plane alone, (y, x, 3)."""
        rgb = self.overlay_image().pixel_data
        return rgb[self._sharpest_index()] if self.image.volumetric else rgb

    def sharpest_plane_image(self) -> Image:
        """Give the plane nearest to focus, or the middle one without an answer, on CellProfiler's scale."""
        if not self.image.volumetric:
            return Image(self.image.pixel_data, parent_image=self.image, convert=False)
        index = self._sharpest_index()
        mask = self.image.mask[index] if self.image.has_mask else None
        source = {"path_name": self.image.path_name, "file_name": self.image.file_name}
        return Image(self.image.pixel_data[index], mask=mask, convert=False, scale=self.image.scale, **source)

    def _sharpest_index(self) -> int:
        found: Optional[int] = self.result.sharpest_plane_index
        return len(self.result.planes) // 2 if found is None else found


def measure(workspace: Any, image_name: str, object_names: list[str], arguments: dict[str, Any]) -> MeasuredImage:
    """Measure one image and all objects on it.

    Raises
    ------
    ValueError
        Where the image is none that can be measured, or objects do not fit it; the message names both.
    """
    image = workspace.image_set.get_image(image_name)
    pixels = _pixels(image, image_name, workspace, arguments)
    mask = image.mask if image.has_mask else None
    objects: dict[str, tuple[int, dict[int, Any]]] = {}
    result = None
    for name in object_names:
        segmentation = workspace.object_set.get_objects(name)
        objects[name] = (segmentation.count, {})
        # Objects that overlap come as several label images.
        for labels, _ in segmentation.get_labels():
            _check_shapes(image_name, _spatial_shape(image), name, labels.shape)
            measured = _measured(image_name, pixels, mask, labels, **arguments)
            objects[name][1].update(measured.objects)
            result = result or measured
    if result is None:
        result = _measured(image_name, pixels, mask, **arguments)
    return MeasuredImage(image_name, image, pixels, result, objects)


def _measured(image_name: str, pixels: np.ndarray, *selections: Any, **arguments: Any) -> Any:
    """Result of the command; an image at which the worker is lost has no answer, and the next one can have one."""
    try:
        return engine.call("measure_image_focus", pixels, *selections, **arguments)
    except engine.Lost as error:
        from parfocal import status
        from parfocal.focus_quality.result import FocusEstimate, ImageFocus, PlaneFocus
        from parfocal.images.planes import as_planes

        estimate = FocusEstimate(status=status.UNREADABLE, reason=f"{image_name}: {error}")
        return ImageFocus(estimate, (PlaneFocus(estimate),) * len(as_planes(pixels)[0]))


def _pixels(image: Image, image_name: str, workspace: Any, arguments: dict[str, Any]) -> np.ndarray:
    """Return the counts of an image, or say why it cannot be measured (ValueError)."""
    provider = workspace.image_set.get_image_provider(image_name)
    in_counts = arguments["black_level"] > 0 or arguments["saturation_level"] is not None
    host.check_pixels(image, image_name, provider, in_counts)
    return host.counts(image, provider)


def _spatial_shape(image: Image) -> tuple[int, ...]:
    return image.pixel_data.shape[: image.dimensions]


def _check_shapes(image_name: str, shape: tuple[int, ...], object_name: str, object_shape: tuple[int, ...]) -> None:
    if shape != object_shape:
        raise ValueError(
            f"The image {image_name} and the objects {object_name} must have the same size, "
            f"they have {shape} and {object_shape}: bring them together with Resize, ResizeObjects or Crop"
        )


def _object_columns(count: int, estimates: dict[int, Any]) -> dict[str, np.ndarray]:
    """Columns over the object numbers 1 to count; a number without an object is not answered."""
    columns = {"Score": np.full(count, np.nan), "Certainty": np.full(count, np.nan), "Answered": np.zeros(count)}
    for number, estimate in estimates.items():
        columns["Score"][number - 1] = estimate.defocus_level
        columns["Certainty"][number - 1] = estimate.certainty
        columns["Answered"][number - 1] = float(estimate.answered)
    return columns
