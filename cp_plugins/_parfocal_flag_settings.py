"""Settings of FlagDefocused with their help; names, defaults and ranges are those of `flag_defocused`."""

from __future__ import annotations

from typing import Any

from cellprofiler_core.preferences import ABSOLUTE_FOLDER_NAME
from cellprofiler_core.setting import Binary, Divider, SettingsGroup
from cellprofiler_core.setting.choice import Choice
from cellprofiler_core.setting.do_something import RemoveSettingButton
from cellprofiler_core.setting.subscriber import ImageSubscriber
from cellprofiler_core.setting.text import Alphanumeric, Directory, Float, Text

if __package__:
    from . import _parfocal_focus_settings as focus_settings
    from ._parfocal_host import OptionalFloat
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_focus_settings as focus_settings
    from _parfocal_host import OptionalFloat

ANY, ALL = "Flag if any image is flagged", "Flag if all images are flagged"
MARK, SKIP = "Mark only", "Skip the rest of the pipeline"
OWN, GIVEN, SHARP = "The model's own", "A number", "From sharp images of your own"
WIDEFIELD = focus_settings.MODALITIES[0]
# Arguments of the command beside the image.
OPTIONS = ("threshold", *focus_settings.PLANE_OPTICS, "modality", "check_level", "saturation_level", "model")
# In the order in which they are stored, after the images; shown in that of `in_use`.
SETTINGS = ("combination", "flag_unanswered", "category_name", "flag_name", "action", "ignore_skip_on_last")
SETTINGS += ("threshold_from", "threshold", "sharp_folder", "false_alarm_rate", "model", "check_level")
SETTINGS += ("modality", "saturation_level", "wants_optics", *focus_settings.PLANE_OPTICS)


def image_group(groups: list[SettingsGroup]) -> SettingsGroup:
    """Make the settings for one more image; the first one cannot be removed."""
    group = SettingsGroup()
    group.append("divider", Divider(line=bool(groups)))
    group.append("image_name", ImageSubscriber("Select an image to sort", "None", doc=_IMAGE))
    if groups:
        group.append("remover", RemoveSettingButton("", "Remove this image", groups, group))
    return group


def create() -> dict[str, Any]:
    """Make the settings that hold for all images, by name."""
    return {
        "flag_divider": Divider(),
        "combination": Choice("How should the images be linked?", [ANY, ALL], ANY, doc=_COMBINATION),
        "flag_unanswered": Binary("Flag images without an answer?", True, doc=_FLAG_UNANSWERED),
        "category_name": Alphanumeric("Name the flag's category", "Metadata", doc=_CATEGORY_NAME),
        "flag_name": Alphanumeric("Name the flag", "QCDefocused", doc=_FLAG_NAME),
        "action": Choice("What to do with a flagged image set", [MARK, SKIP], MARK, doc=_ACTION),
        "ignore_skip_on_last": Binary("Ignore flag skips on last cycle?", False, doc=_IGNORE_SKIP_ON_LAST),
        "threshold_divider": Divider(),
        "threshold_from": Choice("Where does the threshold come from?", [OWN, GIVEN, SHARP], OWN, doc=_THRESHOLD_FROM),
        "threshold": OptionalFloat("Threshold", None, 0.0, 1.0, doc=_THRESHOLD),
        "sharp_folder": Directory(
            "Folder of sharp images", f"{ABSOLUTE_FOLDER_NAME}|", allow_metadata=False, doc=_SHARP_FOLDER
        ),
        "false_alarm_rate": Float("Rate of false alarms", 0.01, 0.0001, 0.9999, doc=_FALSE_ALARM_RATE),
        "model_divider": Divider(),
        "model": Text("Model", "default", doc=_MODEL),
        "modality": Choice("Kind of microscope", list(focus_settings.MODALITIES), WIDEFIELD, doc=_MODALITY),
        "check_level": Binary("Hold it against the measured level?", True, doc=_CHECK_LEVEL),
        "saturation_level": focus_settings.create_saturation_level(),
        "optics_divider": Divider(),
        **focus_settings.create_optics(_WANTS_OPTICS),
    }


def in_use(module: Any) -> list[str]:
    """List the settings below the images that matter with the present choices, in the order in which they are shown."""
    source, several = module.threshold_from.value, len(module.images) > 1
    shown = ["flag_divider", *_if(several, "combination"), "flag_unanswered", "category_name", "flag_name", "action"]
    shown += _if(module.action.value == SKIP, "ignore_skip_on_last")
    shown += ["threshold_divider", "threshold_from", *_if(source == GIVEN, "threshold")]
    shown += _if(source == SHARP, "sharp_folder", "false_alarm_rate")
    shown += ["model_divider", "model", "modality", *_if(module.modality.value == WIDEFIELD, "check_level")]
    shown += ["saturation_level", "optics_divider", "wants_optics"]
    return [*shown, *_if(module.wants_optics.value, *focus_settings.PLANE_OPTICS)]


def _if(holds: bool, *names: str) -> list[str]:
    return list(names) if holds else []


_IMAGE = """\
Select the image to sort: grayscale or color, a single plane or a stack. Of a color image the mean of red, green and
blue is looked at; a stack counts as defocused where its sharpest plane is. Sort images as they were loaded, before any
module that smooths, resizes or rescales them. The image should be at least 84 pixels wide and high; it is looked at as
a whole, whatever is masked out."""

_COMBINATION = f"""\
*(Used only if several images are sorted)*

Each image has a flag of its own; this decides when the image set is flagged.

-  *{ANY}:* One image is enough. Select this where every channel is needed.
-  *{ALL}:* The image set is flagged only if none of its images passes."""

_FLAG_UNANSWERED = """\
Images that are blank, saturated, too small, restored before, or about which sorter and measured level contradict each
other, have no answer. Select *Yes* to have them flagged, so that nobody analyzes them unseen. Select *No* to let them
pass; *FlagDefocused_Answered* tells them from images in focus."""

_CATEGORY_NAME = """\
Category of the flag of the image set. *Metadata* is what **FlagImage** uses too: later modules, **LoadData** and
programs such as pycytominer then take the flag for information about the image set. The flags of single images are
always under *Metadata*."""

_FLAG_NAME = """\
Name of the flag of the image set. It is stored as a measurement named by category and name, such as
*Metadata_QCDefocused*: 1 if the image set is flagged, 0 if not."""

_ACTION = f"""\
-  *{MARK}:* The flags are stored and the pipeline goes on, for instance to restore the image with **RestoreDefocus**.
-  *{SKIP}:* The modules below this one do not run for a flagged image set, as with **FlagImage**. It has its flags and
   what was measured before in the tables of **ExportToSpreadsheet**, but no objects; **ExportToDatabase** leaves it
   out. In test mode the pipeline goes to its last module, and the window of this module says why."""

_IGNORE_SKIP_ON_LAST = f"""\
*(Used only if "{SKIP}" is selected)*

Select *Yes* to run the rest of the pipeline for the last image set of a group even if it is flagged. This is usually
not desired, but may be useful where **SaveImages** saves on the last cycle what other modules have collected."""

_THRESHOLD_FROM = f"""\
An image whose probability of being defocused lies above the threshold is flagged.

-  *{OWN}:* The threshold that the model was made with, 0.55 for the one that comes with Parfocal.
-  *{GIVEN}:* Enter it.
-  *{SHARP}:* Images of yours that you know to be sharp decide how high it must be, so that a wanted share of sharp
   images at most is flagged."""

_THRESHOLD = f"""\
*(Used only if "{GIVEN}" is selected)*

Probability, 0 to 1, above which an image is flagged. A higher one flags fewer images."""

_SHARP_FOLDER = f"""\
*(Used only if "{SHARP}" is selected)*

Folder of images that are known to be sharp, with its subfolders. They must be of the kind that is sorted: the same
stain, cells and objective; all images of this module share the threshold, so use one copy of the module for each
channel if they differ. The sharp images are sorted with the settings of this module when the first image set is
run; analysis workers take over what the first one has found, except where image sets are grouped: then each of them
works it out once."""

_FALSE_ALARM_RATE = f"""\
*(Used only if "{SHARP}" is selected)*

Share of sharp images that may be flagged. A new sharp image is flagged with this probability at most (split conformal
prediction). A rate of 0.01 takes at least 99 sharp images; with fewer the lowest rate that they can promise is kept,
and *Warnings* says *few_sharp_images*."""

_MODEL = """\
Name of a sorting model that comes with Parfocal, or the path of the folder or package (.zip) of a model of your own
(made with *parfocal train sorter*). Leave it at *default* unless you have a reason."""

_MODALITY = f"""\
Select how the images were taken. The model that comes with Parfocal is for widefield fluorescence alone: images of
other kinds get the status *out_of_domain* and have no answer. A model of your own is for what it was trained on. The
level that the answer is held against is defined for *{WIDEFIELD}* alone."""

_CHECK_LEVEL = f"""\
*(Used only for {WIDEFIELD})*

Select *Yes* to have the defocus level measured too, as **MeasureImageFocus** does, and to get no answer but the status
*disagreement* where the two contradict each other strongly. Select *No* to save the time."""

_WANTS_OPTICS = """\
Select *Yes* if you know the objective and the pixel size. The image is then brought to the scale that the model was
trained at. Without them it is looked at as it is."""
