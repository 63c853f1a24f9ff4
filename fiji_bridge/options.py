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
EACH_SLICE = ParameterSpec(
    "each_plane",
    "bool",
    False,
    False,
    "Give every slice and every time point a row of its own, not only the one that is shown.",
    Param(label="A row for each slice and time point"),
)
FOLDER = ParameterSpec(
    "folder",
    "str",
    None,
    True,
    "Images of this folder, to the bottom, are worked on; they are only read. Optics come from the files where they "
    "state them; what is given here counts more.",
    Param(label="Folder of images", path="folder"),
)
OUTPUT = ParameterSpec(
    "output",
    "str",
    None,
    True,
    "Tables and pictures are written to this folder, which is made where it is missing. Where those of an earlier run "
    "lie there, nothing is done.",
    Param(label="Folder for results", path="folder"),
)
ONLY_FLAGGED = ParameterSpec(
    "only_flagged",
    "str",
    None,
    False,
    "Restore only images that this table flags (columns file and flagged), such as the sorting.csv of Flag Folder; it "
    "must list every file.",
    Param(label="Table of flagged images", path="file"),
)
PLOT = ParameterSpec(
    "plot",
    "bool",
    True,
    False,
    "Plot steepest slope and centre intensity over z with the reference focal plane, and list the beads.",
    Param(label="Plots and table of beads"),
)
ROIS = ParameterSpec(
    "rois",
    "bool",
    True,
    False,
    "Add a circle for each bead to the ROI Manager, in the slice nearest to its focal plane.",
    Param(label="Beads as ROIs"),
)
