"""Settings of MeasureImageFocus with their help; names, defaults and ranges are those of `measure_image_focus`."""

from __future__ import annotations

from typing import Any

from cellprofiler_core.setting import Binary, Divider, SettingsGroup
from cellprofiler_core.setting.choice import Choice
from cellprofiler_core.setting.do_something import RemoveSettingButton
from cellprofiler_core.setting.subscriber import ImageSubscriber, LabelSubscriber
from cellprofiler_core.setting.text import Float, ImageName, Text

if __package__:
    from ._parfocal_host import OptionalFloat
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    from _parfocal_host import OptionalFloat

MODALITIES = ("Widefield fluorescence", "Confocal", "Light sheet", "Bright field", "Phase contrast", "Other")
# A level needs all of these to become a distance.
NEEDED_OPTICS = ("pixel_size_um", "numerical_aperture", "emission_wavelength_um")
PLANE_OPTICS = (*NEEDED_OPTICS, "immersion_index")
OPTICS = (*PLANE_OPTICS, "z_step_um")
OTHERS = ("modality", "black_level", "saturation_level", "classical_metrics", "model")
# In the order in which they are shown and stored, below the images and objects.
OPTIONS = ("wants_optics", *OPTICS, *OTHERS)
IMAGE_SETTINGS = ("image_name", "wants_overlay", "overlay_name", "wants_sharpest_plane", "sharpest_plane_name")


def modality_name(shown: str) -> str:
    """Name in `measure_image_focus` of a kind of microscope as it is shown here."""
    return shown.lower().replace(" ", "_")


def image_group(groups: list[SettingsGroup]) -> SettingsGroup:
    """Make the settings for one more image; the first one cannot be removed."""
    group = SettingsGroup()
    group.append("divider", Divider(line=bool(groups)))
    group.append("image_name", ImageSubscriber("Select an image to measure", "None", doc=_IMAGE))
    group.append("wants_overlay", Binary("Make an overlay image of the focus?", False, doc=_OVERLAY))
    group.append("overlay_name", ImageName("Name the overlay image", "FocusOverlay", doc=_OVERLAY_NAME))
    group.append("wants_sharpest_plane", Binary("Make an image of the sharpest plane?", False, doc=_SHARPEST))
    group.append("sharpest_plane_name", ImageName("Name the image", "SharpestPlane", doc=_SHARPEST_NAME))
    if groups:
        group.append("remover", RemoveSettingButton("", "Remove this image", groups, group))
    return group


def object_group(groups: list[SettingsGroup]) -> SettingsGroup:
    """Make the settings for one more set of objects."""
    group = SettingsGroup()
    group.append("divider", Divider(line=False))
    group.append("object_name", LabelSubscriber("Select objects to measure", "None", doc=OBJECTS_HELP))
    group.append("remover", RemoveSettingButton("", "Remove these objects", groups, group))
    return group


def create_optics(wants_optics_help: str) -> dict[str, Any]:
    """Make the settings of the optics, by name, and the choice to give them, which each module explains."""
    return {
        "wants_optics": Binary("Do you want to give the optics?", False, doc=wants_optics_help),
        "pixel_size_um": OptionalFloat("Pixel size (um)", None, 0.001, 100.0, doc=_PIXEL_SIZE),
        "numerical_aperture": OptionalFloat("Numerical aperture", None, 0.01, 2.0, doc=_APERTURE),
        "emission_wavelength_um": OptionalFloat("Emission wavelength (um)", None, 0.2, 2.0, doc=_WAVELENGTH),
        "immersion_index": Float("Refractive index of the immersion", 1.0, 1.0, 2.0, doc=_IMMERSION),
    }


def create_saturation_level() -> OptionalFloat:
    """Make the setting of the count at which the camera saturates."""
    return OptionalFloat("Saturation level (counts)", None, 0.0, doc=_SATURATION_LEVEL)


def create_options() -> dict[str, Any]:
    """Make the settings that hold for all images, by name."""
    return {
        **create_optics(_WANTS_OPTICS),
        "z_step_um": OptionalFloat("z step (um)", None, 0.001, 1000.0, doc=_Z_STEP),
        "modality": Choice("Kind of microscope", list(MODALITIES), MODALITIES[0], doc=_MODALITY),
        "black_level": Float("Black level (counts)", 0.0, 0.0, doc=_BLACK_LEVEL),
        "saturation_level": create_saturation_level(),
        "classical_metrics": Binary("Calculate classical focus metrics?", False, doc=_CLASSICAL),
        "model": Text("Model", "default", doc=_MODEL),
    }


_IMAGE = """\
Select the image whose focus is to be measured: grayscale or color, a single plane or a stack. Of a color image the mean
of red, green and blue is measured. Measure images as they were loaded, before any module that smooths, resizes or
rescales them: such a step changes what the module looks at. The image should be at least 84 pixels wide and high."""

_OVERLAY = """\
Select *Yes* to get a color image in which every patch that was measured has a border. Its **color** is the defocus
level, from red (0, in focus) over yellow, green and blue to violet (10, worst); its **lightness** is the certainty, so
that patches without cells have a dark border. Of a stack you get a stack. Save it with **SaveImages**, as PNG for
instance, to see at a glance which part of which field is out of focus."""

_OVERLAY_NAME = """\
*(Used only if an overlay image is made)*

Enter the name by which other modules, such as **SaveImages**, will refer to the overlay image."""

_SHARPEST = """\
*(Of use only for 3D image sets)*

Select *Yes* to get the plane of the stack that is nearest to focus as a 2D image that other modules can go on with.
Where no plane of the stack could be answered (see *ImageFocus_Answered*), the middle plane is passed on and the
measurement *SharpestPlane* is NaN. Of a single image you get the image itself."""

_SHARPEST_NAME = """\
*(Used only if an image of the sharpest plane is made)*

Enter the name by which other modules will refer to the sharpest plane."""

OBJECTS_HELP = """\
Select objects that a previous module has identified, such as nuclei. Each gets a defocus level and a certainty of its
own from the patches that cover it, for every image selected above. A patch is 84 pixels wide: an object that is smaller
shares its patch with its surroundings, so neighbors have similar values."""

_WANTS_OPTICS = """\
Select *Yes* if you know the objective and the pixel size. The image is then brought to the scale that the model was
trained at, and the defocus is also given as a distance in micrometers (*DefocusDistanceUm*). Select *No* to get the
answer in levels and pixels of blur only: a distance is never guessed. Without optics, levels of images from different
objectives cannot be compared."""

_PIXEL_SIZE = """\
*(Used only if the optics are given)*

Size of a pixel in the sample, in micrometers: the camera's pixel, times the binning, divided by the magnification. A
6.5 um camera pixel on a 20x objective makes 0.325 um. Pixel size, numerical aperture and emission wavelength are used
only together."""

_APERTURE = """\
*(Used only if the optics are given)*

Numerical aperture of the objective, as engraved on it after the magnification: "20x/0.75" has 0.75. It cannot exceed
the refractive index of the immersion."""

_WAVELENGTH = """\
*(Used only if the optics are given)*

Wavelength of the light that is seen, in micrometers, not of the light that excites: about 0.46 for DAPI and Hoechst,
0.52 for GFP and FITC, 0.60 for TRITC and mCherry, 0.67 for Cy5. For images of several stains use one copy of this
module for each, if exact distances matter."""

_IMMERSION = """\
*(Used only if the optics are given)*

Refractive index of what lies between objective and sample: 1.0 for air, 1.33 for water, 1.47 for glycerol, 1.515 for
oil."""

_Z_STEP = """\
*(Used only if the optics are given; of use only for 3D image sets)*

Distance between two planes of the stack, in micrometers. With it the place of the sharpest plane is also given in
micrometers above the first plane (*SharpestPlaneZUm*). Leave it blank for single images. It may be given alone."""

_MODALITY = f"""\
Select how the images were taken; it decides what the answer means.

-  *{MODALITIES[0]}:* Light from outside the focal plane blurs the image. The level is absolute.
-  *{MODALITIES[1]}, {MODALITIES[2]}:* Planes out of focus lose light rather than blur. The level only ranks images of
   one experiment; blur in pixels and micrometers are not given, and *Warnings* says *rank_only*.
-  *{MODALITIES[3]}, {MODALITIES[4]}, {MODALITIES[5]}:* Defocus does not blur intensities and no level is defined. The
   status is *out_of_domain* and the image counts as not answered; the classical metrics are still calculated."""

_BLACK_LEVEL = """\
Count of the camera without light. It is subtracted from the image, and what lies below is cut off, before anything
else. Give it in counts as your image viewer shows them (100 in a 12-bit image, say), not on CellProfiler's scale from 0
to 1. Leave it at 0 if you do not know it: the answer hardly depends on a constant background."""

_SATURATION_LEVEL = """\
Count at which the camera saturates, 4095 for a 12-bit camera for instance, in counts as your image viewer shows them.
More than 5 percent of pixels at or above it give the status *saturated* and no answer. Leave it blank to have the
module look for a plateau of equal pixels at the maximum of the image."""

_CLASSICAL = """\
Select *Yes* to have the classical focus metrics calculated beside the level: power log-log slope, Brenner, Tenengrad,
variance of the Laplacian, normalised variance, Vollath F4, image correlation and band power. They are higher for
sharper images, but they depend on brightness, on the stain and on how much of the image is covered by cells: a
threshold holds for one experiment at most. Of a stack they are those of its sharpest plane."""

_MODEL = """\
Name of a model that comes with Parfocal, or the path of the folder or package (.zip) of a model of your own (made with
*parfocal train focus-quality*). Leave it at *default* unless you have a reason."""
