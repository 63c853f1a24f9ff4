"""ImageJ's window that shows the images of a session of labelling, and takes keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from jpype import JArray, JByte, JClass

from parfocal.labels.desk import Seen
from parfocal.labels.told import window_texts

from .listeners import Closing, Keys, Moved

_PAN_PX = 80
# Part of the screen that an image may take.
_SHARE_OF_SCREEN = 0.7
_NARROWEST_PX, _MESSAGE_SHAPE_YX = 640, (240, 640)


class Front(Protocol):
    """What the window tells."""

    def press(self, key: str) -> None:
        """A key was pressed."""

    def show_plane(self, plane: int) -> None:
        """The bar of planes was moved."""

    def close(self) -> None:
        """The window was closed."""


class LabelWindow:
    """One window for all images; to be made and used on the event queue."""

    def __init__(self, front: Front) -> None:
        self._front, self._closed, self._seen = front, False, Seen(None)
        self._image = JClass("ij.ImagePlus")("Label Images", _processor(np.zeros(_MESSAGE_SHAPE_YX, np.uint8)))
        self._image.show()
        self._window = self._image.getWindow()
        self._keys = Keys(self._pressed)
        self._bar = _planes_bar(self._moved)
        self._texts = [JClass("java.awt.Label")() for _ in range(4)]
        for component in (self._bar, *self._texts):
            component.setFocusable(False)
            self._window.add(component)
        for component in (self._window, self._window.getCanvas()):
            for listener in component.getKeyListeners():  # ImageJ's own: S would save the image
                component.removeKeyListener(listener)
            component.addKeyListener(self._keys)
        self._window.addWindowListener(Closing(self._end))
        self._window.getCanvas().disablePopupMenu(True)

    def show(self, seen: Seen, left_out: Sequence[str]) -> None:
        """Show an image, and what there is to say."""
        if self._closed:
            return
        before, self._seen = self._seen, seen
        picture_yx = _message(seen.lines) if seen.picture_yx is None else seen.picture_yx
        name = "Label Images" if seen.view is None else seen.view.file
        self._image.setProcessor(name, _processor(picture_yx))
        self._image.changes = False
        same = before.view is not None and seen.view is not None and before.view.number == seen.view.number
        self._place(
            picture_yx.shape, seen.pixels or seen.picture_yx is None, keep=same and before.pixels == seen.pixels
        )
        self._tell(seen, left_out)
        self._window.getCanvas().requestFocus()

    def _tell(self, seen: Seen, left_out: Sequence[str]) -> None:
        view, stack = seen.view, seen.view is not None and seen.view.n_planes > 1
        if stack:
            self._bar.setValues(seen.plane, 1, 0, view.n_planes)
        for label, text in zip(self._texts, window_texts(seen, left_out)):
            label.setText(text)
        self._bar.setVisible(stack)
        self._window.pack()

    def _place(self, shape_yx: tuple[int, ...], pixels: bool, keep: bool) -> None:
        """Fit the image into its part of the screen, or show it pixel for pixel, its middle or where it was."""
        height, width = shape_yx[:2]
        canvas, old = self._window.getCanvas(), self._window.getCanvas().getSrcRect()
        screen = JClass("ij.gui.GUI").getMaxWindowBounds(self._window)
        most_x, most_y = int(screen.width * _SHARE_OF_SCREEN), int(screen.height * _SHARE_OF_SCREEN)
        scale = 1.0 if pixels else min(most_x / width, most_y / height)
        shown_x, shown_y = min(width, round(most_x / scale)), min(height, round(most_y / scale))
        x, y = (old.x, old.y) if keep and pixels else ((width - shown_x) // 2, (height - shown_y) // 2)
        drawn_x, drawn_y = max(1, round(shown_x * scale)), max(1, round(shown_y * scale))
        canvas.setSize(drawn_x, drawn_y)
        canvas.setSourceRect(JClass("java.awt.Rectangle")(x, y, shown_x, shown_y))
        wide = max(drawn_x, _NARROWEST_PX)
        for component in (self._bar, *self._texts):
            component.setPreferredSize(JClass("java.awt.Dimension")(wide, 20))
        self._window.pack()
        left, top = (
            max(screen.x, min(self._window.getX(), screen.x + screen.width - self._window.getWidth())),
            max(screen.y, min(self._window.getY(), screen.y + screen.height - self._window.getHeight())),
        )
        self._window.setLocation(left, top)
        canvas.repaint()

    def _pressed(self, key: str, shift: bool) -> None:
        if key == "Escape":
            self._window.close()
        elif shift and key.startswith("Arrow"):
            self._pan(key)
        else:
            self._front.press(key)

    def _pan(self, key: str) -> None:
        """Move the part of the image that is seen."""
        canvas = self._window.getCanvas()
        part = canvas.getSrcRect()
        step = max(1, round(_PAN_PX / canvas.getMagnification()))
        x, y = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}[key]
        moved_x = min(max(part.x + x * step, 0), self._image.getWidth() - part.width)
        moved_y = min(max(part.y + y * step, 0), self._image.getHeight() - part.height)
        canvas.setSourceRect(JClass("java.awt.Rectangle")(moved_x, moved_y, part.width, part.height))
        canvas.repaint()

    def _moved(self, plane: int) -> None:
        if plane != self._seen.plane:
            self._front.show_plane(plane)

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._front.close()


def _planes_bar(moved: Any) -> Any:
    scrollbar = JClass("java.awt.Scrollbar")
    bar = scrollbar(scrollbar.HORIZONTAL)
    bar.addAdjustmentListener(Moved(moved))
    return bar


def _processor(picture_yx: np.ndarray) -> Any:
    height, width = picture_yx.shape
    values = JArray(JByte)(np.ascontiguousarray(picture_yx).view(np.int8).ravel())
    return JClass("ij.process.ByteProcessor")(width, height, values)


def _message(lines: Sequence[str]) -> np.ndarray:
    """Lines as a picture, for where there is no image."""
    processor = JClass("ij.process.ByteProcessor")(*_MESSAGE_SHAPE_YX[::-1])
    processor.setValue(255)
    for number, line in enumerate(lines):
        processor.drawString(line, 16, 40 + 24 * number)
    return np.frombuffer(bytes(processor.getPixels()), np.uint8).reshape(_MESSAGE_SHAPE_YX)
