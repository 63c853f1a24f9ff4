"""The window of Hold Focus, as a person uses it; runs in the process of ImageJ."""

from __future__ import annotations

from imagej_window import wait_for
from jpype import JClass


def hold_is_open():
    return hold_frame() is not None


def hold_frame():
    found = [
        w
        for w in JClass("java.awt.Window").getWindows()
        if w.isShowing() and isinstance(w, JClass("javax.swing.JFrame"))
    ]
    return next((w for w in found if str(w.getTitle()) == "Hold Focus"), None)


def parts(component):
    """All components in a window."""
    yield component
    for part in component.getComponents() if hasattr(component, "getComponents") else ():
        yield from parts(part)


def on_queue(act):
    JClass("java.awt.EventQueue").invokeAndWait(act)


def open_hold_window():
    wait_for(hold_frame, "the window of Hold Focus")
    return hold_seen()


def hold_seen():
    """What the window of Hold Focus shows, at one time."""
    seen = {}
    on_queue(lambda: seen.update(_hold_seen()))
    return seen


def _hold_seen():
    components = list(parts(hold_frame().getContentPane()))
    named = {str(part.getName()): part for part in components if part.getName() is not None}
    buttons = [part for part in components if isinstance(part, JClass("javax.swing.JButton")) and part.getText()]
    return {
        "texts": {name: str(part.getText()) for name, part in named.items() if hasattr(part, "getText")},
        "usable": [str(button.getText()) for button in buttons if button.isEnabled()],
    }


def hold_fill(fields):
    def fill():
        for part in parts(hold_frame().getContentPane()):
            if str(part.getName()) in fields:
                value = fields[str(part.getName())]
                part.setSelectedItem(value) if hasattr(part, "setSelectedItem") else part.setText(value)

    on_queue(fill)


def hold_press(name):
    """Press a button."""
    button = next(
        p for p in parts(hold_frame().getContentPane()) if hasattr(p, "doClick") and str(p.getText() or "") == name
    )
    on_queue(lambda: button.doClick(0))


def hold_wait_text(name, text):
    wait_for(lambda: text in hold_seen()["texts"][name], f"{text} in {name}, {hold_seen()}")
    return hold_seen()


def hold_close():
    """Close the window by its button."""
    frame = hold_frame()
    closing = JClass("java.awt.event.WindowEvent")(frame, 201)
    JClass("java.awt.Toolkit").getDefaultToolkit().getSystemEventQueue().postEvent(closing)
    wait_for(lambda: hold_frame() is None, "end of the window")


def quit_imagej():
    JClass("ij.IJ").getInstance().quit()
    wait_for(lambda: JClass("ij.IJ").getInstance() is None, "end of ImageJ")
