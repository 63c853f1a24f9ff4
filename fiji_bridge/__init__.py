"""Parfocal's commands in Fiji and Micro-Manager.

Names load on first use; importing this starts no JVM.
"""

from __future__ import annotations

from parfocal.lazy import lazy_names

_HOMES = {
    "hold_focus": ".holding",
    "register": ".registering",
    "show_imagej": ".start",
    "start_imagej": ".start",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
