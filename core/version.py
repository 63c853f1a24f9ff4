"""The version of Parfocal, looked up on first use."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("parfocal")
