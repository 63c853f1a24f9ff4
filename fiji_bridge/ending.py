"""What ImageJ leaves behind when Python ends."""

from __future__ import annotations

from .optional import need


def end_threads() -> None:
    """End what ImageJ leaves behind and what would keep Python from ending: its pool of threads, stacks, windows."""
    java = need("jpype").JClass
    java("ij.util.ThreadUtil").threadPoolExecutor.shutdown()
    for number in list(java("ij.WindowManager").getIDList() or []):
        image = java("ij.WindowManager").getImage(number)
        image.changes = False  # else it would ask
        image.close()
    for window in java("java.awt.Window").getWindows():
        if isinstance(window, java("ij.gui.NonBlockingGenericDialog")) and window.isShowing():
            # A thread waits for its answer; elsewhere than there, closing waits for itself.
            java("java.awt.EventQueue").invokeAndWait(lambda asking=window: asking.windowClosing(None))
        window.dispose()
