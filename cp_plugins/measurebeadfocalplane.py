"""
MeasureBeadFocalPlane
=====================

**MeasureBeadFocalPlane** finds the reference focal plane of a microscope
from a z-stack of beads, or how far a single image of beads is from it and
to which side, with an interval of uncertainty.

*From a stack.* The beads in the stack are found, centered to a fraction of a pixel, and
their radial profile is measured in each plane: how steep it is, and how
bright its center. The z at which the slope is smallest and the z at which
the center is brightest are found between the planes; their mean is the
*reference effective focal plane (REFP)*. Any other plane, such as the one
that shows cells best, can be named by its distance from it, and found
again on another day or on another instrument. **Distances are positive
above the REFP, towards larger z.**

*From a single image.* Beads look different above and below focus. A
*distance model*, an ensemble of small neural networks, reads off each bead
how far the image's plane lies from the REFP; the answer is the mean over
beads and networks. *DistanceUm* is **positive where the plane lies above
the REFP**, and then z must be lowered by as much to come to it. A model
holds for the microscope and the beads that it was made for: make one for
yours from z-stacks of beads with *parfocal calibrate-beads*, and from then
on a single image is enough to check the instrument. The models that come
with Parfocal (*a2k_like*, *nikon_like*) were trained on simulated optics
and refuse images that do not look like those: expect no answer from them on
a real microscope. See the setting *Distance model*.

With beads spread over the field the module also measures how the focal
plane is tilted against the stage.

To stop an analysis, or mark its images, where the instrument is not in
order, follow this module by **FlagImage** with
*BeadFocalPlane_Answered_...* (minimum 1) and your limits in one flag, *Flag
if any fail*: *BeadFocalPlane_TiltUmPerMm_...* (maximum) for instance, or for
single images *BeadFocalPlane_DistanceUm_...* (minimum -5 and maximum 5). Do
not leave out the first: where there is no answer there are no numbers (they
are NaN), and **FlagImage** lets NaN pass.

|

============ ============ ===============
Supports 2D? Supports 3D? Respects masks?
============ ============ ===============
YES          YES          YES
============ ============ ===============

What do I need as input?
^^^^^^^^^^^^^^^^^^^^^^^^

Beads of one size, in bright field or in fluorescence, at least one of which
stands alone; six beads or more are better.

-  *A z-stack* that passes through focus, with ten planes or more. It can be
   given in two ways: as one 3D image, or as image sets of one plane each that
   **Groups** puts together.
-  *Or single images*, in or out of focus, each an image set of its own, and a
   distance model for the microscope. A bead counts only if the model's crop
   about it, of 64 pixels with the models that come with Parfocal, is not cut
   by the border or a mask.

Beads that touch, lie at the border, or are no single round beads are
refused, and so is dust. One bad bead or plane does not spoil the answer,
and one bad stack or image does not end the run.

The Python package Parfocal must be installed in CellProfiler's Python, or in
another one that *parfocal install cellprofiler* has named. If it is in
neither, the module says how to install it when it is run.

Measurements made by this module
^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

*Image measurements*, each followed by the name of the image. z and distances
are in micrometers. Numbers are NaN where there is no answer. In a group all
image sets have the numbers of their stack. Of a single image z is counted
from its own plane, which lies at 0.

-  *ReferenceFocalPlaneUm:* z of the REFP, in the z of the planes. Of a single
   image it is *DistanceUm* with the other sign: by how much z must be changed
   to come to the REFP.
-  *IntervalLowUm, IntervalHighUm:* The interval of it.
-  *SlopeZUm, CentreZUm:* (not of single images) z by the slope and by the
   center, whose mean is the REFP.
-  *TargetUm:* z of the target plane, if one is given. Of a single image: by
   how much z must be changed to come to it.
-  *BeadCount:* Beads that the REFP rests on.
-  *RefusedCount:* Beads and candidates that were not used.
-  *TiltUmPerMm, TiltErrorUmPerMm:* By how much the focal plane rises over a
   millimeter of the field in its steepest direction, and the standard error
   of that. Needs three beads, the error four.
-  *Answered:* 1 if there is a REFP, 0 if not.
-  *PlaneZUm:* (groups only) z of this image set's plane.
-  *DistanceUm:* (groups and single images only) Distance of this image set's
   plane from the REFP, positive above.
-  *DistanceLowUm, DistanceHighUm:* (single images only) The interval of it.
-  *Status:* (text) *ok*, or why there is no answer: *no_content* (no bead, or
   no plane stands out), *too_small* (too few planes), *saturated*, or
   *unreadable* (the stack, or where its planes lie, cannot be read). For a
   single image also *out_of_range* (beads or pixels that the distance model
   was not made for, or farther from focus than it goes), *out_of_domain* (the
   beads do not look like those it was made from) or *not_finite* (all beads
   are partly masked out).
-  *Reason:* (text) The same as a sentence.
-  *Warnings:* (text) What makes an answer deserve care, such as
   *extremum_at_end_of_stack*, *single_bead* or *planes_left_out*.

*Object measurements* of the beads, each followed by the name of the image:

-  *Used:* 1 if the bead took part in the REFP, 0 if not.
-  *FocalPlaneUm:* z of the bead's own focal plane. In a single image it is
   what the model reads off this bead, with the other sign: -60 where the
   image's plane lies 60 above the bead's focal plane. NaN if the model refuses
   the bead.
-  *FocalPlaneErrorUm:* (not of single images) Its standard error.
-  *DistanceUm:* The bead's focal plane minus the REFP: by how much this bead
   lies higher than all together. In a single image it is not the distance of
   the plane, which *DistanceUm* of the image is.
-  *LateralFwhmUm, AxialFwhmUm, SignalToBackground:* (stacks in fluorescence
   only) Full widths at half maximum of the bead's image, and its height over
   the background.

*Location_Center_X* and *Location_Center_Y* of the beads are the measured
centers, in fractions of a pixel. All beads that were found are objects;
refused candidates are not.

See also
^^^^^^^^

See also **Groups**, **FlagImage**, **ExportToSpreadsheet** and
**MeasureImageFocus**.

References
^^^^^^^^^^

-  Chalfoun J, Lund SP, Ling C, et al. (2024) "Establishing a reference focal
   plane using convolutional neural networks and beads for brightfield
   imaging", *Scientific Reports*, 2024.
   `(link) <https://doi.org/10.1038/s41598-024-57123-w>`__
"""  # noqa: D205, D400, D405, D407 (CellProfiler's own form of help)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from cellprofiler_core.constants.measurement import (
    C_COUNT,
    FF_COUNT,
    IMAGE,
    M_LOCATION_CENTER_X,
    M_LOCATION_CENTER_Y,
    M_LOCATION_CENTER_Z,
    M_NUMBER_OBJECT_NUMBER,
)
from cellprofiler_core.module import Module
from cellprofiler_core.object import Objects

if __package__:
    from . import _parfocal_bead_checks as bead_checks
    from . import _parfocal_bead_names as names
    from . import _parfocal_bead_run as bead_run
    from . import _parfocal_bead_settings as bead_settings
    from . import _parfocal_bead_window as bead_window
    from . import _parfocal_focus_checks as focus_checks
    from . import _parfocal_host as host
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_bead_checks as bead_checks
    import _parfocal_bead_names as names
    import _parfocal_bead_run as bead_run
    import _parfocal_bead_settings as bead_settings
    import _parfocal_bead_window as bead_window
    import _parfocal_focus_checks as focus_checks
    import _parfocal_host as host


class MeasureBeadFocalPlane(Module):  # noqa: D101 (CellProfiler shows the file's docstring where a class has none)
    module_name = "MeasureBeadFocalPlane"
    category = "Measurement"
    variable_revision_number = 2

    def create_settings(self) -> None:
        """Make the settings."""
        for name, setting in bead_settings.create().items():
            setattr(self, name, setting)

    def settings(self) -> list[Any]:
        """All settings in the order in which a pipeline stores them."""
        return [getattr(self, name) for name in bead_settings.SETTINGS]

    def visible_settings(self) -> list[Any]:
        """List the settings that matter with the present choices."""
        return [getattr(self, name) for name in self._in_use()]

    def _in_use(self) -> tuple[str, ...]:
        return bead_settings.in_use(self.stack_form.value, self.z_source.value)

    def upgrade_settings(
        self, setting_values: list[str], variable_revision_number: int, module_name: str
    ) -> tuple[list[str], int]:
        """Read pipelines of earlier revisions: revision 1 had no distance model."""
        if variable_revision_number == 1:
            setting_values, variable_revision_number = [*setting_values, ""], 2
        return setting_values, variable_revision_number

    @property
    def grouped(self) -> bool:
        """Whether each image set is one plane of a stack."""
        return self.stack_form.value == bead_settings.GROUPED

    @property
    def single(self) -> bool:
        """Whether each image set is a plane that is measured by itself."""
        return self.stack_form.value == bead_settings.SINGLE

    def volumetric(self) -> bool:
        """3D images are stacks."""
        return True

    def is_aggregation_module(self) -> bool:
        """Whether all image sets of a group have to be run by one worker."""
        return self.grouped

    def validate_module(self, pipeline: Any) -> None:
        """Raise ValidationError with the setting at fault."""
        bead_checks.check_stack_form(self, pipeline)
        if self.single:
            bead_checks.check_distance_model(self.distance_model)
        else:
            bead_checks.check_z(self)
            focus_checks.check_levels(self.black_level, self.saturation_level)
        bead_checks.check_beads(self)

    def prepare_run(self, workspace: Any) -> bool:
        """Check the settings before the first image, which CellProfiler does not do when it runs headless."""
        host.check_settings(self, workspace.pipeline)
        return True

    def prepare_group(self, workspace: Any, grouping: Any, image_numbers: Sequence[int]) -> bool:
        """Note the image sets of the group and forget the group before."""
        kept = self.get_dictionary()
        kept.clear()
        kept["image_numbers"] = [int(number) for number in image_numbers]
        return True

    def get_dictionary_for_worker(self) -> dict[str, Any]:
        """Share nothing: a group is run by one worker, and other image sets leave nothing behind."""
        return {}

    def arguments(self) -> dict[str, Any]:
        """Arguments of `measure_bead_focal_plane` beside the planes and their positions, as far as they matter."""
        values = {name: getattr(self, name).value for name in bead_settings.OPTIONS if name in self._in_use()}
        values["contrast"] = bead_settings.contrast_name(self.contrast.value)
        if self.single:
            values["distance_model"] = self.distance_model.value.strip()
        return values

    def run(self, workspace: Any) -> None:
        """Measure the image, or the group at its first image set, and store numbers and beads of the image set."""
        with host.missing_packages_explained(self.module_name):
            measured, index = bead_run.measure(self, workspace)
        self._store(workspace.measurements, measured, index)
        self._store_beads(workspace, measured, index)
        if self.show_window:
            workspace.display_data.window = bead_window.window_data(measured, index)

    def _store(self, measurements: Any, measured: Any, index: Any) -> None:
        image = self.image_name.value
        planes = {} if index is None else measured.plane_features(index)
        for feature, number in {**measured.features(), **planes}.items():
            measurements.add_image_measurement(names.column(feature, image), number)
        for feature, text in measured.texts().items():
            measurements.add_image_measurement(names.column(feature, image), text[: names.TEXTS[feature]])

    def _store_beads(self, workspace: Any, measured: Any, index: Any) -> None:
        """Add the beads as objects, with their numbers; a plane of a group away from focus has none."""
        name, measurements = self.objects_name.value, workspace.measurements
        shown = index in (None, measured.plane_index)
        objects = Objects()
        objects.segmented = measured.volume_labels() if index is None else measured.plane_labels(index)
        workspace.object_set.add_objects(objects, name)
        places = measured.places_zyx_px() if shown else np.empty((0, 3))
        z = places[:, 0] if index is None else np.zeros(len(places))
        columns = {M_LOCATION_CENTER_X: places[:, 2], M_LOCATION_CENTER_Y: places[:, 1], M_LOCATION_CENTER_Z: z}
        columns[M_NUMBER_OBJECT_NUMBER] = np.arange(1, len(places) + 1)
        for feature, values in measured.bead_features().items():
            columns[names.column(feature, self.image_name.value)] = values if shown else values[:0]
        for feature, values in columns.items():
            measurements.add_measurement(name, feature, values)
        measurements.add_image_measurement(FF_COUNT % name, np.array([len(places)], dtype=float))

    def display(self, workspace: Any, figure: Any) -> None:
        """Show the profile over z, or the distance by each bead, the plane with its beads, and the numbers."""
        bead_window.draw(figure, workspace.display_data.window, self.image_name.value)

    def get_measurement_columns(self, pipeline: Any) -> list[tuple[str, str, str]]:
        """Columns for the export modules: object or image, name, type."""
        return names.columns(*self._what_is_measured(), self.image_name.value, self.objects_name.value)

    def _what_is_measured(self) -> tuple[str, bool]:
        """How the beads are imaged, and whether they shine: the choices that decide on the measurements."""
        return self.stack_form.value, self.contrast.value == bead_settings.CONTRASTS[1]

    def get_categories(self, pipeline: Any, object_name: str) -> list[str]:
        """Name the categories, if this module measures the image or these objects."""
        if object_name == self.objects_name.value:
            return [names.CATEGORY, *names.LOCATIONS]
        return [names.CATEGORY, C_COUNT] if object_name == IMAGE else []

    def get_measurements(self, pipeline: Any, object_name: str, category: str) -> list[str]:
        """Name the features of a category."""
        if category not in self.get_categories(pipeline, object_name):
            return []
        if category == C_COUNT:
            return [self.objects_name.value]
        if category in names.LOCATIONS:
            return names.LOCATIONS[category]
        form, fluorescence = self._what_is_measured()
        return names.image_features(form) if object_name == IMAGE else names.bead_features(form, fluorescence)

    def get_measurement_images(self, pipeline: Any, object_name: str, category: str, measurement: str) -> list[str]:
        """Name the images that a feature is measured on."""
        known = self.get_measurements(pipeline, object_name, category) if category == names.CATEGORY else []
        return [self.image_name.value] if measurement in known else []
