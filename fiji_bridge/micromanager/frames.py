"""Frames as a core hands them over, brought to (y, x)."""

from __future__ import annotations

import sys
import time
from typing import Any, NamedTuple

import numpy as np

from parfocal.focus_control.microscope import CameraError
from parfocal.images.planes import as_planes

from .core_api import CoreApi

_POLL_S = 0.002


class Frame(NamedTuple):
    """A frame of a running sequence, as the core gave it, and its number within the sequence."""

    pixels: Any
    number: int


def snapped_frame(api: CoreApi) -> np.ndarray:
    """Image (y, x) of the last snap."""
    return image_yx(api, api.call("getImage"))


def awaited_frame(api: CoreApi, frames_to_skip: int, wait_s: float) -> np.ndarray:
    """First frame (y, x) of the running sequence that was begun after the call; the buffer is only looked at.

    Parameters
    ----------
    api : CoreApi
    frames_to_skip : int
        Frames that are let pass after the call, since they began before it.
    wait_s : float
        Raises CameraError where none is there until then, or the sequence ends.
    """
    until = time.monotonic() + wait_s
    wanted = None
    while bool(api.call("isSequenceRunning")):
        try:
            frame = newest_frame(api)
        except (CameraError, KeyError):
            raise
        except Exception:  # each core has an error of its own for a buffer that is empty
            frame = None
        if frame is not None:
            # A sequence that was started anew counts from 0.
            if wanted is None or frame.number + frames_to_skip + 1 < wanted:
                wanted = frame.number + frames_to_skip + 1
            if frame.number >= wanted:
                return image_yx(api, frame.pixels)
        if time.monotonic() > until:
            raise CameraError(
                f"no frame of the running sequence within {wait_s:g} s: it stands still, or all are taken by"
                " another reader"
            )
        time.sleep(_POLL_S)
    raise CameraError("the sequence ended before a frame of it was ready")


def newest_frame(api: CoreApi) -> Frame:
    """Newest frame of a running sequence, which stays in the buffer; raises what the core raises while it is empty."""
    if api.has("getLastTaggedImage"):
        tagged = api.call("getLastTaggedImage")
        tags = tagged.tags
        number = tags["ImageNumber"] if isinstance(tags, dict) else tags.get("ImageNumber")
        return Frame(tagged.pix, int(str(number)))
    if api.has("getLastImageAndMD"):
        pixels, about = api.call("getLastImageAndMD")
        return Frame(pixels, int(about["ImageNumber"]))
    about = sys.modules["pymmcore"].Metadata()
    pixels = api.call("getLastImageMD", about)
    return Frame(pixels, int(about.GetSingleTag("ImageNumber").GetValue()))


def image_yx(api: CoreApi, pixels: Any) -> np.ndarray:
    """Copy the pixels of any core to an image (y, x); colours by the mean of red, green and blue (CameraError)."""
    image = np.array(pixels)
    if image.size == 0 or image.dtype.kind not in "iuf":
        raise CameraError(f"the camera gave no image: {image.dtype} of shape {image.shape}")
    if image.dtype.kind == "i":  # Java has no unsigned numbers
        image = image.view(f"u{image.dtype.itemsize}")
    if image.ndim < 3:
        image = _with_axes(api, image)
    return as_planes(image)[0][0]


def _with_axes(api: CoreApi, image: np.ndarray) -> np.ndarray:
    """Pixels in a row to (y, x) or (y, x, colour); those of colours packed into one number apart."""
    if image.ndim == 1:
        height, width = int(api.call("getImageHeight")), int(api.call("getImageWidth"))
        colours, rest = divmod(image.size, height * width)
        if rest or colours not in (1, 3, 4):
            raise CameraError(f"the camera gave {image.size} values for an image of {width} x {height} pixels")
        image = image.reshape((height, width) if colours == 1 else (height, width, colours))
    if image.ndim == 3 or image.dtype.kind == "f" or image.dtype.itemsize < 4:
        return image
    colours = int(api.call("getNumberOfComponents"))
    return image if colours == 1 else image.view(f"u{image.dtype.itemsize // colours}").reshape(*image.shape, -1)
