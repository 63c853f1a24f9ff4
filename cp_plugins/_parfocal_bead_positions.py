"""z of the planes of a stack, and the pixel size: from settings, metadata of the image sets, or the image files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from cellprofiler_core.constants.measurement import (
    C_FILE_NAME,
    C_FRAME,
    C_METADATA,
    C_PATH_NAME,
    C_SERIES,
    IMAGE,
)

if __package__:
    from . import _parfocal_bead_settings as bead_settings
    from . import _parfocal_engine as engine
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_bead_settings as bead_settings
    import _parfocal_engine as engine


class Sources:
    """Where the positions of one stack come from.

    Parameters
    ----------
    module : MeasureBeadFocalPlane
    measurements : cellprofiler_core.measurement.Measurements
    image_numbers : sequence of int
        An image set for each plane, or one for all planes.
    n_planes : int
    """

    def __init__(self, module: Any, measurements: Any, image_numbers: tuple[int, ...], n_planes: int) -> None:
        self._module, self._measurements = module, measurements
        self._numbers, self._n_planes = image_numbers, n_planes
        self._files: dict[tuple[Path, int], Any] = {}

    def z_um(self) -> tuple[np.ndarray, str]:
        """Positions (n_planes,), um, NaN where one is missing, and why it is; a single image lies at 0.

        Raises
        ------
        ValueError, OSError
            Where nothing is known of them; the message says what is missing.
        """
        if self._module.single:
            return np.zeros(1), ""
        source = self._module.z_source.value
        if source == bead_settings.Z_METADATA:
            return self._from_metadata(), f"its metadata {self._module.z_tag.value.strip()} is no number"
        if source == bead_settings.Z_FILE:
            return self._from_files(), "its file states no position"
        return self._steps(self._module.z_step_um.value), ""

    def pixel_size_um(self) -> float:
        """Pixel size of the setting, else of the file, um.

        Raises
        ------
        ValueError, OSError
            Where neither says it.
        """
        if self._module.pixel_size_um.value is not None:
            return self._module.pixel_size_um.value
        file = self._file(self._numbers[0])
        if file.pixel_size_um is None:
            raise ValueError(f"{file.path.name} does not say how large a pixel is: enter the pixel size")
        return file.pixel_size_um

    def _steps(self, step_um: float) -> np.ndarray:
        return step_um * np.arange(self._n_planes, dtype=float)

    def _from_metadata(self) -> np.ndarray:
        tag, factor = self._module.z_tag.value.strip(), self._module.z_factor_um.value
        feature = f"{C_METADATA}_{tag}"
        if not self._measurements.has_feature(IMAGE, feature):
            raise ValueError(f"the image sets have no metadata {tag}: extract it in Metadata")
        z = factor * np.array([_number(self._image_value(feature, number)) for number in self._numbers])
        if not np.isfinite(z).any():
            text = self._image_value(feature, self._numbers[0])
            raise ValueError(f"the metadata {tag} must be a number, got {text!r}")
        return z if self._module.grouped else self._steps(float(z[0]))

    def _from_files(self) -> np.ndarray:
        files = [self._file(number) for number in self._numbers]
        if self._module.grouped and all(file.n_planes == 1 for file in files):
            known = [None if file.z_um is None else file.z_um[0] for file in files]
            order = list(range(len(files)))
        elif files[0].n_planes == self._n_planes and len(set(files)) == 1:
            known = list(files[0].z_um or (None,) * self._n_planes)
            order = self._order_in_file()
        else:
            raise ValueError(
                f"the stack has {self._n_planes} planes, its file {files[0].path.name} has {files[0].n_planes}"
            )
        if any(z is not None for z in known):
            return np.array([math.nan if z is None else z for z in known])[order]
        if files[0].z_step_um is None:
            raise ValueError(f"{files[0].path.name} does not say where its planes lie along z")
        return self._steps(files[0].z_step_um)[order]

    def _order_in_file(self) -> list[int]:
        """Rank of each plane among the frames of the file."""
        if not self._module.grouped:
            return list(range(self._n_planes))
        frames = [self._optional(C_FRAME, number) for number in self._numbers]
        return [int(rank) for rank in np.argsort(np.argsort(frames, kind="stable"), kind="stable")]

    def _file(self, number: int) -> Any:
        """What a file says of its planes: `parfocal.images.plane_places.PlanePlaces`."""
        name = self._module.image_name.value
        folder, file = f"{C_PATH_NAME}_{name}", f"{C_FILE_NAME}_{name}"
        if not self._measurements.has_feature(IMAGE, file):
            raise ValueError(
                f"{name} was not loaded from a file, which could say where the planes lie: select an image"
            )
        path = Path(self._image_value(folder, number)) / self._image_value(file, number)
        series = self._optional(C_SERIES, number)
        if (path, series) not in self._files:
            self._files[path, series] = engine.call("read_plane_places", path, series)
        return self._files[path, series]

    def _optional(self, category: str, number: int) -> int:
        feature = f"{category}_{self._module.image_name.value}"
        return int(self._image_value(feature, number) or 0) if self._measurements.has_feature(IMAGE, feature) else 0

    def _image_value(self, feature: str, number: int) -> Any:
        return self._measurements.get_measurement(IMAGE, feature, number)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan
