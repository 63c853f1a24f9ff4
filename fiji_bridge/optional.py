"""PyImageJ and what it brings, which only a part of this package needs."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from parfocal.install.packages import extra_command


def need(module: str) -> ModuleType:
    """Import a module of PyImageJ (ImportError that says how to get it)."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{error}: this needs PyImageJ: {extra_command('fiji')}") from error
