"""Images as a window shows them: planes stretched to grey, as PNG, the next image prepared ahead."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parfocal.images.metadata import UnreadableImage
from parfocal.images.open_stack import OpenStack, UnreadablePlane, open_stacks

# The darkest and brightest pixels that the picture keeps apart, in percent.
CONTRAST_PERCENTILES = (0.5, 99.9)
# Below 1 lifts dim cells.
DEFAULT_GAMMA = 0.7
_KEPT_FILES, _KEPT_PICTURES = 3, 24


@dataclass(frozen=True)
class Look:
    """What there is to see of an image: number of planes (1 where it is no stack), and the plane to show first."""

    n_planes: int
    plane: int


def grey_picture(image_yx: np.ndarray, gamma: float) -> np.ndarray:
    """Stretch the contrast of a plane to 8 bits; NaN, infinity and constant planes are black.

    Parameters
    ----------
    image_yx : ndarray
        Plane (y, x), any intensity unit.
    gamma : float
        Exponent on the stretched intensity, above 0; below 1 lifts what is dim.
    """
    finite = np.isfinite(image_yx)
    if not finite.any():
        return np.zeros(image_yx.shape, np.uint8)
    seen = image_yx[finite]
    low, high = np.percentile(seen, CONTRAST_PERCENTILES)
    if high <= low:
        low, high = float(seen.min()), float(seen.max())
    if high <= low:
        return np.zeros(image_yx.shape, np.uint8)
    # Limited before it is rounded to float32: doubles may be larger than that can hold.
    shade = (np.clip(np.where(finite, image_yx, low), low, high) - low) / (high - low)
    return np.rint(255 * np.asarray(shade, np.float32) ** gamma).astype(np.uint8)


class Pictures:
    """Planes of files as PNG; the last ones are kept, and pictures are made in threads.

    Of a file with several images the first of the chosen channel is shown: its first series and time.

    Parameters
    ----------
    channel : int
        From 0.
    """

    def __init__(self, channel: int = 0) -> None:
        self.channel = channel
        self._reading, self._noting = threading.Lock(), threading.Lock()
        self._files: OrderedDict[Path, tuple[OpenStack, Iterator[OpenStack]]] = OrderedDict()
        self._pictures: OrderedDict[tuple[Path, int, float], Future[bytes]] = OrderedDict()
        self._pool = ThreadPoolExecutor(2, "pictures")
        self.gamma = DEFAULT_GAMMA

    def look(self, path: Path) -> Look:
        """Find the plane to show first: the middle one, or the one nearest to it that can be read.

        Raises
        ------
        UnreadableImage, OSError
            Where not one plane can be read.
        """
        with self._reading:
            n_planes = len(self._open(path).planes)
        if not n_planes:
            raise UnreadableImage("the file holds no plane")
        reason = UnreadableImage("")
        for plane in sorted(range(n_planes), key=lambda index: abs(index - n_planes // 2)):
            try:
                self.png(path, plane, self.gamma)
                return Look(n_planes, plane)
            except UnreadablePlane as error:
                reason = error
        raise reason

    def png(self, path: Path, plane: int, gamma: float) -> bytes:
        """Give a plane as PNG.

        Raises
        ------
        UnreadableImage, OSError
            Where it cannot be read.
        """
        return self._picture(path, plane, gamma).result()

    def prepare(self, path: Path) -> None:
        """Begin to make the picture that `look` will want; what cannot be read is found out then."""
        self._pool.submit(self._prepared, path)

    def close(self) -> None:
        """End the threads and close the files."""
        self._pool.shutdown(wait=True)
        with self._reading:
            while self._files:
                self._close_oldest()

    def _prepared(self, path: Path) -> None:
        with self._reading:
            n_planes = len(self._open(path).planes)
        if n_planes:
            self._picture(path, n_planes // 2, self.gamma)

    def _picture(self, path: Path, plane: int, gamma: float) -> Future[bytes]:
        key = (path, plane, gamma)
        with self._noting:
            if key not in self._pictures:
                self._pictures[key] = self._pool.submit(self._make, path, plane, gamma)
            self._pictures.move_to_end(key)
            while len(self._pictures) > _KEPT_PICTURES:
                self._pictures.popitem(last=False)
            return self._pictures[key]

    def _make(self, path: Path, plane: int, gamma: float) -> bytes:
        import imageio.v3 as iio

        with self._reading:
            image_yx = np.asarray(self._usable(path, plane))
        if not image_yx.size:
            raise UnreadableImage(f"the image has no pixels, its shape is {image_yx.shape}")
        out = io.BytesIO()
        # Without loss, since defocus is judged by it, and packed lightly, since it goes no further than this machine.
        iio.imwrite(out, grey_picture(image_yx, gamma), extension=".png", plugin="pillow", compress_level=1)
        return out.getvalue()

    def _usable(self, path: Path, plane: int) -> np.ndarray:
        stack = self._open(path)
        if stack.reasons and stack.reasons[plane]:
            raise UnreadablePlane(plane, stack.reasons[plane])
        return stack.planes[plane]

    def _open(self, path: Path) -> OpenStack:
        """Open a file, or take it from those that are open; only while `_reading` is held."""
        if path not in self._files:
            images = open_stacks(path)
            try:
                chosen = next((image for image in images if image.metadata.channel == self.channel), None)
            except ValueError as error:  # axes that are no image
                raise UnreadableImage(str(error)) from error
            if chosen is None:
                raise UnreadableImage(f"the file has no image of channel {self.channel}")
            self._files[path] = (chosen, images)
            if len(self._files) > _KEPT_FILES:
                self._close_oldest()
        self._files.move_to_end(path)
        return self._files[path][0]

    def _close_oldest(self) -> None:
        _, images = self._files.popitem(last=False)[1]
        images.close()  # type: ignore[attr-defined]  # a generator: closing it closes the file
