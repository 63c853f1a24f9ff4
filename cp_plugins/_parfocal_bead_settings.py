"""Settings of MeasureBeadFocalPlane with their help; names and ranges are those of `measure_bead_focal_plane`."""

from __future__ import annotations

from typing import Any

from cellprofiler_core.setting.choice import Choice
from cellprofiler_core.setting.subscriber import ImageSubscriber
from cellprofiler_core.setting.text import Float, Integer, LabelName, Text

if __package__:
    from ._parfocal_host import OptionalFloat
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    from _parfocal_host import OptionalFloat

VOLUME, GROUPED, SINGLE = "One 3D image", "One plane in each image set of a group", "A single image of beads"
Z_STEP, Z_METADATA, Z_FILE = "A z step", "Metadata of the image sets", "The image file"
CONTRASTS = ("Bright field", "Fluorescence")
# Arguments of the command; the z step becomes positions.
OPTIONS = ("contrast", "bead_diameter_um", "pixel_size_um", "black_level", "saturation_level", "z_error_um")
OPTIONS += ("interval_level", "target_offset_um", "seed", "distance_model")
# In the order in which they are stored, and shown for a stack.
SETTINGS = ("image_name", "stack_form", "objects_name", "z_source", "z_step_um", "z_tag", "z_factor_um", *OPTIONS)
# The settings that belong to each source of z.
Z_SETTINGS = {Z_STEP: ("z_step_um",), Z_METADATA: ("z_tag", "z_factor_um"), Z_FILE: ()}
# In the order in which they are shown for a single image; the others have no say in its answer.
SINGLE_SETTINGS = ("image_name", "stack_form", "distance_model", "objects_name", "contrast", "bead_diameter_um")
SINGLE_SETTINGS += ("pixel_size_um", "z_error_um", "interval_level", "target_offset_um")


def in_use(form: str, z_source: str) -> tuple[str, ...]:
    """List the settings that matter with these choices, in the order in which they are shown."""
    if form == SINGLE:
        return SINGLE_SETTINGS
    unused = {name for source, group in Z_SETTINGS.items() if source != z_source for name in group}
    return tuple(name for name in SETTINGS if name not in unused | {"distance_model"})


def contrast_name(shown: str) -> str:
    """Name in `measure_bead_focal_plane` of a contrast as it is shown here."""
    return shown.lower().replace(" ", "_")


def create() -> dict[str, Any]:
    """Make the settings by name."""
    return {
        "image_name": ImageSubscriber("Select the image of beads", "None", doc=_IMAGE),
        "stack_form": Choice("How are the beads imaged?", [VOLUME, GROUPED, SINGLE], VOLUME, doc=_STACK_FORM),
        "objects_name": LabelName("Name the beads", "Beads", doc=_OBJECTS),
        "z_source": Choice("Where do the z positions come from?", list(Z_SETTINGS), Z_STEP, doc=_Z_SOURCE),
        "z_step_um": OptionalFloat("z step (um)", None, 0.0001, 1000.0, doc=_Z_STEP),
        "z_tag": Text("Metadata tag of z", "Z", doc=_Z_TAG),
        "z_factor_um": Float("Micrometers for one unit of the tag", 1.0, doc=_Z_FACTOR),
        "contrast": Choice("Contrast", list(CONTRASTS), CONTRASTS[0], doc=_CONTRAST),
        "bead_diameter_um": OptionalFloat("Diameter of the beads (um)", None, 0.01, 1000.0, doc=_DIAMETER),
        "pixel_size_um": OptionalFloat("Pixel size (um)", None, 0.001, 100.0, doc=_PIXEL_SIZE),
        "black_level": Float("Black level (counts)", 0.0, 0.0, doc=_BLACK_LEVEL),
        "saturation_level": OptionalFloat("Saturation level (counts)", None, 0.0, doc=_SATURATION_LEVEL),
        "z_error_um": Float("Repeatability of the stage (um)", 0.0, 0.0, 1000.0, doc=_Z_ERROR),
        "interval_level": Float("Level of the interval", 0.95, 0.5, 0.999, doc=_LEVEL),
        "target_offset_um": OptionalFloat("Target above the REFP (um)", None, -10000.0, 10000.0, doc=_TARGET),
        "seed": Integer("Seed of the interval", 0, 0, doc=_SEED),
        "distance_model": Text("Distance model", "", doc=_DISTANCE_MODEL),
    }


_IMAGE = """\
Select the image of beads, as it was loaded: a step that smooths, rescales or normalizes each plane by itself changes
the profiles that are measured. Of a color image the mean of red, green and blue is measured. Pixels that
were masked out (by **MaskImage** or **Crop**) are not looked at."""

_STACK_FORM = f"""\
A stack tells where the reference focal plane (REFP) is. A single image tells how far it is off, if there is a distance
model for the microscope.

-  *{VOLUME}:* The image set is a stack: *Process as 3D* is switched on in **NamesAndTypes**, and the image file is a
   TIFF stack. Each image set is one stack and has one row of measurements.
-  *{GROUPED}:* Each image set is one plane, and **Groups** puts the planes of a stack together, by a metadata tag such
   as the well. Without **Groups** all image sets are one stack. The planes of the group are loaded when its first image
   set reaches this module, and then once more as each image set runs; all rows of the group get the numbers of the
   stack, so that **FlagImage** and the exporting modules can use them in every row. Modules before this one, up to the
   one that makes the image, are run twice, and may not be ones that work on a whole group, such as **MakeProjection**.

   Images of a group are kept in memory in the type of their file until the group is measured.

-  *{SINGLE}:* Each image set is one plane, in or out of focus, measured by itself: a distance model reads off its
   beads how far the plane lies from the REFP, and to which side. *Process as 3D* is switched off in **NamesAndTypes**,
   and no **Groups** are needed."""

_OBJECTS = f"""\
Enter the name by which other modules will refer to the beads. Each bead that was found becomes an object: a disc of the
bead's diameter about the center that was measured.

-  *{VOLUME}:* The disc lies in the plane nearest to the bead's own focal plane, and the other planes are empty there.
-  *{GROUPED}:* All beads of a group belong to the image set whose plane is nearest to the reference focal plane (the
   middle plane if there is no answer); the other image sets of the group have no beads. Exported tables so have one row
   for each bead of a stack.
-  *{SINGLE}:* The beads belong to the image set that they were found in."""

_Z_SOURCE = f"""\
-  *{Z_STEP}:* The planes lie at 0, 1, 2, ... steps, in the order of the stack or of the group. Check that order for a
   group: if the file names hold numbers without leading zeros, 10 may come before 2.
-  *{Z_METADATA}:* A number that **Metadata** has extracted, such as the stage position or the number of the plane, from
   the file name for instance. The order of the image sets does not matter. For a 3D image it is the z step.
-  *{Z_FILE}:* The positions of the planes, or the z step, that are stored in the file: OME-TIFF, ImageJ, Micro-Manager
   or MetaMorph TIFF.

A stack whose positions are not known has no answer, and *Reason* says what is missing."""

_Z_STEP = f"""\
*(Used only if z comes from {Z_STEP.lower()})*

Distance between the planes in micrometers, as set in the acquisition. The planes must run upwards, towards larger z;
for a stack taken downwards use the metadata with a negative number of micrometers for one unit."""

_Z_TAG = f"""\
*(Used only if z comes from {Z_METADATA.lower()})*

Name of the metadata tag, without "Metadata" before it: *Z* for a tag that **Metadata** calls *Z*. A plane whose tag is
no number is left out."""

_Z_FACTOR = f"""\
*(Used only if z comes from {Z_METADATA.lower()})*

By how much z rises in micrometers when the tag rises by 1. Leave it at 1 for a tag in micrometers, enter 0.001 for
nanometers, and the z step if the tag is the number of the plane. Enter a negative number if z is counted downwards."""

_CONTRAST = f"""\
-  *{CONTRASTS[0]}:* The bead darkens or brightens the light that passes. Out of focus it is a set of rings.
-  *{CONTRASTS[1]}:* The bead shines on a dark background. Widths and signal to background are also measured."""

_DIAMETER = """\
Diameter of the beads in micrometers, as they show in focus: in bright field that printed on the bottle; for fluorescent
beads smaller than the resolution of the objective, the diameter of the spot. It must be at least 3 pixels."""

_PIXEL_SIZE = """\
Size of a pixel in the sample, in micrometers: the camera's pixel, times the binning, divided by the magnification.
Leave it blank to take it from the image file, if it says so (OME-TIFF, ImageJ, MetaMorph); a stack for which it is not
known has no answer."""

_BLACK_LEVEL = """\
Count of the camera without light, which is subtracted. Give it in counts as your image viewer shows them (100 in a
12-bit image, say), not on CellProfiler's scale from 0 to 1."""

_SATURATION_LEVEL = """\
Count at which the camera saturates, 4095 for a 12-bit camera for instance, in counts as your image viewer shows them. A
bead is left out of planes in which it is saturated. Leave it blank to have the limits of common cameras looked for."""

_Z_ERROR = """\
By how much the true position of a plane differs from the one given (standard deviation), if you know it from the maker
of the stage. It widens the interval, also that of a single image. What the planes of a stack themselves show of it is
taken into account in any case."""

_LEVEL = """\
Share of intervals that should hold the true plane, 0.5 to 0.999: of 100 stacks, or of 100 single images taken with the
optics that the distance model was made for, about 95 intervals do so at 0.95."""

_TARGET = """\
Distance of a plane that you want to image at from the reference focal plane (REFP), in micrometers: 12 for 12 um above
it (towards larger z), -12 for below. Its z is given as *TargetUm*; for a single image that is how far the focus must be
moved to reach it. Leave it blank if there is none."""

_SEED = """\
Number from which the random draws behind the interval start. The same stack and seed give the same interval."""

_DISTANCE_MODEL = f"""\
*(Used only for {SINGLE.lower()})*

Name of a distance model, or the full path of a model folder or package (.zip). A distance model holds for the optics
and the beads that it was made for:

-  *Your own microscope:* the folder that *parfocal calibrate-beads* writes. It makes the model from z-stacks of beads
   that you have taken on that microscope, and reports its error on stacks kept back.
-  *a2k_like* and *nikon_like* come with Parfocal. They were trained on **simulated** images of beads 27 to 30 um
   across, at 1.5 um per pixel (up to 300 um out of focus) and at 0.65 um per pixel (up to 12 um). They are there to try
   the module and to start a calibration from; do not expect them to fit a real microscope.

Images of other beads, of other pixels, or that do not look like those a model was made from get no answer, and *Status*
is *out_of_range* or *out_of_domain*."""
