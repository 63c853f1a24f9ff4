"""Adding Parfocal's commands to an ImageJ that runs."""

from __future__ import annotations

from typing import Any

from .commands import COMMANDS
from .ending import end_threads
from .java import check_imagej
from .optional import need

_registered: list[Any] = []  # what ImageJ calls; empty, or of the one ImageJ there is in a process


def register(ij: Any) -> None:
    """Add Parfocal's commands to a running ImageJ: Plugins > Parfocal, macros, and SciJava modules.

    Whoever calls it again adds nothing twice; a menu that was not there yet gets its items.

    Parameters
    ----------
    ij
        Gateway of PyImageJ, or SciJava Context with ImageJ 1 beside it.

    Raises
    ------
    TypeError
        Where it is neither, as before a JVM runs.
    OSError
        Where ImageJ is too old, or the gateway was started without ImageJ 1.
    """
    jpype, context = need("jpype"), _context_of(ij)
    check_imagej()
    from .imagej1 import CommandListener, add_menu
    from .modules import module_info

    if not _registered:
        need("scyjava").when_jvm_stops(end_threads)
        _registered.append(CommandListener({command.name: command for command in COMMANDS}))
        jpype.JClass("ij.Executer").addCommandListener(_registered[0])
        _registered.extend(module_info(command) for command in COMMANDS)
        service = context.service(jpype.JClass("org.scijava.module.ModuleService").class_)
        service.addModules(jpype.JClass("java.util.Arrays").asList(_registered[1:]))
    if jpype.JClass("ij.IJ").getInstance() is not None:
        add_menu(COMMANDS)


def _context_of(ij: Any) -> Any:
    """SciJava Context of a gateway, or the Context itself (TypeError for what is neither)."""
    if need("jpype").isJVMStarted():
        context = ij.context() if callable(getattr(ij, "context", None)) else ij
        if isinstance(context, need("jpype").JClass("org.scijava.Context")):
            return context
    raise TypeError(f"ij must be a gateway of PyImageJ, as imagej.init() gives it, or a SciJava Context, got {ij!r}")
