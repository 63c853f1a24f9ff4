"""Parfocal's commands in Fiji and Micro-Manager.

Names load on first use; importing this starts no JVM.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {"register": "registering", "show_imagej": "start", "start_imagej": "start"}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
