"""
RestoreDefocus
==============

**RestoreDefocus** restores images that are out of focus as the microscope
would have shown them in focus, as far as that is possible.

In a screen a few percent of the images are out of focus, and a run over
again is often not to be had. This module measures by how much an image is
out of focus, removes the blur with a neural network, and leaves alone what
is sharp and what is beyond restoring. Nuclei and cells that a segmentation
module would have merged or missed can then be found. By default every image
is looked at; it can also go by a measurement, such as the score of
**MeasureImageFocus** or a flag.

**Do not measure intensity or texture on restored images.** Restoring is a
guess at what the blur has hidden. It keeps the total intensity, and it
brings shapes and counts nearer to those of the sharp image, but the
brightness of a single cell and the grain inside it are made up in part (Xue
et al. 2021). Find objects on the restored image, and measure their
intensities on the input image. *Restored* and *Provenance* tell for each
image set what was done: keep them in your export.

An image is restored once only. What an earlier module of the pipeline has
restored, and what was loaded from a file that is marked as restored, comes
out unchanged, with the status *already_restored*.

|

============ ============ ===============
Supports 2D? Supports 3D? Respects masks?
============ ============ ===============
YES          YES          NO
============ ============ ===============

What do I need as input?
^^^^^^^^^^^^^^^^^^^^^^^^

One image of widefield fluorescence, as it was loaded. To have its focus
measured it must be at least 84 x 84 pixels. The planes of a stack and the
colors of a color image are restored each by itself. Masks are passed on; the
image is restored as a whole.

The Python package Parfocal must be installed in CellProfiler's Python, or in
another one that *parfocal install cellprofiler* has named. If it is in
neither, the module says how to install it when it is run.

What do I get as output?
^^^^^^^^^^^^^^^^^^^^^^^^

An image on the scale of the input image, for every image set: where nothing
was restored it is the input image. Optionally an image of the error to be
expected at each pixel, and a TIFF file whose description says that it was
restored.

Measurements made by this module
^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

*Image measurements*, each followed by the name of the output image. Of a
stack they are those of the plane that was changed most.

-  *Restored:* 1 if the image was restored, 0 if it came out unchanged.
-  *DefocusLevel:* Level that was measured or given, in blur of the image's
   own pixels; NaN where it is not known.
-  *Change:* Root mean square of the change as a share of the standard
   deviation of the image; 0 where nothing was changed.
-  *IntensityRatio:* Total intensity after over before; 1 where nothing was
   changed.
-  *PlanesRestored:* Number of planes that were restored.
-  *Answered:* 1 if the image was restored, or did not have to be; 0 if it
   could not be restored, or it could not be told whether it should be.
-  *Status:* (text) *ok*, or why the image could not be restored: *blank*,
   *saturated*, *too_small*, *not_finite* (it holds NaN, or the measurement to
   go by is NaN), *no_content* (nothing but background), *out_of_range* (too
   far out of focus, or optics too far from the model's), *out_of_domain* (no
   level is defined for this kind of microscope, or it cannot be told) or
   *already_restored*.
-  *Reason:* (text) Why the image came out unchanged, as a sentence; also
   where it is in focus or was not to be restored.
-  *Warnings:* (text) What deserves care: *optics_assumed* (the model's were
   taken), *partly_saturated*, *hot_pixels* (single bright pixels were left
   out), *unchecked* (the focus was not measured first) or *cut_off* (what
   became brighter than the scale of the image allows was cut off).
-  *Provenance:* (text) How the image was restored, and that it is not for
   quantification of intensity or texture; empty where nothing was restored.

See also
^^^^^^^^

See also **MeasureImageFocus**, **FlagImage**, **FlagDefocused**,
**IdentifyPrimaryObjects** and **SaveImages**.

References
^^^^^^^^^^

-  Xue Y, Qian H, Li X, et al. (2021) "A deep-learning-based workflow to deal
   with the defocusing problem in high-throughput experiments", *Bioactive
   Materials* 11:218-229.
   `(link) <https://doi.org/10.1016/j.bioactmat.2021.09.018>`__
"""  # noqa: D205, D400, D405, D407 (CellProfiler's own form of help)

from __future__ import annotations

from typing import Any

from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.module import Module
from cellprofiler_core.setting import ValidationError

if __package__:
    from . import _parfocal_focus_checks as focus_checks
    from . import _parfocal_focus_settings as focus_settings
    from . import _parfocal_host as host
    from . import _parfocal_restore_checks as checks
    from . import _parfocal_restore_files as files
    from . import _parfocal_restore_names as names
    from . import _parfocal_restore_run as restore_run
    from . import _parfocal_restore_settings as restore_settings
    from . import _parfocal_restore_window as restore_window
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_focus_checks as focus_checks
    import _parfocal_focus_settings as focus_settings
    import _parfocal_host as host
    import _parfocal_restore_checks as checks
    import _parfocal_restore_files as files
    import _parfocal_restore_names as names
    import _parfocal_restore_run as restore_run
    import _parfocal_restore_settings as restore_settings
    import _parfocal_restore_window as restore_window


class RestoreDefocus(Module):  # noqa: D101 (CellProfiler shows the file's docstring where a class has none)
    module_name = "RestoreDefocus"
    category = "Image Processing"
    variable_revision_number = 1

    def create_settings(self) -> None:
        """Make the settings."""
        for name, setting in restore_settings.create().items():
            setattr(self, name, setting)

    def settings(self) -> list[Any]:
        """All settings in the order in which a pipeline stores them."""
        return [getattr(self, name) for name in restore_settings.SETTINGS]

    def visible_settings(self) -> list[Any]:
        """List the settings that matter with the present choices."""
        return [getattr(self, name) for name in restore_settings.in_use(self)]

    def upgrade_settings(
        self, setting_values: list[str], variable_revision_number: int, module_name: str
    ) -> tuple[list[str], int]:
        """Read pipelines of earlier revisions, of which there are none yet."""
        return setting_values, variable_revision_number

    def volumetric(self) -> bool:
        """Stacks are restored plane by plane."""
        return True

    def validate_module(self, pipeline: Any) -> None:
        """Raise ValidationError with the setting at fault."""
        checks.check_names(self)
        checks.check_condition(self)
        checks.check_method(self)
        if self.wants_optics:
            focus_checks.check_optics(self)
        if self.wants_file:
            checks.check_file(self, pipeline)

    def validate_module_warnings(self, pipeline: Any) -> None:
        """Warn that nothing is saved in test mode."""
        if self.wants_file and pipeline.test_mode:
            raise ValidationError("Restored images are not saved in test mode", self.wants_file)

    def prepare_run(self, workspace: Any) -> bool:
        """Check settings and files before the first image, which CellProfiler does not do when it runs headless."""
        host.check_settings(self, workspace.pipeline)
        files.check_free(self, workspace)
        return True

    def prepare_to_create_batch(self, workspace: Any, fn_alter_path: Any) -> None:
        """Bring the folder to the file system of the computers that run the batch."""
        self.directory.alter_for_create_batch_files(fn_alter_path)

    def arguments(self) -> dict[str, Any]:
        """Arguments of `restore_defocus` beside the image, as far as they matter."""
        shown = restore_settings.in_use(self)
        values = {name: getattr(self, name).value for name in restore_settings.OPTIONS if name in shown}
        values["method"] = restore_settings.METHODS[self.method.value]
        if "modality" in values:
            values["modality"] = focus_settings.modality_name(self.modality.value)
        return values

    def run(self, workspace: Any) -> None:
        """Restore the image, or pass it on, and store what was done."""
        with host.missing_packages_explained(self.module_name):
            restored = restore_run.restore(self, workspace)
            if self.wants_file:
                files.write(self, workspace, restored)
            self._store(workspace.measurements, restored)
        workspace.image_set.add(self.restored_name.value, restored.restored_image())
        if restored.error is not None:
            workspace.image_set.add(self.uncertainty_name.value, restored.error_image())
        if self.show_window:
            workspace.display_data.window = restore_window.window_data(restored)

    def _store(self, measurements: Any, restored: restore_run.RestoredImage) -> None:
        image = self.restored_name.value
        for feature, number in restored.features().items():
            measurements.add_image_measurement(names.column(feature, image), number)
        for feature, text in restored.texts().items():
            measurements.add_image_measurement(names.column(feature, image), text[: names.TEXTS[feature]])

    def display(self, workspace: Any, figure: Any) -> None:
        """Show the image before and after, the difference, and what was done."""
        data = workspace.display_data.window
        restore_window.draw(figure, data, self.image_name.value, self.restored_name.value)

    def get_measurement_columns(self, pipeline: Any) -> list[tuple[str, str, str]]:
        """Columns for the export modules: object or image, name, type."""
        image = self.restored_name.value
        features = (*names.FEATURES, *names.TEXTS)
        return [(IMAGE, names.column(feature, image), names.column_type(feature)) for feature in features]

    def get_categories(self, pipeline: Any, object_name: str) -> list[str]:
        """Name the category, if images are asked for."""
        return [names.CATEGORY] if object_name == IMAGE else []

    def get_measurements(self, pipeline: Any, object_name: str, category: str) -> list[str]:
        """Name the features of a category."""
        if category not in self.get_categories(pipeline, object_name):
            return []
        return [*names.FEATURES, *names.TEXTS]

    def get_measurement_images(self, pipeline: Any, object_name: str, category: str, measurement: str) -> list[str]:
        """Name the image that a feature is measured on: the output image."""
        found = self.get_measurements(pipeline, object_name, category)
        return [self.restored_name.value] if measurement in found else []
