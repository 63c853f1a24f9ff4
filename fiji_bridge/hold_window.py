"""The window of Hold Focus: state, numbers, strip charts, buttons and fields."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Optional

from jpype import JClass, JProxy

from parfocal.focus_control.desk import FocusDesk
from parfocal.focus_control.focus_session import PAUSED
from parfocal.focus_control.seen import READ_NUMBERS, SeenFocus, number_texts
from parfocal.focus_control.states import LOCKED

from .hold_charts import LEGEND
from .hold_fields import HoldFields
from .hold_options import ACTION, START
from .imagej1 import log_unexpected, on_event_queue, record
from .listeners import Closing
from .strip_chart import draw_charts

TITLE = "Hold Focus"
_GOOD, _CARE, _BAD, _PLAIN = (0x1B7837, 0xB35806, 0xB2182B, 0x303030)
# Least time between two pictures, and how often it is asked whether ImageJ is still there.
_REST_S, _PATIENCE_S = 0.2, 0.5
_TOLD_LINES, _TOLD_COLUMNS, _EDGE_PX = 2, 60, 8


class HoldWindow:
    """A window that shows a desk and has its buttons; to be made and used on the event queue.

    Pictures are drawn by a thread of its own. When it or ImageJ is closed focus is no longer held, and the focus device
    stays where it is.
    """

    def __init__(self, desk: FocusDesk) -> None:
        self._desk, self.closed = desk, False
        self._error: Optional[BaseException] = None
        self._error_text = self._model = ""
        self._news = threading.Event()
        self._frame = JClass("javax.swing.JFrame")(TITLE)
        self._state = JClass("javax.swing.JLabel")(" ")
        self._state.setFont(self._state.getFont().deriveFont(1, 20.0))
        self._numbers = {name: JClass("javax.swing.JLabel")("-") for name in READ_NUMBERS}
        self._charts = [JClass("javax.swing.JLabel")() for _ in range(2)]
        self._told = _text_area()
        for name, label in {"state": self._state, "told": self._told, **self._numbers}.items():
            label.setName(name)
        self._fields = HoldFields()
        acts = {"Lock": self._lock, "Pause": desk.pause, "Stop": desk.stop, "Calibrate": self._calibrate}
        self._buttons = {name: self._button(name, act) for name, act in acts.items()}
        self._lay_out()
        self._frame.setDefaultCloseOperation(JClass("javax.swing.WindowConstants").DISPOSE_ON_CLOSE)
        self._frame.addWindowListener(Closing(self._end))
        JClass("ij.WindowManager").addWindow(self._frame)
        threading.Thread(target=self._go_on, name="hold focus window", daemon=True).start()
        self.changed()

    def show(self) -> None:
        """Bring it to the front."""
        self._frame.setVisible(True)
        self._frame.toFront()

    def fill_in(self, arguments: dict[str, Any]) -> None:
        """Show these arguments in the fields, in the others their defaults."""
        self._fields.clear()
        self._fields.fill_in(arguments)

    def changed(self) -> None:
        """There is something new to see; may be called by any thread."""
        self._news.set()

    def _lock(self) -> None:
        if not self._desk.begun:
            given = self._fields.given()
            record(f"{TITLE}...", {ACTION.name: START, **given})
            self._desk.lock(given)
        else:
            self._desk.lock({})

    def _calibrate(self) -> None:
        self._desk.calibrate(self._fields.given())

    def _go_on(self) -> None:
        """Draw whenever there is news, not too often, until this window or ImageJ is closed."""
        rest = threading.Event()
        while not self.closed:
            if self._news.wait(_PATIENCE_S):
                self._news.clear()
                self._draw(self._desk.seen)
                rest.wait(_REST_S)
            if JClass("ij.IJ").getInstance() is None:
                self._leave()
                on_event_queue(self._frame.dispose)

    def _draw(self, seen: SeenFocus) -> None:
        try:
            charts = draw_charts(seen)
            on_event_queue(lambda: self._guarded(lambda: self._show(seen, charts)))
        except Exception as error:
            text = log_unexpected(error)
            on_event_queue(lambda: self._say(text, _BAD))

    def _show(self, seen: SeenFocus, charts: list[Any]) -> None:
        if self.closed:
            return
        self._state.setText(f"{seen.state}, {seen.waits}" if seen.waits else seen.state)
        self._state.setForeground(_color(_state_color(seen)))
        for name, text in number_texts(seen.looks[-1] if seen.looks else None).items():
            self._numbers[name].setText(text)
        for label, picture in zip(self._charts, charts):
            label.setIcon(JClass("javax.swing.ImageIcon")(picture))
        if seen.error is not None and seen.error is not self._error:
            self._error_text = log_unexpected(seen.error) if isinstance(seen.error, Exception) else repr(seen.error)
        self._error = seen.error
        if seen.error is not None:
            self._say(self._error_text, _BAD)
        else:
            self._say(seen.advice or seen.told, _CARE if seen.advice else _PLAIN)
        if seen.model != self._model:
            self._model = seen.model
            self._fields.fill_in({"model": seen.model})
        self._enable(seen)

    def _enable(self, seen: SeenFocus) -> None:
        usable = {"Lock": not seen.begun or bool(seen.waits), "Pause": seen.held and seen.waits != PAUSED}
        usable |= {"Stop": seen.begun, "Calibrate": not seen.begun}
        for name, button in self._buttons.items():
            button.setEnabled(usable[name])
        self._fields.enable(not seen.begun)

    def _say(self, text: str, color: int) -> None:
        self._told.setText(text)
        self._told.setForeground(_color(color))

    def _end(self) -> None:
        if not self.closed:
            self._leave()
            JClass("ij.WindowManager").removeWindow(self._frame)
            self._frame.dispose()

    def _leave(self) -> None:
        self.closed = True
        self._news.set()
        self._desk.stop()
        self._desk.forget()

    def _button(self, name: str, act: Callable[[], None]) -> Any:
        button = JClass("javax.swing.JButton")(name)
        listener = JProxy("java.awt.event.ActionListener", dict={"actionPerformed": lambda _: self._guarded(act)})
        button.addActionListener(listener)
        return button

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            self._say(log_unexpected(error), _BAD)

    def _lay_out(self) -> None:
        box = JClass("javax.swing.Box")
        numbers = JClass("javax.swing.JPanel")(JClass("java.awt.GridLayout")(2, len(self._numbers), 10, 0))
        for name in self._numbers:
            label = JClass("javax.swing.JLabel")(name)
            label.setFont(label.getFont().deriveFont(0))
            numbers.add(label)
        for label in self._numbers.values():
            label.setFont(label.getFont().deriveFont(1))
            numbers.add(label)
        buttons = JClass("javax.swing.JPanel")()
        for button in self._buttons.values():
            buttons.add(button)
        column = box.createVerticalBox()
        for part in (self._state, numbers, _legend(), *self._charts, self._told, buttons, self._fields.panel):
            part.setAlignmentX(0.0)
            column.add(part)
        edge = JClass("javax.swing.BorderFactory").createEmptyBorder(_EDGE_PX, _EDGE_PX, _EDGE_PX, _EDGE_PX)
        column.setBorder(edge)
        self._frame.add(column)
        for label, picture in zip(self._charts, draw_charts(self._desk.seen)):
            label.setIcon(JClass("javax.swing.ImageIcon")(picture))
        self._frame.pack()
        self._frame.setResizable(False)


def _state_color(seen: SeenFocus) -> int:
    if seen.error is not None:
        return _BAD
    if not seen.held:
        return _PLAIN
    return _GOOD if seen.state == LOCKED and not seen.waits else _CARE


def _legend() -> Any:
    texts = "&nbsp;&nbsp; ".join(f"<font color='{color}'>{name}</font>" for name, color in LEGEND.items())
    return JClass("javax.swing.JLabel")(f"<html><br>{texts}</html>")


def _text_area() -> Any:
    area = JClass("javax.swing.JTextArea")(_TOLD_LINES, _TOLD_COLUMNS)
    area.setEditable(False)
    area.setLineWrap(True)
    area.setWrapStyleWord(True)
    area.setOpaque(False)
    area.setFocusable(False)
    return area


def _color(rgb: int) -> Any:
    return JClass("java.awt.Color")(rgb)
