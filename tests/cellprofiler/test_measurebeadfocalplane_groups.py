"""MeasureBeadFocalPlane on groups of single planes, inside this process, with a module that loads them."""

import bead_stacks
import numpy as np
import pytest
from bead_stacks import OPTICS, STEP_UM, Z_UM
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.image import Image
from cellprofiler_core.measurement import Measurements
from cellprofiler_core.module import Module
from cellprofiler_core.object import ObjectSet
from cellprofiler_core.pipeline import Pipeline
from cellprofiler_core.setting.text import ImageName
from cellprofiler_core.workspace import Workspace

from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.cp_plugins import _parfocal_bead_settings as bead_settings
from parfocal.cp_plugins.measurebeadfocalplane import MeasureBeadFocalPlane


class Loader(Module):
    """Gives image set n the n-th plane, or raises where that is an exception."""

    module_name = "Loader"
    category = "Test"
    variable_revision_number = 1

    def create_settings(self):
        self.image_name = ImageName("Image", "Stack")
        self.loaded = []

    def settings(self):
        return [self.image_name]

    def run(self, workspace):
        number = workspace.measurements.image_set_number
        self.loaded.append(number)
        plane = self.planes[number - 1]
        if isinstance(plane, Exception):
            raise plane
        self.given = plane if isinstance(plane, Image) else Image(plane, scale=255)
        workspace.image_set.add("Stack", self.given)


class Group:
    """A pipeline of the loader and the module, and its measurements."""

    def __init__(self, planes, **values):
        self.loader, self.module = Loader(), MeasureBeadFocalPlane()
        self.loader.planes = planes
        given = {"image_name": "Stack", "stack_form": bead_settings.GROUPED, "z_step_um": STEP_UM, **OPTICS, **values}
        for name, value in given.items():
            getattr(self.module, name).value = value
        self.pipeline, self.measurements = Pipeline(), Measurements()
        for number, module in enumerate((self.loader, self.module), 1):
            module.set_module_num(number)
            self.pipeline.add_module(module)

    def run(self):
        numbers = range(1, len(self.loader.planes) + 1)
        self.module.prepare_group(None, {}, numbers)
        self.objects = {number: self.run_image_set(number) for number in numbers}
        return self

    def run_image_set(self, number):
        """Run both modules as the program does; the module leaves the image set as it was."""
        m, objects = self.measurements, ObjectSet()
        m.next_image_set(number)
        try:
            self.loader.run(Workspace(self.pipeline, self.loader, m, objects, m, None))
        except OSError:
            return None
        loaded = self.loader.given
        self.module.run(Workspace(self.pipeline, self.module, m, objects, m, None))
        assert m.get_image("Stack") is loaded
        return objects.get_objects("Beads")

    def column(self, feature):
        numbers = [number for number, objects in self.objects.items() if objects is not None]
        name = f"BeadFocalPlane_{feature}_Stack"
        return [self.measurements.get_measurement(IMAGE, name, number) for number in numbers]


def test_planes_are_collected_once_for_the_whole_group():
    planes = list(bead_stacks.bright_field())
    group = Group(planes).run()
    direct = measure_bead_focal_plane(bead_stacks.bright_field(), z_step_um=STEP_UM, **OPTICS)
    np.testing.assert_allclose(group.column("ReferenceFocalPlaneUm"), direct.reference_focal_plane_um, rtol=1e-9)
    np.testing.assert_allclose(group.column("DistanceUm"), Z_UM - direct.reference_focal_plane_um, rtol=1e-9)
    assert len(group.loader.loaded) == 2 * len(planes)


def test_planes_are_kept_in_the_type_of_their_file_and_let_go(monkeypatch):
    from parfocal.cp_plugins import _parfocal_bead_group as bead_group

    kept = []
    monkeypatch.setattr(
        bead_group, "group_stack", lambda *args, _f=bead_group.group_stack: kept.append(_f(*args)) or kept[-1]
    )
    group = Group(list(bead_stacks.bright_field())).run()
    assert {plane.dtype for plane in kept[0].planes} == {np.dtype(np.uint8)}
    assert not {"planes", "stack"} & set(vars(group.module.get_dictionary()["measured"]))


def test_beads_are_objects_of_the_plane_nearest_to_focus_alone():
    group = Group(list(bead_stacks.bright_field())).run()
    counts = {number: objects.count for number, objects in group.objects.items()}
    assert {number for number, count in counts.items() if count} == {7}
    labels = group.objects[7].segmented
    for number, (y, x) in enumerate(bead_stacks.CENTRES, 1):
        assert np.mean(np.nonzero(labels == number), axis=1) == pytest.approx([y, x], abs=0.3)


def test_plane_that_cannot_be_loaded_is_left_out_and_listed():
    planes = list(bead_stacks.bright_field())
    planes[3] = OSError("no image")
    group = Group(planes).run()
    keep = np.setdiff1d(np.arange(len(planes)), 3)
    direct = measure_bead_focal_plane(bead_stacks.bright_field()[keep], z_um=Z_UM[keep], **OPTICS)
    np.testing.assert_allclose(group.column("ReferenceFocalPlaneUm"), direct.reference_focal_plane_um, rtol=1e-9)
    listed = "planes_left_out (1 of 15; number 4: could not be loaded: no image)"
    assert group.column("Warnings") == [listed] * 14


def test_settings_that_change_in_test_mode_are_measured_anew():
    group = Group(list(bead_stacks.bright_field()))
    group.module.prepare_group(None, {}, range(1, 16))
    group.run_image_set(1)
    group.module.target_offset_um.value = 12.0
    group.run_image_set(2)
    first, second = (
        group.measurements.get_measurement(IMAGE, "BeadFocalPlane_TargetUm_Stack", number) for number in (1, 2)
    )
    assert np.isnan(first)
    assert np.isfinite(second)


def test_masks_of_planes_are_kept():
    mask = np.ones(bead_stacks.SHAPE, bool)
    mask[:110, :110] = False
    group = Group([Image(plane, mask=mask, scale=255) for plane in bead_stacks.bright_field()]).run()
    assert group.column("BeadCount") == [3] * len(Z_UM)
