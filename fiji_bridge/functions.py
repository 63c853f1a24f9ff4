"""Functions for ImageJ macros that give the numbers of the image in front: what each is called, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass

# In macros: what has to be run before the functions are known.
LABEL = "Parfocal Macro Extensions"


@dataclass(frozen=True)
class Function:
    """A function of macros.

    Attributes
    ----------
    name : str
        After `Ext.`.
    label : str
        The command that measures, as in the menu.
    outputs : tuple of str
        Features that it gives, each into a variable; a count from 0 is given from 1, as ImageJ counts.
    """

    name: str
    label: str
    outputs: tuple[str, ...]


FUNCTIONS = (
    Function("focusScore", "Measure Image Focus", ("Score", "Certainty")),
    Function("sharpestSlice", "Measure Image Focus", ("SharpestPlane",)),
    Function("defocusProbability", "Flag Defocused", ("Probability", "Defocused")),
    Function("focalPosition", "Estimate Focal Position", ("DefocusUm", "DeviationUm")),
    Function(
        "beadFocalPlane", "Measure Bead Focal Plane", ("ReferenceFocalPlaneUm", "IntervalLowUm", "IntervalHighUm")
    ),
)
FROM_ZERO = ("SharpestPlane",)
