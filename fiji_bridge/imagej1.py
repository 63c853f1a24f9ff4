"""ImageJ 1: its menu, its macros, its messages, and its threads."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any, Optional

from jpype import JClass, JImplements, JOverride, JProxy

from parfocal.focus_control.microscope import MicroscopeError
from parfocal.registry import ModelError

from .commands import MENU, ImageJCommand, named
from .dialog import ask, is_recording
from .extensions import Extensions
from .functions import LABEL
from .images import current_image
from .progress import Cancelled

# What a person can mend; the text says how. Of everything else the log gets the trace too.
MENDABLE = (ValueError, TypeError, OSError, ImportError, MemoryError, ModelError, MicroscopeError)


@JImplements("ij.CommandListener", deferred=True)
class CommandListener:
    """Runs Parfocal's commands when ImageJ is asked for them, by its menu, a search, or `run(...)` in a macro."""

    def __init__(self, commands: dict[str, ImageJCommand]) -> None:
        self._commands = commands
        self._extensions = Extensions(fail)

    @JOverride
    def commandExecuting(self, name: Any) -> Optional[str]:
        """Take a command of ours over (None); others are ImageJ's."""
        if str(name) == LABEL:
            self._extend_macro()
            return None
        command = self._commands.get(named(str(name)))
        if command is None:
            return name
        if is_headless() or JClass("ij.IJ").macroRunning():
            run_command(command)
        else:
            # ImageJ holds a lock while listeners are asked: nothing else could be run meanwhile.
            in_thread(command.label, lambda: run_command(command))
        return None

    def _extend_macro(self) -> None:
        if JClass("ij.macro.Interpreter").getInstance() is None:
            fail(LABEL, ValueError("these are functions for macros: run it from one"))
        else:
            JClass("ij.macro.Functions").registerExtensions(self._extensions)


def run_command(command: ImageJCommand) -> None:
    """Ask for the arguments and run a command; record it; errors are shown, headless and to macros thrown."""
    recorder, recording = JClass("ij.plugin.frame.Recorder"), is_recording()
    if recording:
        recorder.setCommand(command.label)
    try:
        image = current_image() if command.takes_image else None
        opens = command.opening is not None and not is_headless() and JClass("ij.Macro").getOptions() is None
        asked = (command.spec, command.name, is_headless(), lambda: command.stated(image), command.asked_later)
        arguments = command.opening if opens else ask(*asked)
        if recording and arguments is not None and not command.asked_later:
            recorder.saveCommand()
        if arguments is not None:
            command.run(arguments, image)
    except Exception as error:
        fail(command.name, error)
    finally:
        if recording:
            recorder.setCommand(None)


def record(label: str, arguments: dict[str, Any]) -> None:
    """Write a command into the macro recorder, if that is open."""
    if not is_recording():
        return
    recorder = JClass("ij.plugin.frame.Recorder")
    recorder.setCommand(label)
    for name, value in arguments.items():
        if value is True:
            recorder.recordOption(name)
        else:
            recorder.recordOption(name, "no" if value is False else str(value))
    recorder.saveCommand()


def fail(title: str, error: Exception) -> None:
    """Show an error as a dialog; without a window it is thrown as a Java exception with the same text.

    What was cancelled ends without a message, and the macro with it.
    """
    if isinstance(error, Cancelled):
        if is_headless() or JClass("ij.IJ").macroRunning():
            raise JClass("java.lang.RuntimeException")(JClass("ij.Macro").MACRO_CANCELED)
        return
    text = log_unexpected(error)
    if is_headless():
        # A macro ends without a word about what ended it.
        log([f"{title}: {text}"])
        raise JClass("java.lang.RuntimeException")(f"{title}: {text}")
    JClass("ij.IJ").error(title, text)


def log_unexpected(error: Exception) -> str:
    """Text of an error; of one that nobody can mend the trace goes into the log."""
    text = str(error) or type(error).__name__
    if isinstance(error, MENDABLE):
        return text
    log("".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip().split("\n"))
    return f"{type(error).__name__}: {text}"


def add_menu(commands: Sequence[ImageJCommand]) -> None:
    """Add items to Plugins > Parfocal, and to what ImageJ's search looks through, where they are not there yet."""
    if JClass("ij.Menus").getCommands().containsKey(commands[0].label):
        return
    imagej = JClass("ij.IJ").getInstance()
    plugins = _menu_named(JClass("ij.Menus").getMenuBar(), MENU[0])
    menu = JClass("java.awt.Menu")(MENU[1])
    for command in commands:
        item = JClass("java.awt.MenuItem")(command.label)
        item.addActionListener(imagej)
        menu.add(item)
        JClass("ij.Menus").getCommands().put(command.label, f"parfocal({command.spec.name})")
    plugins.add(menu)


def _menu_named(bar: Any, name: str) -> Any:
    menus = [bar.getMenu(index) for index in range(bar.getMenuCount())]
    return next(menu for menu in menus if str(menu.getLabel()) == name)


def is_headless() -> bool:
    """Whether there is no window."""
    return JClass("ij.IJ").getInstance() is None or bool(JClass("java.awt.GraphicsEnvironment").isHeadless())


def log(lines: Sequence[str]) -> None:
    """Write lines into ImageJ's log."""
    for line in lines:
        JClass("ij.IJ").log(line)


def runnable(act: Callable[[], None]) -> Any:
    """A function as Java runs it."""
    return JProxy("java.lang.Runnable", dict={"run": act})


def in_thread(name: str, act: Callable[[], None]) -> None:
    """Run a function in a Java thread of that name."""
    JClass("java.lang.Thread")(runnable(act), name).start()


def on_event_queue(act: Callable[[], None]) -> None:
    """Run a function where windows may be touched, after what waits there already."""
    JClass("java.awt.EventQueue").invokeLater(runnable(act))
