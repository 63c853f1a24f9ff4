"""Which planes of an image of ImageJ are measured together, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Place of a plane in a hyperstack, each number from 1."""

    channel: int
    slice: int
    frame: int


def shown_places(image: Any) -> tuple[Place, ...]:
    """Planes of the channel and time point that are shown."""
    return tuple(Place(image.getC(), z + 1, image.getT()) for z in range(image.getNSlices()))


def current_place(image: Any) -> Place:
    """Plane that is shown."""
    return Place(image.getC(), image.getZ(), image.getT())


def all_places(image: Any) -> list[tuple[Place, ...]]:
    """The same for each time point; where a time point is a single plane, all of them together."""
    n_slices, frames = image.getNSlices(), range(1, image.getNFrames() + 1)
    if n_slices == 1:
        return [tuple(Place(image.getC(), 1, t) for t in frames)]
    return [tuple(Place(image.getC(), z + 1, t) for z in range(n_slices)) for t in frames]


def label_of(image: Any, places: Sequence[Place]) -> str:
    """Title of an image, with channel, slice and time point where it has several and the planes have one."""
    counts = Place(image.getNChannels(), image.getNSlices(), image.getNFrames())
    texts = [str(image.getTitle())]
    for letter, count, numbers in zip("czt", counts, zip(*places)):
        if count > 1 and len(set(numbers)) == 1:
            texts.append(f"{letter}{numbers[0]}")
    return ":".join(texts)
