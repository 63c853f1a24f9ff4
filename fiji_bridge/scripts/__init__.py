"""Parfocal's commands in a Fiji that is started without Python: scripts that talk to the worker.

`install` writes them, `uninstall` takes them away; neither starts Java.
"""

from __future__ import annotations

from parfocal.lazy import lazy_names

_HOMES = {"install": ".installing", "uninstall": ".removing"}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
