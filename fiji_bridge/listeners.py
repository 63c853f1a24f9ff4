"""What Java calls when keys are pressed, windows closed and bars moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jpype import JImplements, JOverride

from parfocal.labels.keys import HELD_KEYS

# Java's names of keys that print nothing, as browsers name them.
_NAMES = {8: "Backspace", 10: "Enter", 27: "Escape", 37: "ArrowLeft", 38: "ArrowUp", 39: "ArrowRight", 40: "ArrowDown"}
# A key that is held down is let go and pressed anew by some systems, at the same time.
_REPEAT_MS = 5


@JImplements("java.awt.event.KeyListener", deferred=True)
class Keys:
    """Names keys as browsers do; of a key that is held only those pass that go on while it is."""

    def __init__(self, pressed: Callable[[str, bool], None]) -> None:
        self._pressed, self._down, self._released = pressed, set(), {}

    @JOverride
    def keyPressed(self, event: Any) -> None:
        """Name the key and pass it on."""
        code, character = int(event.getKeyCode()), str(event.getKeyChar())
        key = _NAMES.get(code) or (character if character.isprintable() else "")
        held = code in self._down or event.getWhen() - self._released.get(code, -_REPEAT_MS - 1) <= _REPEAT_MS
        self._down.add(code)
        event.consume()
        commanded = event.isControlDown() or event.isMetaDown() or event.isAltDown()
        if key and not commanded and (not held or key in HELD_KEYS):
            self._pressed(key, bool(event.isShiftDown()))

    @JOverride
    def keyReleased(self, event: Any) -> None:
        """Note when it was."""
        self._down.discard(int(event.getKeyCode()))
        self._released[int(event.getKeyCode())] = event.getWhen()

    @JOverride
    def keyTyped(self, event: Any) -> None:
        """Keep it from ImageJ: the press has been passed on."""
        event.consume()


@JImplements("java.awt.event.WindowListener", deferred=True)
class Closing:
    """Tells that a window has been closed."""

    def __init__(self, closed: Callable[[], None]) -> None:
        self._closed = closed

    @JOverride
    def windowClosed(self, event: Any) -> None:
        """Pass it on."""
        self._closed()

    @JOverride
    def windowClosing(self, event: Any) -> None:
        """ImageJ closes it."""

    @JOverride
    def windowOpened(self, event: Any) -> None:
        """Nothing is to be done."""

    @JOverride
    def windowActivated(self, event: Any) -> None:
        """Nothing is to be done."""

    @JOverride
    def windowDeactivated(self, event: Any) -> None:
        """Nothing is to be done."""

    @JOverride
    def windowIconified(self, event: Any) -> None:
        """Nothing is to be done."""

    @JOverride
    def windowDeiconified(self, event: Any) -> None:
        """Nothing is to be done."""


@JImplements("java.awt.event.AdjustmentListener", deferred=True)
class Moved:
    """Tells where a bar has been moved to."""

    def __init__(self, moved: Callable[[int], None]) -> None:
        self._moved = moved

    @JOverride
    def adjustmentValueChanged(self, event: Any) -> None:
        """Pass it on."""
        self._moved(int(event.getValue()))


@JImplements("java.awt.event.MouseListener", deferred=True)
class Clicked:
    """Tells at which column of a component the mouse was pressed."""

    def __init__(self, clicked: Callable[[int], None]) -> None:
        self._clicked = clicked

    @JOverride
    def mousePressed(self, event: Any) -> None:
        """Pass it on."""
        self._clicked(int(event.getX()))

    @JOverride
    def mouseClicked(self, event: Any) -> None:
        """It has been pressed before."""

    @JOverride
    def mouseReleased(self, event: Any) -> None:
        """Nothing is to be done."""

    @JOverride
    def mouseEntered(self, event: Any) -> None:
        """Nothing is to be done."""

    @JOverride
    def mouseExited(self, event: Any) -> None:
        """Nothing is to be done."""


@JImplements("ij.ImageListener", deferred=True)
class Shown:
    """Tells that an image shows another plane, or that its pixels have changed."""

    def __init__(self, image: Any, shown: Callable[[], None]) -> None:
        self._image, self._shown = image, shown

    @JOverride
    def imageUpdated(self, image: Any) -> None:
        """Pass it on where it is this one."""
        if image is not None and image.getID() == self._image.getID():
            self._shown()

    @JOverride
    def imageOpened(self, image: Any) -> None:
        """Nothing is to be done."""

    @JOverride
    def imageClosed(self, image: Any) -> None:
        """What has been measured stays."""
