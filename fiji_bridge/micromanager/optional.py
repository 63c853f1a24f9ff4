"""pymmcore-plus, which only a part of this package needs."""

from __future__ import annotations

import logging
from importlib import import_module
from types import ModuleType

from parfocal.install.packages import extra_command


def need(module: str) -> ModuleType:
    """Import a module of pymmcore-plus (ImportError that says how to get it)."""
    root = logging.getLogger()
    before = root.level
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{error}: this needs pymmcore-plus: {extra_command('micromanager')}") from error
    finally:
        if root.level != before:
            # It opens the root logger for its own messages, and with it those of all other packages.
            logging.getLogger("pymmcore-plus").setLevel(root.level)
            root.setLevel(before)
