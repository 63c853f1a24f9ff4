"""Images of ImageJ as arrays, and arrays as its images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import numpy as np
from jpype import JArray, JByte, JClass, JFloat, JInt, JShort

from parfocal.answers import calibrated_um
from parfocal.images.plane_stack import PlaneStack
from parfocal.images.planes import as_planes

from .places import Place, label_of

_SIGNED_ZERO = 32768


def current_image() -> Any:
    """The image that is in front; ValueError where none is open."""
    image = JClass("ij.WindowManager").getCurrentImage()
    if image is None:
        raise ValueError("no image is open: open one first")
    return image


@contextmanager
def held(image: Any) -> Iterator[None]:
    """Keep the pixels of an image while it is worked on, also where its window is closed meanwhile.

    Raises
    ------
    ValueError
        Where another command works on the image, or it has no planes, as when it was closed before.
    """
    title = image.getTitle()
    if not image.lockSilently():
        raise ValueError(f"{title} is in use by another command: try again when that has ended")
    try:
        if image.getStack().size() == 0:
            raise ValueError(f"{title} must have planes, it has none: it was closed or is empty, open it again")
        yield
    finally:
        image.unlock()


def pixels_of(image: Any, places: Sequence[Place]) -> np.ndarray:
    """Pixels (y, x) of a plane or (plane, y, x) of several, colours last (ValueError where there are none)."""
    read = _reader(image)
    return read(places[0]) if len(places) == 1 else np.stack([read(place) for place in places])


def planes_of(image: Any, places: Sequence[Place]) -> Any:
    """The same, but of several planes a `PlaneStack`: a virtual stack need not fit into memory."""
    read = _reader(image)
    if len(places) == 1:
        return read(places[0])
    shape = (len(places), image.getHeight(), image.getWidth())
    kind = {8: np.uint8, 16: np.uint16, 24: np.uint8}.get(image.getBitDepth(), np.float32)
    signed = image.getCalibration().isSigned16Bit()
    return PlaneStack(lambda index: as_planes(read(places[index]))[0][0], shape, np.int32 if signed else kind)


def _reader(image: Any) -> Callable[[Place], np.ndarray]:
    """What reads a plane, with the stack that the image has now: it loses it when it is closed."""
    stack, title, signed = image.getStack(), image.getTitle(), image.getCalibration().isSigned16Bit()

    def read(place: Place) -> np.ndarray:
        processor = stack.getProcessor(image.getStackIndex(*place))
        plane = None if processor is None or processor.getPixels() is None else _plane(processor)
        if plane is None or (stack.isVirtual() and not plane.any() and _is_gone(image)):
            raise ValueError(f"{title} must have pixels, its file can no longer be read: open it again")
        return plane.astype(np.int32) - _SIGNED_ZERO if signed else plane

    return read


def _is_gone(image: Any) -> bool:
    """Whether the file of an image is no longer there: of a virtual stack ImageJ then gives black planes."""
    info = image.getOriginalFileInfo()
    if info is None or not info.directory or not info.fileName:
        return False
    return not Path(str(info.directory), str(info.fileName)).exists()


def selection_of(image: Any) -> Optional[np.ndarray]:
    """Mask (y, x) of the selection, None where there is none; ValueError for one without an area."""
    roi = image.getRoi()
    if roi is None:
        return None
    if not roi.isArea():
        raise ValueError(f"the selection must have an area, got {roi.getTypeAsString()}: choose another or none")
    return _plane(image.createRoiMask()) > 0


def lengths_um(image: Any) -> dict[str, float]:
    """Pixel size and distance of planes in um, where the calibration states them."""
    calibration = image.getCalibration()
    if not calibration.scaled():
        return {}
    distance = float(calibration.pixelDepth) if image.getNSlices() > 1 else None
    return calibrated_um(str(calibration.getUnit()), float(calibration.pixelWidth), distance)


def image_like(image: Any, pixels: np.ndarray, title: str, info: str) -> Any:
    """Make an image of pixels that came from another: its calibration, display range and selection are kept."""
    coloured = pixels.shape[-1] == 3 and image.getType() == image.COLOR_RGB
    planes = pixels if pixels.ndim == 3 + coloured else pixels[None]
    if image.getCalibration().isSigned16Bit() and planes.dtype.kind == "i":
        planes = planes + _SIGNED_ZERO
    stack = JClass("ij.ImageStack")(planes.shape[2], planes.shape[1])
    for plane in planes:
        stack.addSlice(processor_of(plane))
    made = JClass("ij.ImagePlus")(title, stack)
    made.setCalibration(image.getCalibration())
    if planes.dtype.kind == "f":
        made.getCalibration().disableDensityCalibration()
    _show_like(made, image)
    before = image.getInfoProperty()
    made.setProperty("Info", info if before is None else f"{info}\n{before}")
    return made


def part_of(image: Any, places: Sequence[Place], title: str) -> Any:
    """Some planes of an image as a stack of their own; calibration, labels, look-up table and selection are kept."""
    source, stack = image.getStack(), JClass("ij.ImageStack")(image.getWidth(), image.getHeight())
    for place in places:
        number = image.getStackIndex(*place)
        stack.addSlice(
            source.getSliceLabel(number) or label_of(image, [place]), source.getProcessor(number).duplicate()
        )
    made = JClass("ij.ImagePlus")(title, stack)
    if len(places) == 1:
        made.setProp("Slice_Label", stack.getSliceLabel(1))  # a single plane has no label of its own
    made.setCalibration(image.getCalibration())
    _show_like(made, image)
    if image.getInfoProperty() is not None:
        made.setProperty("Info", image.getInfoProperty())
    return made


def _show_like(made: Any, image: Any) -> None:
    """Give an image selection, look-up table and display range of another, as far as it can have them."""
    if image.getRoi() is not None:
        made.setRoi(image.getRoi().clone())
    if made.getType() == image.getType() != image.COLOR_RGB:
        made.setLut(image.getProcessor().getLut())
        made.setDisplayRange(image.getDisplayRangeMin(), image.getDisplayRangeMax())


def _plane(processor: Any) -> np.ndarray:
    values = np.asarray(processor.getPixels())
    shape_yx = (processor.getHeight(), processor.getWidth())
    if values.dtype == np.int32:
        colours = [(values >> shift) & 255 for shift in (16, 8, 0)]
        return np.stack(colours, axis=-1).astype(np.uint8).reshape(*shape_yx, 3)
    if values.dtype == np.int8:
        values = values.view(np.uint8)
    elif values.dtype == np.int16:
        values = values.view(np.uint16)
    return values.reshape(shape_yx).copy()


def processor_of(plane: np.ndarray) -> Any:
    """A plane (y, x), colours last, as ImageJ has it."""
    height, width = plane.shape[:2]
    if plane.ndim == 3:
        red, green, blue = np.moveaxis(plane.astype(np.int32), -1, 0)
        values = (red << 16 | green << 8 | blue).ravel()
        return JClass("ij.process.ColorProcessor")(width, height, JArray(JInt)(values))
    if plane.dtype.kind == "f":
        values = np.ascontiguousarray(plane, np.float32).ravel()
        return JClass("ij.process.FloatProcessor")(width, height, JArray(JFloat)(values))
    if plane.dtype == np.uint8:
        values = np.ascontiguousarray(plane).view(np.int8).ravel()
        return JClass("ij.process.ByteProcessor")(width, height, JArray(JByte)(values))
    values = np.ascontiguousarray(plane, np.uint16).view(np.int16).ravel()
    return JClass("ij.process.ShortProcessor")(width, height, JArray(JShort)(values), None)
