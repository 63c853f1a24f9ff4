"""Settings of RestoreDefocus with their help; names, defaults and ranges are those of `restore_defocus`."""

from __future__ import annotations

from typing import Any

from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.preferences import DEFAULT_OUTPUT_FOLDER_NAME
from cellprofiler_core.setting import Binary, Divider, Measurement
from cellprofiler_core.setting.choice import Choice
from cellprofiler_core.setting.subscriber import ImageSubscriber
from cellprofiler_core.setting.text import Directory, Float, ImageName, Integer, Text

if __package__:
    from . import _parfocal_focus_settings as focus_settings
    from ._parfocal_host import OptionalFloat
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_focus_settings as focus_settings
    from _parfocal_host import OptionalFloat

ALWAYS, CONDITIONAL = "Always", "Only where a measurement says so"
METHODS = {
    "Network": "network",
    "Richardson-Lucy": "richardson_lucy",
    "Richardson-Lucy, Gaussian PSF": "richardson_lucy_gaussian",
    "Wiener, unsupervised": "wiener",
}
NETWORK, *_OTHER_METHODS = METHODS
_ITERATED = _OTHER_METHODS[:2]
CONDITION = ("measurement", "smallest_value", "largest_value")
FILE = ("directory", "suffix", "overwrite")
# Arguments of the command beside the image.
OPTIONS = (*focus_settings.PLANE_OPTICS, "modality", "method", "model", "check_focus", "smallest_level")
OPTIONS += ("defocus_level", "iterations", "uncertainty", "saturation_level")
# In the order in which they are stored; shown in that of `in_use`.
SETTINGS = ("image_name", "restored_name", "when", *CONDITION, "method", "model", "iterations", "uncertainty")
SETTINGS += ("uncertainty_name", "defocus_level", "check_focus", "smallest_level", "modality", "saturation_level")
SETTINGS += ("wants_optics", *focus_settings.PLANE_OPTICS, "wants_file", *FILE)


def create() -> dict[str, Any]:
    """Make the settings by name."""
    modalities = list(focus_settings.MODALITIES)
    return {
        "image_name": ImageSubscriber("Select the input image", "None", doc=_IMAGE),
        "restored_name": ImageName("Name the output image", "RestoredImage", doc=_RESTORED_NAME),
        "when": Choice("Restore", [ALWAYS, CONDITIONAL], ALWAYS, doc=_WHEN),
        "measurement": Measurement("Select the measurement", lambda: IMAGE, doc=_MEASUREMENT),
        "smallest_value": OptionalFloat("Restore from this value on", 3.0, doc=_SMALLEST_VALUE),
        "largest_value": OptionalFloat("Restore up to this value", None, doc=_LARGEST_VALUE),
        "method_divider": Divider(),
        "method": Choice("Method", list(METHODS), NETWORK, doc=_METHOD),
        "model": Text("Model", "default", doc=_MODEL),
        "iterations": Integer("Iterations of Richardson-Lucy", 30, 1, 1000, doc=_ITERATIONS),
        "uncertainty": Binary("Make an uncertainty image?", False, doc=_UNCERTAINTY),
        "uncertainty_name": ImageName("Name the uncertainty image", "RestorationError", doc=_UNCERTAINTY_NAME),
        "focus_divider": Divider(),
        "defocus_level": OptionalFloat("Defocus level, if it is known (levels)", None, 0.0, doc=_DEFOCUS_LEVEL),
        "check_focus": Binary("Measure the focus first?", True, doc=_CHECK_FOCUS),
        "smallest_level": Float("Restore from this level on (levels)", 2.5, 0.0, 10.0, doc=_SMALLEST_LEVEL),
        "modality": Choice("Kind of microscope", modalities, modalities[0], doc=_MODALITY),
        "saturation_level": focus_settings.create_saturation_level(),
        "optics_divider": Divider(),
        **focus_settings.create_optics(_WANTS_OPTICS),
        "file_divider": Divider(),
        "wants_file": Binary("Save the restored image as a marked TIFF?", False, doc=_WANTS_FILE),
        "directory": Directory("Output file location", f"{DEFAULT_OUTPUT_FOLDER_NAME}|", doc=_DIRECTORY),
        "suffix": Text("Text to append to the file name", "_restored", metadata=True, doc=_SUFFIX),
        "overwrite": Binary("Overwrite existing files without warning?", False, doc=_OVERWRITE),
    }


def in_use(module: Any) -> list[str]:
    """List the settings that matter with the present choices, in the order in which they are shown."""
    network, iterated = module.method.value == NETWORK, module.method.value in _ITERATED
    level_unknown = not module.defocus_level.value_text.strip()
    measured = level_unknown and module.check_focus.value
    shown = ["image_name", "restored_name", "when", *_if(module.when.value == CONDITIONAL, *CONDITION)]
    shown += ["method_divider", "method", *_if(network, "model", "uncertainty"), *_if(iterated, "iterations")]
    shown += _if(network and module.uncertainty.value, "uncertainty_name")
    shown += ["focus_divider", "defocus_level", *_if(level_unknown, "check_focus")]
    shown += [*_if(measured, "smallest_level", "modality"), "saturation_level"]
    shown += ["optics_divider", "wants_optics", *_if(module.wants_optics.value, *focus_settings.PLANE_OPTICS)]
    return [*shown, "file_divider", "wants_file", *_if(module.wants_file.value, *FILE)]


def _if(holds: bool, *names: str) -> list[str]:
    return list(names) if holds else []


_IMAGE = """\
Select the image to restore: grayscale or color, a single plane or a stack, as it was loaded. The colors of a color
image are restored each by itself, the planes of a stack too. Use one copy of this module for each channel. The whole
image is restored, whatever is masked out, and the mask is passed on."""

_RESTORED_NAME = """\
Enter the name by which other modules will refer to the restored image. There is always one: where an image is sharp,
cannot be restored, or is not to be restored, it is the input image unchanged, so that the pipeline goes on. Do not
measure intensity or texture on it, but on the input image."""

_WHEN = f"""\
-  *{ALWAYS}:* Every image is looked at. Images in focus and images that are beyond restoring are still left alone,
   unless you tell the module not to measure the focus first.
-  *{CONDITIONAL}:* An image is looked at only where a measurement of the same image set lies in a range. Elsewhere the
   output image is the input image."""

_MEASUREMENT = f"""\
*(Used only if "{CONDITIONAL}" is selected)*

Select the image measurement to go by, made by a module before this one: *ImageFocus_Score_DNA* of
**MeasureImageFocus**, to be restored from 3 on for instance; or a flag, such as those that **FlagImage** and
**FlagDefocused** set under *Metadata*, to be restored from 1 on. Where the measurement is NaN the image is not
restored, and *Reason* says so."""

_SMALLEST_VALUE = f"""\
*(Used only if "{CONDITIONAL}" is selected)*

Images with a smaller value are not restored. Leave it blank if only large values are to be left out. For a flag enter
1."""

_LARGEST_VALUE = f"""\
*(Used only if "{CONDITIONAL}" is selected)*

Images with a larger value are not restored. Leave it blank if only small values are to be left out."""

_METHOD = f"""\
-  *{NETWORK}:* A neural network that was trained on pairs of sharp and blurred images. It corrects the level place by
   place, and can say how sure it is.
-  *{_OTHER_METHODS[0]}:* Richardson-Lucy deconvolution with the point spread function (PSF) of the optics at the level
   of the image, by scikit-image.
-  *{_OTHER_METHODS[1]}:* The same with the Gaussian PSF that is nearest to it.
-  *{_OTHER_METHODS[2]}:* Unsupervised Wiener deconvolution with the PSF of the optics at the level of the image, by
   scikit-image.

The last three are there to compare with: they enhance noise, and ring about edges."""

_MODEL = f"""\
*(Used only for the method {NETWORK})*

Name of a restoration model that comes with Parfocal, or the path of the folder or package (.zip) of a model of your
own (made with *parfocal train restorer*). Leave it at *default* unless you have a reason."""

_ITERATIONS = """\
*(Used only for the methods Richardson-Lucy)*

Number of iterations. More of them sharpen more, take longer, and enhance noise."""

_UNCERTAINTY = f"""\
*(Used only for the method {NETWORK})*

Select *Yes* to get a second image that holds for each pixel the standard deviation of the error to be expected, on the
scale of the image; it is 0 where nothing was changed. It takes four times as long."""

_UNCERTAINTY_NAME = """\
*(Used only if an uncertainty image is made)*

Enter the name by which other modules, such as **SaveImages**, will refer to the uncertainty image."""

_DEFOCUS_LEVEL = """\
Leave it blank to have the level measured. If you know by how much all these images are out of focus, enter it here, in
levels of blur of the image's own pixels (3.08 pixels of blur each): it is then not measured, and no image counts as
sharp."""

_CHECK_FOCUS = """\
*(Used only if the level is not given)*

Select *Yes* to have the focus measured as **MeasureImageFocus** does, and only those planes restored that are out of
focus and not too far. Select *No* only for models of your own that need no level, such as the networks of Xue et al.
made for other kinds of images: every image is then restored, also a sharp one, and *Warnings* says *unchecked*."""

_SMALLEST_LEVEL = """\
*(Used only if the focus is measured)*

Planes with a smaller level count as sharp and are left alone. Levels go from 0, in focus, to 10, worst; images of level
10 cannot be told from worse ones and are never restored."""

_MODALITY = """\
*(Used only if the focus is measured)*

Select how the images were taken. A level is measured, and the model that comes with Parfocal restores, for widefield
fluorescence alone: images of other kinds get the status *out_of_domain* and come out unchanged."""

_WANTS_OPTICS = """\
Select *Yes* if you know the objective and the pixel size. Without them the module takes those of its model (0.65 um
pixels, NA 0.5, 0.5 um), and *Warnings* says *optics_assumed*: the shape of the blur is then less exact."""

_WANTS_FILE = """\
Select *Yes* to have each restored image saved as an OME-TIFF file, in the counts of the input image, whose description
says that it was restored and is not for quantification. Images that were not restored are not saved. **SaveImages**
cannot write such a mark: what it saves does not say that it was restored. Images of a file that has the mark are not
restored once more. In test mode nothing is saved."""

_DIRECTORY = """\
*(Used only if a marked TIFF is saved)*

Folder for the files. It is made if it does not exist; subfolders may be named by metadata."""

_SUFFIX = """\
*(Used only if a marked TIFF is saved)*

Text that is put after the name of the file that the image came from, without its extension: of *field1.tif* comes
*field1_restored.ome.tif*. Give different texts to copies of this module that restore channels of the same file.
Metadata can be used."""

_OVERWRITE = """\
*(Used only if a marked TIFF is saved)*

Select *Yes* to have files of an earlier run replaced. With *No* the run does not start where a file that may be written
exists already. The file that an image was loaded from is never replaced."""
