"""What ImageJ asks beside the parameters of a command: what to do with its results."""

from __future__ import annotations

from parfocal.commands import Param, ParameterSpec

OVERLAY = ParameterSpec(
    "overlay",
    "bool",
    True,
    False,
    "Leave the patches over the image, coloured by level and the darker the less certain, with a legend; "
    "Image > Overlay hides and removes them.",
    Param(label="Patches as overlay"),
)
EACH_PLANE = ParameterSpec(
    "each_plane",
    "bool",
    False,
    False,
    "Give every slice and every time point a row of its own, beside that of the stack.",
    Param(label="A row for each slice and time point"),
)
