"""pymmcore-plus, which only a part of this package needs."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def need(module: str) -> ModuleType:
    """Import a module of pymmcore-plus (ImportError that says how to get it)."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f'{error}: this needs pymmcore-plus: pip install "parfocal[micromanager]"') from error
