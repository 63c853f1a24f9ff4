"""
FlagDefocused
=============

**FlagDefocused** says which images are out of focus, flags them as
**FlagImage** does, and can skip the rest of the pipeline for them.

A small neural network, trained on sharp and on defocused images, gives each
image the probability that it is defocused (after Xue et al. 2021). It is
flagged where that lies above a threshold. The defocus level of
**MeasureImageFocus** is measured beside it: where the two contradict each
other strongly, there is no answer, and a person has to look.

Where **MeasureImageFocus** says by how much an image, or a part of it, is out
of focus, this module decides about the whole image. Follow it by
**RestoreDefocus** to restore what was flagged: restore only where the
measurement *Metadata_Defocused_...* is 1.

An image that an earlier module of the pipeline has restored, or that was
loaded from a file that is marked as restored, is not sorted as if it were as
the camera saw it: it has no answer, with the status *already_restored*.

|

============ ============ ===============
Supports 2D? Supports 3D? Respects masks?
============ ============ ===============
YES          YES          NO
============ ============ ===============

What do I need as input?
^^^^^^^^^^^^^^^^^^^^^^^^

Images of widefield fluorescence, of at least 84 x 84 pixels, as they were
loaded. For other kinds of microscope train a model of your own with *parfocal
train sorter*. A stack counts as defocused where its sharpest plane is. Masks
are not regarded.

The Python package Parfocal must be installed in CellProfiler's Python, or in
another one that *parfocal install cellprofiler* has named. If it is in
neither, the module says how to install it when it is run.

Measurements made by this module
^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

*Flags*, 1 or 0:

-  *Metadata_Defocused_...*, followed by the name of the image: whether the
   image is flagged, as defocused or because it has no answer.
-  *Metadata_QCDefocused*, or the name of your choice: whether the image set
   is flagged.

*Image measurements*, each followed by the name of the image. Numbers are NaN
where there is no answer.

-  *Probability:* That the image is defocused, 0 to 1.
-  *Defocused:* 1 if the probability lies above the threshold, 0 if not.
-  *Answered:* 1 if there is an answer, 0 if not.
-  *Threshold:* The threshold that was used.
-  *DefocusLevel:* The level that was measured beside it, 0 (in focus) to 10
   (worst).
-  *SharpestPlane:* Index of the plane of a stack that stands for it, counted
   from 0.
-  *Status:* (text) *ok*, or why there is no answer: *blank*, *saturated*,
   *too_small*, *not_finite*, *no_content* (nothing but background),
   *out_of_range* (optics too far from the model's), *out_of_domain* (the
   model is for other kinds of microscope), *disagreement* (sorter and level
   contradict each other) or *already_restored*.
-  *Reason:* (text) The same as a sentence, with the value at fault.
-  *Warnings:* (text) What makes an answer deserve care: *level_unchecked*
   (the level was not measured, or has no answer), *optics_incomplete* (pixel
   size, NA and wavelength are used only together), *partly_saturated*,
   *hot_pixels* (single bright pixels were left out), *few_sharp_images*
   (too few for the wanted rate of false alarms) or *doubtful_sharp_images*
   (some of them are defocused by their level).

See also
^^^^^^^^

See also **MeasureImageFocus**, **FlagImage**, **RestoreDefocus** and
**LoadData**.

References
^^^^^^^^^^

-  Xue Y, Qian H, Li X, et al. (2021) "A deep-learning-based workflow to deal
   with the defocusing problem in high-throughput experiments", *Bioactive
   Materials* 11:218-229.
   `(link) <https://doi.org/10.1016/j.bioactmat.2021.09.018>`__
"""  # noqa: D205, D400, D405, D407 (CellProfiler's own form of help)

from __future__ import annotations

from typing import Any

from cellprofiler_core.constants.measurement import COLTYPE_INTEGER, IMAGE
from cellprofiler_core.constants.workspace import DISPOSITION_SKIP
from cellprofiler_core.module import Module
from cellprofiler_core.setting import HiddenCount
from cellprofiler_core.setting.do_something import DoSomething

if __package__:
    from . import _parfocal_flag_checks as checks
    from . import _parfocal_flag_names as names
    from . import _parfocal_flag_run as flag_run
    from . import _parfocal_flag_settings as flag_settings
    from . import _parfocal_flag_threshold as flag_threshold
    from . import _parfocal_flag_window as flag_window
    from . import _parfocal_focus_checks as focus_checks
    from . import _parfocal_focus_settings as focus_settings
    from . import _parfocal_host as host
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_flag_checks as checks
    import _parfocal_flag_names as names
    import _parfocal_flag_run as flag_run
    import _parfocal_flag_settings as flag_settings
    import _parfocal_flag_threshold as flag_threshold
    import _parfocal_flag_window as flag_window
    import _parfocal_focus_checks as focus_checks
    import _parfocal_focus_settings as focus_settings
    import _parfocal_host as host


class FlagDefocused(Module):  # noqa: D101 (CellProfiler shows the file's docstring where a class has none)
    module_name = "FlagDefocused"
    category = "Data Tools"
    variable_revision_number = 1

    def create_settings(self) -> None:
        """Make one group of image settings, and those that hold for all images."""
        self.images: list[Any] = []
        self.image_count = HiddenCount(self.images, "Image count")
        self.add_image()
        self.add_image_button = DoSomething("", "Add another image", self.add_image, doc="Sort one more image.")
        for name, setting in flag_settings.create().items():
            setattr(self, name, setting)

    def add_image(self) -> None:
        """Add settings for one more image."""
        self.images.append(flag_settings.image_group(self.images))

    def settings(self) -> list[Any]:
        """All settings in the order in which a pipeline stores them."""
        images = [group.image_name for group in self.images]
        return [self.image_count, *images, *(getattr(self, name) for name in flag_settings.SETTINGS)]

    def prepare_settings(self, setting_values: list[str]) -> None:
        """Make as many image groups as a pipeline has stored."""
        count = int(setting_values[0])
        del self.images[count:]
        while len(self.images) < count:
            self.add_image()

    def visible_settings(self) -> list[Any]:
        """List the settings that matter with the present choices."""
        images = [setting for group in self.images for setting in group.visible_settings()]
        return [*images, self.add_image_button, *(getattr(self, name) for name in flag_settings.in_use(self))]

    def upgrade_settings(
        self, setting_values: list[str], variable_revision_number: int, module_name: str
    ) -> tuple[list[str], int]:
        """Read pipelines of earlier revisions, of which there are none yet."""
        return setting_values, variable_revision_number

    def volumetric(self) -> bool:
        """Stacks are sorted plane by plane."""
        return True

    def validate_module(self, pipeline: Any) -> None:
        """Raise ValidationError with the setting at fault."""
        checks.check_images(self)
        checks.check_columns(self, pipeline)
        checks.check_threshold(self)
        if self.wants_optics:
            focus_checks.check_optics(self)
        focus_checks.check_model(self.model, checks.TASK)

    def prepare_run(self, workspace: Any) -> bool:
        """Check settings and sharp images before the first image, which CellProfiler does not do headless."""
        host.check_settings(self, workspace.pipeline)
        checks.check_sharp_images(self)
        self.get_dictionary().clear()
        return True

    def prepare_to_create_batch(self, workspace: Any, fn_alter_path: Any) -> None:
        """Bring the folder to the file system of the computers that run the batch."""
        self.sharp_folder.alter_for_create_batch_files(fn_alter_path)

    def arguments(self) -> dict[str, Any]:
        """Arguments of `flag_defocused` beside the image, as far as they matter."""
        shown = flag_settings.in_use(self)
        values = {name: getattr(self, name).value for name in flag_settings.OPTIONS if name in shown}
        values["modality"] = focus_settings.modality_name(self.modality.value)
        return values

    def flag_column(self) -> str:
        """Name the column of the flag of the image set."""
        return f"{self.category_name.value}_{self.flag_name.value}"

    def run(self, workspace: Any) -> None:
        """Sort every image, store numbers and flags, and skip the rest of the pipeline if that is asked for."""
        with host.missing_packages_explained(self.module_name):
            threshold = flag_threshold.threshold_of(self)
            images = [flag_run.sort_image(self, workspace, group.image_name.value, threshold) for group in self.images]
        flagged = flag_run.set_flagged(self, images)
        for image in images:
            self._store(workspace.measurements, image)
        workspace.measurements.add_image_measurement(self.flag_column(), int(flagged))
        skips = flagged and self._may_skip(workspace.measurements)
        if skips:
            workspace.disposition = DISPOSITION_SKIP
        if self.show_window:
            workspace.display_data.window = flag_window.window_data(images, self.flag_column(), flagged, skips)

    def _store(self, measurements: Any, image: flag_run.SortedImage) -> None:
        for feature, number in image.features().items():
            measurements.add_image_measurement(names.column(feature, image.image_name), number)
        for feature, text in image.texts().items():
            measurements.add_image_measurement(names.column(feature, image.image_name), text[: names.TEXTS[feature]])
        measurements.add_image_measurement(names.image_flag(image.image_name), int(image.flagged))

    def _may_skip(self, measurements: Any) -> bool:
        if self.action.value != flag_settings.SKIP:
            return False
        return not (self.ignore_skip_on_last.value and measurements.group_index == measurements.group_length)

    def display(self, workspace: Any, figure: Any) -> None:
        """Show each image with its verdict and numbers, and what becomes of the image set."""
        flag_window.draw(figure, workspace.display_data.window)

    def get_measurement_columns(self, pipeline: Any) -> list[tuple[str, str, str]]:
        """Columns for the export modules: object or image, name, type."""
        columns = []
        for group in self.images:
            image = group.image_name.value
            for feature in (*names.FEATURES, *names.TEXTS):
                columns.append((IMAGE, names.column(feature, image), names.column_type(feature)))
            columns.append((IMAGE, names.image_flag(image), COLTYPE_INTEGER))
        return [*columns, (IMAGE, self.flag_column(), COLTYPE_INTEGER)]

    def get_categories(self, pipeline: Any, object_name: str) -> list[str]:
        """Name the categories of measurements and flags, if images are asked for."""
        if object_name != IMAGE:
            return []
        return list(dict.fromkeys([names.CATEGORY, names.METADATA, self.category_name.value]))

    def get_measurements(self, pipeline: Any, object_name: str, category: str) -> list[str]:
        """Name the features of a category."""
        if category not in self.get_categories(pipeline, object_name):
            return []
        found = [*names.FEATURES, *names.TEXTS] if category == names.CATEGORY else []
        found += [names.FLAG] if category == names.METADATA else []
        return found + ([self.flag_name.value] if category == self.category_name.value else [])

    def get_measurement_images(self, pipeline: Any, object_name: str, category: str, measurement: str) -> list[str]:
        """Name the images that a feature is measured on; the flag of the image set belongs to none."""
        of_set = category == self.category_name.value and measurement == self.flag_name.value
        if of_set or measurement not in self.get_measurements(pipeline, object_name, category):
            return []
        return [group.image_name.value for group in self.images]
