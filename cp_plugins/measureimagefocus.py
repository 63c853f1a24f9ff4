"""
MeasureImageFocus
=================

**MeasureImageFocus** measures by how much each image is out of focus, and
how certain that is.

Focus metrics such as the power log-log slope of **MeasureImageQuality**
rank the images of one experiment: what is a good value depends on the
stain, the cells and the exposure, and a threshold must be found anew each
time. This module gives an *absolute* answer instead. The image is cut into
patches of 84 x 84 pixels, and a small neural network, trained on
images that were defocused by the laws of optics, says for each patch how
likely each of 11 defocus levels is: 0 is in focus, 10 is worst, and one
level is about one depth of field of the objective. Patches with nothing in
them have a low certainty and do not count. Brightness and background do
not change the answer, and nothing has to be trained or chosen.

To keep bad images out of an analysis, follow this module by **FlagImage**
with *two* measurements in one flag and *Flag if any fail*:

-  *ImageFocus_Score_...* with a maximum, 3 for instance;

-  *ImageFocus_Answered_...* with a minimum of 1.

Do not leave out the second. A blank or saturated image has no score (it is
NaN), and **FlagImage** lets NaN pass.

|

============ ============ ===============
Supports 2D? Supports 3D? Respects masks?
============ ============ ===============
YES          YES          YES
============ ============ ===============

What do I need as input?
^^^^^^^^^^^^^^^^^^^^^^^^

Images of widefield fluorescence, of at least 84 x 84 pixels, as
they were loaded. For other kinds of microscope see the setting *Kind of
microscope*. Of a stack every plane is measured, and the answer is that of
its sharpest plane.

The Python package Parfocal must be installed in CellProfiler's Python, or in
another one that *parfocal install cellprofiler* has named. If it is in
neither, the module says how to install it when it is run.

Measurements made by this module
^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

*Image measurements*, each followed by the name of the image. Numbers are NaN
where there is no answer.

-  *Score:* The defocus level, 0 (in focus) to 10 (worst), a fraction: the
   mean of the distribution over the levels.
-  *PredictedLevel:* The most probable level, a whole number.
-  *Certainty:* Certainty of the image's distribution, 0 to 1. Low where
   parts of the image are at different levels.
-  *MeanCertainty:* Mean certainty of the patches, 0 to 1.
-  *BlurDiameterPx:* Diameter of the blur in pixels of the image.
-  *DefocusDistanceUm:* Distance from the focal plane in micrometers, without
   a sign. Given only if the optics are.
-  *Answered:* 1 if there is an answer, 0 if not.
-  *SharpestPlane:* Index of the sharpest plane, counted from 0.
-  *SharpestPlaneZUm:* Its height above the first plane in micrometers. Given
   only if the z step is.
-  *Status:* (text) *ok*, or why there is no answer: *blank*, *saturated*,
   *too_small*, *not_finite*, *masked_out*, *no_content* (nothing but
   background), *out_of_range* (optics too far from the model's) or
   *out_of_domain* (no level is defined for this kind of microscope, or it
   cannot be told: patches are unsure, or parts of the image disagree).
-  *Reason:* (text) The same as a sentence, with the value at fault.
-  *Warnings:* (text) What makes an answer deserve care, such as
   *partly_saturated*, *rank_only*, *worst_level_or_beyond* or *mixed_focus*
   (parts of the image lie at other levels).
-  *PowerLogLogSlope, Brenner, Tenengrad, VarianceOfLaplacian,
   NormalisedVariance, VollathF4, ImageCorrelation, BandPower:* Classical
   focus metrics, if asked for; higher is sharper.

*Object measurements*, if objects are selected, each followed by the name of
the image: *Score*, *Certainty* and *Answered*, as above.

See also
^^^^^^^^

See also **FlagImage**, **MeasureImageQuality**, **SaveImages** (for the
overlay image) and **DisplayPlatemap**.

References
^^^^^^^^^^

-  Yang SJ, Berndl M, Ando DM, et al. (2018) "Assessing microscope image
   focus quality with deep learning", *BMC Bioinformatics* 19:77.
   `(link) <https://doi.org/10.1186/s12859-018-2087-4>`__
-  Bray MA, Fraser AN, Hasaka TP, Carpenter AE (2012) "Workflow and metrics
   for image quality control in large-scale high-content screens", *Journal
   of Biomolecular Screening* 17(2):266-274.
   `(link) <https://doi.org/10.1177/1087057111420292>`__
"""  # noqa: D205, D400, D405, D407 (CellProfiler's own form of help)

from __future__ import annotations

from typing import Any

from cellprofiler_core.constants.measurement import COLTYPE_FLOAT, IMAGE
from cellprofiler_core.module import Module
from cellprofiler_core.setting import Divider, HiddenCount
from cellprofiler_core.setting.do_something import DoSomething

if __package__:
    from . import _parfocal_focus_checks as checks
    from . import _parfocal_focus_names as names
    from . import _parfocal_focus_run as focus_run
    from . import _parfocal_focus_settings as focus_settings
    from . import _parfocal_host as host
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_focus_checks as checks
    import _parfocal_focus_names as names
    import _parfocal_focus_run as focus_run
    import _parfocal_focus_settings as focus_settings
    import _parfocal_host as host


class MeasureImageFocus(Module):  # noqa: D101 (CellProfiler shows the file's docstring where a class has none)
    module_name = "MeasureImageFocus"
    category = "Measurement"
    variable_revision_number = 2

    def create_settings(self) -> None:
        """Make one group of image settings, no objects, and the options."""
        self.images: list[Any] = []
        self.image_count = HiddenCount(self.images, "Image count")
        self.add_image()
        self.add_image_button = DoSomething("", "Add another image", self.add_image, doc="Measure one more image.")
        self.objects: list[Any] = []
        self.object_count = HiddenCount(self.objects, "Object count")
        self.add_objects_button = DoSomething("", "Add objects", self.add_objects, doc=focus_settings.OBJECTS_HELP)
        self.optics_divider, self.options_divider = Divider(), Divider()
        for name, setting in focus_settings.create_options().items():
            setattr(self, name, setting)

    def add_image(self) -> None:
        """Add settings for one more image."""
        self.images.append(focus_settings.image_group(self.images))

    def add_objects(self) -> None:
        """Add settings for one more set of objects."""
        self.objects.append(focus_settings.object_group(self.objects))

    def settings(self) -> list[Any]:
        """All settings in the order in which a pipeline stores them."""
        stored = [self.image_count, self.object_count]
        stored += [getattr(group, name) for group in self.images for name in focus_settings.IMAGE_SETTINGS]
        stored += [group.object_name for group in self.objects]
        return stored + [getattr(self, name) for name in focus_settings.OPTIONS]

    def prepare_settings(self, setting_values: list[str]) -> None:
        """Make as many image and object groups as a pipeline has stored."""
        for groups, count, add in (
            (self.images, int(setting_values[0]), self.add_image),
            (self.objects, int(setting_values[1]), self.add_objects),
        ):
            del groups[count:]
            while len(groups) < count:
                add()

    def visible_settings(self) -> list[Any]:
        """List the settings that matter with the present choices."""
        shown: list[Any] = []
        for group in self.images:
            hidden = [] if group.wants_overlay else [group.overlay_name]
            hidden += [] if group.wants_sharpest_plane else [group.sharpest_plane_name]
            shown += [setting for setting in group.visible_settings() if setting not in hidden]
        shown.append(self.add_image_button)
        for group in self.objects:
            shown += group.visible_settings()
        shown += [self.add_objects_button, self.optics_divider, self.wants_optics]
        if self.wants_optics:
            shown += [getattr(self, name) for name in focus_settings.OPTICS]
        return [*shown, self.options_divider, *(getattr(self, name) for name in focus_settings.OTHERS)]

    def upgrade_settings(
        self, setting_values: list[str], variable_revision_number: int, module_name: str
    ) -> tuple[list[str], int]:
        """Read pipelines of earlier revisions.

        Revision 1 is the module of the same name that CellProfiler's plugin collection had: its one setting is the
        image.
        """
        if variable_revision_number == 1:
            image = [setting_values[0], "No", "FocusOverlay", "No", "SharpestPlane"]
            options = ["No", "", "", "", "1.0", "", "Widefield fluorescence", "0.0", "", "No", "default"]
            setting_values, variable_revision_number = ["1", "0", *image, *options], 2
        return setting_values, variable_revision_number

    def volumetric(self) -> bool:
        """Stacks are measured plane by plane."""
        return True

    def validate_module(self, pipeline: Any) -> None:
        """Raise ValidationError with the setting at fault."""
        checks.check_names(self.images, self.objects)
        if self.wants_optics:
            checks.check_optics(self)
        checks.check_levels(self.black_level, self.saturation_level)
        checks.check_model(self.model)

    def prepare_run(self, workspace: Any) -> bool:
        """Check the settings before the first image, which CellProfiler does not do when it runs headless."""
        host.check_settings(self, workspace.pipeline)
        return True

    def arguments(self) -> dict[str, Any]:
        """Arguments of `measure_image_focus` beside image, mask and labels."""
        values = {name: getattr(self, name).value for name in focus_settings.OPTIONS if name != "wants_optics"}
        if not self.wants_optics:
            for name in focus_settings.OPTICS:
                del values[name]
        values["modality"] = focus_settings.modality_name(self.modality.value)
        return values

    def run(self, workspace: Any) -> None:
        """Measure every image, store the numbers, and make the images that were asked for."""
        object_names = [group.object_name.value for group in self.objects]
        arguments = self.arguments()
        with host.missing_packages_explained(self.module_name):
            measured = [
                focus_run.measure(workspace, group.image_name.value, object_names, arguments) for group in self.images
            ]
            for group, focus in zip(self.images, measured):
                self._store(workspace, focus)
                if group.wants_overlay:
                    workspace.image_set.add(group.overlay_name.value, focus.overlay_image())
                if group.wants_sharpest_plane:
                    workspace.image_set.add(group.sharpest_plane_name.value, focus.sharpest_plane_image())
            if self.show_window:
                workspace.display_data.tables = [focus.table() for focus in measured]
                workspace.display_data.overlays = [focus.sharpest_overlay() for focus in measured]

    def _store(self, workspace: Any, focus: focus_run.MeasuredImage) -> None:
        measurements = workspace.measurements
        numbers = focus.result.features()
        if self.classical_metrics:
            numbers.update(focus.result.metrics())
        for feature, value in numbers.items():
            measurements.add_image_measurement(names.column(feature, focus.image_name), value)
        for feature, text in focus.texts().items():
            measurements.add_image_measurement(names.column(feature, focus.image_name), text[: names.TEXTS[feature]])
        for object_name, columns in focus.object_features().items():
            for feature, values in columns.items():
                measurements.add_measurement(object_name, names.column(feature, focus.image_name), values)

    def display(self, workspace: Any, figure: Any) -> None:
        """Show for each image its patches, coloured by level, beside its numbers."""
        tables, overlays = workspace.display_data.tables, workspace.display_data.overlays
        figure.set_subplots((2, len(tables)))
        for row, (group, table, overlay) in enumerate(zip(self.images, tables, overlays)):
            title = f"{group.image_name.value}: red is in focus, violet is worst, dark is uncertain"
            figure.subplot_imshow_color(0, row, overlay, title=title, normalize=None)
            figure.subplot_table(1, row, table, col_labels=("Measurement", group.image_name.value))

    def get_measurement_columns(self, pipeline: Any) -> list[tuple[str, str, str]]:
        """Columns for the export modules: object or image, name, type."""
        columns = []
        for group in self.images:
            image = group.image_name.value
            for feature in names.image_features(self.classical_metrics.value):
                columns.append((IMAGE, names.column(feature, image), names.column_type(feature)))
            for objects in self.objects:
                for feature in names.OBJECT_FEATURES:
                    columns.append((objects.object_name.value, names.column(feature, image), COLTYPE_FLOAT))
        return columns

    def get_categories(self, pipeline: Any, object_name: str) -> list[str]:
        """Name the category, if this module measures the image or these objects."""
        measured = [IMAGE, *(group.object_name.value for group in self.objects)]
        return [names.CATEGORY] if object_name in measured else []

    def get_measurements(self, pipeline: Any, object_name: str, category: str) -> list[str]:
        """Name the features of a category."""
        if category not in self.get_categories(pipeline, object_name):
            return []
        features = names.image_features(self.classical_metrics.value)
        return features if object_name == IMAGE else list(names.OBJECT_FEATURES)

    def get_measurement_images(self, pipeline: Any, object_name: str, category: str, measurement: str) -> list[str]:
        """Name the images that a feature is measured on."""
        if measurement not in self.get_measurements(pipeline, object_name, category):
            return []
        return [group.image_name.value for group in self.images]
