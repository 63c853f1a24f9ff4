"""A z-stack that lies in files: its planes are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Optional, overload

import numpy as np

from parfocal.images.metadata import ImageMetadata, UnreadableImage
from parfocal.images.odd_sizes import with_odd_sizes
from parfocal.images.planes import as_planes
from parfocal.images.reading import one_line, read_images
from parfocal.images.tiff import TiffImage, open_tiff

TIFF_SUFFIXES = (".tif", ".tiff")


class UnreadablePlane(UnreadableImage):
    """A plane of a stack that cannot be read; `index` is its place in `OpenStack.planes`."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index, self.reason = index, reason


class Planes(Sequence[np.ndarray]):
    """Planes (y, x) of a stack, read when asked for; colours are averaged."""

    def __init__(self, readers: Sequence[Callable[[], np.ndarray]]) -> None:
        self._readers = tuple(readers)

    def __len__(self) -> int:
        return len(self._readers)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> Planes: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Planes(self._readers[index])
        reader = self._readers[index]
        try:
            return as_planes(reader())[0][0]
        except MemoryError:
            raise
        except Exception as error:  # readers of damaged files raise anything
            raise UnreadablePlane(range(len(self))[index], one_line(error)) from error

    def only(self, indices: Sequence[int]) -> Planes:
        """Those of these indices."""
        return Planes([self._readers[index] for index in indices])


@dataclass(frozen=True)
class OpenStack:
    """A z-stack whose files are there to be read.

    Attributes
    ----------
    path : str
        File, folder or pattern.
    part : str
        Which image of the file it is, where there may be several: such as `c1`.
    planes : Planes
        All planes, also those with a reason.
    names : tuple of str
        File of each plane, or nothing where one file holds all.
    reasons : tuple of str
        For each plane nothing, or why it cannot be used.
    z_um : tuple or None
        Position of each plane that the files state, um (None for a plane without one); None without any.
    metadata : ImageMetadata
    """

    path: str
    part: str
    planes: Planes = field(repr=False)
    names: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    z_um: Optional[tuple[Optional[float], ...]] = None
    metadata: ImageMetadata = field(default_factory=ImageMetadata)


def open_stacks(path: Path) -> Iterator[OpenStack]:
    """Give the stacks of one file, one for each series, time and channel; a single plane is a stack of one.

    The planes of a stack can be read until the next one is taken.

    Raises
    ------
    UnreadableImage
        Where the file is damaged or of an unknown kind.
    FileNotFoundError
        Where there is no such file.
    """
    if path.suffix.lower() not in TIFF_SUFFIXES or not path.exists() or path.stat().st_size == 0:
        for item in read_images(path):
            pixels = as_planes(item.pixels)[0]
            readers = [partial(np.asarray, plane) for plane in pixels]
            empty = ("",) * len(readers)
            yield OpenStack(str(path), _part(item.metadata), Planes(readers), empty, empty, None, item.metadata)
        return
    try:
        yield from _open_tiff(path)
    except (UnreadableImage, MemoryError, OSError, GeneratorExit):
        raise
    except Exception as error:  # as in read_images
        raise UnreadableImage(f"{type(error).__name__}: {one_line(error)}") from error


def single_planes(stack: OpenStack) -> Iterator[OpenStack]:
    """Give each plane of a stack as a stack of its own; `part` tells them apart."""
    for index, (name, reason) in enumerate(zip(stack.names, stack.reasons)):
        yield replace(
            stack,
            part=f"{stack.part} z{index}".strip() if len(stack.planes) > 1 else stack.part,
            planes=stack.planes.only([index]),
            names=(name,),
            reasons=(reason,),
            z_um=None if stack.z_um is None else (stack.z_um[index],),
        )


def _open_tiff(path: Path) -> Iterator[OpenStack]:
    with open_tiff(path) as images:
        for first in images:
            if first.is_plain:
                # Pages of different size come as several images; they are one stack all the same, in their order.
                yield _in_order_of_pages(path, [first, *images])
            else:
                yield _tiff_stack(path, first)


def _tiff_stack(path: Path, image: TiffImage) -> OpenStack:
    numbers = range(len(image.planes))
    return OpenStack(
        path=str(path),
        part=_part(image.metadata),
        planes=Planes([partial(image.planes.__getitem__, number) for number in numbers]),
        names=("",) * len(numbers),
        reasons=tuple(image.planes.missing(number) for number in numbers),
        z_um=image.z_um,
        metadata=image.metadata,
    )


def _in_order_of_pages(path: Path, images: Sequence[TiffImage]) -> OpenStack:
    whole = _tiff_stack(path, images[0])
    if len(images) == 1:
        return whole
    pages = sorted(
        (page.index, which, number)
        for which, image in enumerate(images)
        for number, page in enumerate(image.planes.pages)
    )
    planes = [images[which].planes for _, which, _ in pages]
    numbers = [number for *_, number in pages]
    missing = [plane.missing(number) for plane, number in zip(planes, numbers)]
    z_um = [(images[which].z_um or {number: None})[number] for _, which, number in pages]
    return replace(
        whole,
        planes=Planes([partial(plane.__getitem__, number) for plane, number in zip(planes, numbers)]),
        names=("",) * len(pages),
        reasons=with_odd_sizes(missing, [plane.shape_yx for plane in planes]),
        z_um=None if all(z is None for z in z_um) else tuple(z_um),
    )


def _part(about: ImageMetadata) -> str:
    """Tell the images of a file apart."""
    numbers = (("s", about.series), ("t", about.time), ("c", about.channel))
    return "_".join(f"{letter}{number}" for letter, number in numbers if number)
