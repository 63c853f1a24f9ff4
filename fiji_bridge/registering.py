"""Adding Parfocal's commands to an ImageJ that runs."""

from __future__ import annotations

from typing import Any

from .commands import COMMANDS, named
from .optional import need

_listeners: list[Any] = []  # at most one: there is one ImageJ in a process


def register(ij: Any) -> None:
    """Add Parfocal's commands to a running ImageJ: to the menu Plugins > Parfocal, and to macros.

    Whoever calls it again changes nothing.

    Parameters
    ----------
    ij
        Gateway of PyImageJ, or SciJava Context with ImageJ 1 beside it.
    """
    jpype = need("jpype")
    from .imagej1 import CommandListener, add_menu

    if _listeners:
        return
    commands = {named(command.label): command for command in COMMANDS}
    _listeners.append(CommandListener(commands))
    jpype.JClass("ij.Executer").addCommandListener(_listeners[0])
    if jpype.JClass("ij.IJ").getInstance() is not None:
        add_menu(COMMANDS)
