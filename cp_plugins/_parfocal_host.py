"""What all modules need of CellProfiler: counts of images, blank number settings, checks, missing packages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import numpy as np
from cellprofiler_core.setting import ValidationError
from cellprofiler_core.setting.text import Float

if __package__:
    from . import _parfocal_engine as engine
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_engine as engine

# CellProfiler divides 8-bit and 16-bit pixels by these where it does not go by the file's own maximum.
_BIT_DEPTH_SCALES = (255.0, 65535.0)
# Error of a 16-bit count after division and multiplication in single precision, as a share of the scale.
_ROUNDING = 2e-7


class OptionalFloat(Float):
    """A number setting that may be left blank: its value is then None."""

    def __init__(self, text: str, value: Optional[float] = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(text, value, *args, **kwargs)

    def str_to_value(self, str_value: str) -> Optional[float]:
        """Read a number, or None from blanks."""
        return float(str_value) if str_value.strip() else None

    def value_to_str(self, value: Optional[float]) -> str:
        """Write a number, or nothing for None."""
        return "" if value is None else super().value_to_str(value)

    def test_valid(self, pipeline: Any) -> None:
        """Accept a blank; hold a number to the range (ValidationError)."""
        if self.value_text.strip():
            super().test_valid(pipeline)


@contextmanager
def missing_packages_explained(module_name: str) -> Iterator[None]:
    """Turn a failing import into one that tells the user what to install, and with which Python."""
    try:
        yield
    except ImportError as error:
        if engine.is_elsewhere():
            raise ImportError(f"{module_name}: {engine.trouble(error)}", name=error.name) from error
        package = (error.name or "parfocal").split(".")[0]
        command = f'"{sys.executable}" -m pip install {_install_target(package)}'
        raise ImportError(
            f"{module_name} needs the Python package {package}, which cannot be imported ({error}). "
            f"Install it into CellProfiler's Python and start CellProfiler again:\n    {command}"
            + ("" if package != "parfocal" else f"\nOr leave it as it is, and {engine.advice()}"),
            name=error.name,
        ) from error


def _install_target(package: str) -> str:
    if package != "parfocal":
        return package
    project = Path(__file__).resolve().parents[1]
    return f'"{project}"' if (project / "pyproject.toml").is_file() else "FOLDER_OF_PARFOCAL"


def counts(image: Any, provider: Any = None) -> np.ndarray:
    """Undo CellProfiler's scaling of pixels to 0 to 1.

    Parameters
    ----------
    image : cellprofiler_core.image.Image
    provider : optional
        What the image set loaded the image with; it knows of another scaling than that by the file's own maximum.

    Returns
    -------
    ndarray
        Pixels in the unit of the file: uint8 or uint16 where all of them are whole numbers, else floats. An image
        without a scale is returned as it is.
    """
    return unscaled(image.pixel_data, count_scale(image, provider))


def unscaled(pixels: np.ndarray, scale: Optional[float]) -> np.ndarray:
    """Multiply pixels by the count that stands for 1.0, None where it is not known; see `counts`."""
    if scale is None or scale == 1 or pixels.size == 0:
        return pixels
    values = pixels * np.float32(scale)
    whole = np.rint(values)
    if scale <= _BIT_DEPTH_SCALES[-1] and np.abs(values - whole).max() <= _ROUNDING * scale and whole.min() >= 0:
        return whole.astype(np.uint8 if scale <= _BIT_DEPTH_SCALES[0] else np.uint16)
    return values


def check_pixels(image: Any, image_name: str, provider: Any, in_counts: bool) -> None:
    """Raise ValueError where an image cannot be measured, or does not say what its counts are where they are needed."""
    if image.pixel_data.dtype.kind == "b":
        raise ValueError(f"{image_name} is binary (black and white): select the image that it was made from")
    channels = image.pixel_data.shape[-1] if image.multichannel else 3
    if channels not in (3, 4):
        raise ValueError(f"{image_name} has {channels} channels: split it with ColorToGray and select one of them")
    if in_counts and count_scale(image, provider) is None:
        raise ValueError(
            f"{image_name} does not say which count its value 1.0 stands for, so that black level and saturation level "
            "cannot be applied: select the image as it was loaded, or leave both at their defaults"
        )


def count_scale(image: Any, provider: Any = None) -> Optional[float]:
    """Count that CellProfiler made 1.0; None where an image does not say so."""
    rescale = getattr(provider, "rescale", True)
    if image.scale is None or image.volumetric or rescale is True:
        return None if image.scale is None else float(image.scale)
    if rescale is False:
        return next((scale for scale in _BIT_DEPTH_SCALES if image.scale <= scale), float(image.scale))
    return float(rescale)


def is_bit_depth_scale(scale: Optional[float]) -> bool:
    """Say whether 1.0 stands for the largest count of 8 or 16 bits."""
    return scale in _BIT_DEPTH_SCALES


def check_settings(module: Any, pipeline: Any) -> None:
    """Raise ValidationError with the setting at fault, each by itself and then all together."""
    for setting in module.visible_settings():
        try:
            setting.test_valid(pipeline)
        except ValidationError as error:
            raise ValidationError(f"{setting.text}: {error}", setting) from error
    module.validate_module(pipeline)
