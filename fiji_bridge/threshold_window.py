"""ImageJ's window with a slider that splits the planes of a stack while it moves, and marks them in the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from jpype import JClass, JImplements, JOverride

from parfocal.sorting.preview import COLORS, ThresholdPreview

from .images import processor_of
from .listeners import Clicked, Shown
from .overlays import set_position
from .places import Place, current_place

_PICTURE_YX = (128, 480)
_SLIDER_XY = (330, 18)
# Width of the frame around a plane, as a share of the shorter side of the image.
_FRAME_SHARE, _THINNEST_FRAME_PX = 1 / 60, 2.0
_HELP = (
    "<html><div style='width: 400px'>A bar for each plane: the higher, the more probably defocused. Planes above the "
    "line are defocused. A click on a bar shows its plane, in the image the frame has the same colour. Split makes a "
    "stack of the sharp planes and one of the defocused; planes without an answer are in neither.</div></html>"
)


class ThresholdWindow:
    """The window for an image whose planes have been sorted; the image can be worked with meanwhile."""

    def __init__(self, image: Any, places: Sequence[Place], preview: ThresholdPreview) -> None:
        self._image, self._places, self._preview = image, list(places), preview
        self._threshold = preview.threshold
        self._picture = JClass("ij.ImagePlus")("threshold", processor_of(self._drawn()))
        self._frames = [_frame(image, place) for place in places]

    def choose(self) -> Optional[float]:
        """Show the window and wait: the threshold, None where it was closed without splitting."""
        JClass("ij.IJ").showStatus(self._told())
        JClass("ij.IJ").showProgress(1.0)
        dialog = self._dialog()
        listener = Shown(self._image, self._redraw)
        shown_before = self._image.getOverlay()
        self._mark(shown_before)
        JClass("ij.ImagePlus").addImageListener(listener)
        try:
            dialog.showDialog()
        finally:
            JClass("ij.ImagePlus").removeImageListener(listener)
            self._image.setOverlay(shown_before)
        return None if dialog.wasCanceled() else self._threshold

    def _dialog(self) -> Any:
        dialog = JClass("ij.gui.NonBlockingGenericDialog")(f"Threshold for {self._image.getTitle()}")
        dialog.addMessage("Probability of defocus of each plane, and the threshold:")
        dialog.addImage(self._picture)
        self._panel = dialog.getComponent(dialog.getComponentCount() - 1)
        dialog.addSlider("threshold", 0.0, 1.0, self._threshold, 0.01)
        dialog.getSliders().get(0).setPreferredSize(JClass("java.awt.Dimension")(*_SLIDER_XY))
        dialog.addMessage(self._told())
        self._label = dialog.getMessage()
        dialog.setOKLabel("Split")
        dialog.setCancelLabel("Close")
        dialog.addHelp(_HELP)
        dialog.addDialogListener(_Changed(self._changed))
        self._panel.addMouseListener(Clicked(self._clicked))
        return dialog

    def _changed(self, threshold: float) -> None:
        self._threshold = threshold
        self._label.setText(self._told())
        self._color()
        self._redraw()
        self._image.draw()

    def _clicked(self, x: int) -> None:
        index = int(self._preview.plane_at(x, _PICTURE_YX[1]))
        place = self._places[index]
        self._image.setPosition(*place)

    def _redraw(self) -> None:
        self._picture.setProcessor(processor_of(self._drawn()))
        self._panel.repaint()

    def _drawn(self) -> Any:
        place = current_place(self._image)
        chosen = self._places.index(place) if place in self._places else -1
        return self._preview.picture(self._threshold, chosen, _PICTURE_YX)

    def _told(self) -> str:
        return self._preview.told(self._threshold)

    def _mark(self, before: Any) -> None:
        """Lay the frames over the image, above what lies there already."""
        overlay = JClass("ij.gui.Overlay")() if before is None else before.duplicate()
        self._color()
        for frame in self._frames:
            overlay.add(frame)
        self._image.setOverlay(overlay)
        self._image.setHideOverlay(False)

    def _color(self) -> None:
        for frame, kind in zip(self._frames, self._preview.kinds(self._threshold)):
            frame.setStrokeColor(JClass("java.awt.Color")(*COLORS[kind]))


@JImplements("ij.gui.DialogListener", deferred=True)
class _Changed:
    """Tells where the slider has been moved to."""

    def __init__(self, changed: Any) -> None:
        self._changed = changed

    @JOverride
    def dialogItemChanged(self, dialog: Any, event: Any) -> bool:
        """Pass it on; while no number is written there, nothing can be split."""
        threshold = float(dialog.getNextNumber())
        if dialog.invalidNumber() or not 0 <= threshold <= 1:
            return False
        self._changed(threshold)
        return True


def _frame(image: Any, place: Place) -> Any:
    """Frame around a plane, half of which would lie outside if it were at the edge."""
    width, height = image.getWidth(), image.getHeight()
    stroke = max(_THINNEST_FRAME_PX, min(width, height) * _FRAME_SHARE)
    frame = JClass("ij.gui.Roi")(stroke / 2, stroke / 2, float(width - stroke), float(height - stroke))
    frame.setStrokeWidth(stroke)
    frame.setName("threshold")
    set_position(image, frame, place)
    return frame
