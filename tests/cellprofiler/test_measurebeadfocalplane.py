"""MeasureBeadFocalPlane on single 3D image sets, inside this process."""

import bead_stacks
import numpy as np
import pytest
from bead_stacks import DIAMETER_UM, OPTICS, PIXEL_UM, STEP_UM, make
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.image import Image

from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.cp_plugins import _parfocal_bead_names as names
from parfocal.cp_plugins import _parfocal_bead_settings as bead_settings

NUMBERS = {
    "ReferenceFocalPlaneUm": lambda r: r.reference_focal_plane_um,
    "IntervalLowUm": lambda r: r.interval_um[0],
    "IntervalHighUm": lambda r: r.interval_um[1],
    "SlopeZUm": lambda r: r.reference.slope_z_um,
    "CentreZUm": lambda r: r.reference.centre_z_um,
    "TargetUm": lambda r: r.target_um,
    "BeadCount": lambda r: r.n_beads,
    "RefusedCount": lambda r: len(r.refused),
    "TiltUmPerMm": lambda r: r.field_shape.tilt_um_per_mm,
    "TiltErrorUmPerMm": lambda r: r.field_shape.tilt_error_um_per_mm,
    "Answered": lambda r: r.answered,
}


def run(module, workspace):
    module.run(workspace)
    measured = workspace.measurements
    return {
        name if kind == IMAGE else f"{kind}.{name}": measured.get_current_measurement(kind, name)
        for kind, name, _ in module.get_measurement_columns(workspace.pipeline)
    }


def column(values, feature, prefix=""):
    return values[f"{prefix}BeadFocalPlane_{feature}_Stack"]


@pytest.fixture
def measure(make_workspace):
    """Measure a stack, or an Image, with settings; gives the measurements."""

    def measure(stack, **values):
        module = make(**values)
        return run(module, make_workspace(module, {"Stack": stack}))

    return measure


def test_numbers_are_those_of_the_command(measure):
    stack = bead_stacks.bright_field()
    values = measure(stack, target_offset_um=12.0)
    direct = measure_bead_focal_plane(stack, z_step_um=STEP_UM, target_offset_um=12.0, **OPTICS)
    assert tuple(NUMBERS) == names.FEATURES
    for feature, number in NUMBERS.items():
        np.testing.assert_allclose(column(values, feature), number(direct), rtol=1e-9, err_msg=feature)
    assert column(values, "ReferenceFocalPlaneUm") == pytest.approx(bead_stacks.REFP_UM, abs=STEP_UM / 4)
    assert column(values, "Status") == "ok"
    assert column(values, "Reason") == ""


def test_beads_are_objects_at_the_measured_centres(measure):
    values = measure(bead_stacks.bright_field())
    direct = measure_bead_focal_plane(bead_stacks.bright_field(), z_step_um=STEP_UM, **OPTICS)
    assert values["Count_Beads"] == 4
    for axis, name in (("X", "x_px"), ("Y", "y_px")):
        found = values[f"Beads.Location_Center_{axis}"]
        np.testing.assert_allclose(found, [getattr(bead, name) for bead in direct.beads], rtol=1e-9)
    np.testing.assert_array_equal(values["Beads.Number_Object_Number"], [1, 2, 3, 4])
    focal = np.array([bead.focal_plane_um for bead in direct.beads])
    np.testing.assert_allclose(column(values, "FocalPlaneUm", "Beads."), focal, rtol=1e-9)
    distance = focal - direct.reference_focal_plane_um
    np.testing.assert_allclose(column(values, "DistanceUm", "Beads."), distance, rtol=1e-9)
    np.testing.assert_array_equal(column(values, "Used", "Beads."), 1)


def test_discs_lie_in_the_plane_nearest_to_each_focal_plane(make_workspace):
    module = make()
    workspace = make_workspace(module, {"Stack": bead_stacks.bright_field()})
    values = run(module, workspace)
    objects = workspace.object_set.get_objects("Beads")
    labels = objects.segmented
    assert labels.shape == bead_stacks.bright_field().shape
    nearest = np.rint(column(values, "FocalPlaneUm", "Beads.") / STEP_UM)
    for number, (y, x) in enumerate(bead_stacks.CENTRES, 1):
        planes, ys, xs = np.nonzero(labels == number)
        assert set(planes) == {nearest[number - 1]}
        assert [ys.mean(), xs.mean()] == pytest.approx([y, x], abs=0.3)
        assert len(ys) == pytest.approx(np.pi * (DIAMETER_UM / PIXEL_UM / 2) ** 2, rel=0.03)
    np.testing.assert_array_equal(values["Beads.Location_Center_Z"], nearest)


def test_blank_stack_has_no_number_but_a_reason_and_no_beads(measure):
    values = measure(bead_stacks.blank())
    for feature in set(names.FEATURES) - {"BeadCount", "RefusedCount", "Answered"}:
        assert np.isnan(column(values, feature))
    assert [column(values, feature) for feature in ("BeadCount", "RefusedCount", "Answered")] == [0, 0, 0]
    assert column(values, "Status") == "no_content"
    assert column(values, "Reason").startswith("no bead")
    assert values["Count_Beads"] == 0
    assert len(column(values, "FocalPlaneUm", "Beads.")) == 0


def test_fluorescent_beads_have_widths(measure):
    settings = {"pixel_size_um": 0.1, "bead_diameter_um": 0.7, "contrast": "fluorescence"}
    values = measure(
        bead_stacks.fluorescent(), **{**settings, "contrast": "Fluorescence"}, z_step_um=1.0, black_level=100.0
    )
    direct = measure_bead_focal_plane(bead_stacks.fluorescent(), z_step_um=1.0, black_level=100.0, **settings)
    for feature in ("lateral_fwhm_um", "axial_fwhm_um", "signal_to_background"):
        shown = "".join(part.capitalize() for part in feature.split("_"))
        expected = [getattr(bead.widths, feature) for bead in direct.beads]
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(column(values, shown, "Beads."), expected, rtol=1e-6)
    assert column(values, "ReferenceFocalPlaneUm") == pytest.approx(4.3, abs=0.1)


def test_every_measured_column_is_declared_and_none_else(make_workspace):
    for contrast in bead_settings.CONTRASTS:
        module = make(contrast=contrast)
        workspace = make_workspace(module, {"Stack": bead_stacks.blank()})
        module.run(workspace)
        declared = {(kind, name) for kind, name, _ in module.get_measurement_columns(workspace.pipeline)}
        measured = {
            (kind, name)
            for kind in (IMAGE, "Beads")
            for name in workspace.measurements.get_feature_names(kind)
            if name.startswith(("BeadFocalPlane_", "Location_", "Count_", "Number_Object"))
        }
        assert measured == declared


def test_black_and_saturation_level_are_in_counts_of_the_file(measure):
    counts = bead_stacks.bright_field().astype(np.uint16) * 16
    levels = {"black_level": 160.0, "saturation_level": 2800.0}
    values = measure(Image(counts / np.float32(65535), scale=65535, dimensions=3), **levels)
    direct = measure_bead_focal_plane(counts, z_step_um=STEP_UM, **levels, **OPTICS)
    without = measure_bead_focal_plane(counts, z_step_um=STEP_UM, **OPTICS)
    found = column(values, "ReferenceFocalPlaneUm")
    assert found == pytest.approx(direct.reference_focal_plane_um, rel=1e-9)
    assert found != without.reference_focal_plane_um


def test_levels_are_refused_where_counts_are_not_known(measure):
    image = Image(bead_stacks.bright_field() / 255.0, dimensions=3)
    with pytest.raises(ValueError, match="Stack does not say which count its value 1.0 stands for"):
        measure(image, black_level=10.0)


def test_single_plane_is_refused_where_a_3d_image_is_asked_for(measure):
    with pytest.raises(ValueError, match="Stack is a single plane, not a 3D image: select how the beads are imaged"):
        measure(bead_stacks.bright_field()[6])


def test_beads_that_are_masked_out_are_not_measured(measure):
    stack = bead_stacks.bright_field()
    mask = np.ones(stack.shape, bool)
    mask[:, :110, :110] = False
    values = measure(Image(stack, mask=mask, scale=255, dimensions=3))
    assert column(values, "BeadCount") == 3
    assert values["Count_Beads"] == 3
    whole = measure(stack)
    np.testing.assert_allclose(
        column(values, "FocalPlaneUm", "Beads."), column(whole, "FocalPlaneUm", "Beads.")[1:], atol=0.05
    )


def test_mask_does_not_hide_that_beads_are_saturated(measure):
    stack = bead_stacks.bright_field().copy()
    stack[stack > 135] = 255
    mask = np.ones(stack.shape, bool)
    mask[:, :5] = False
    shown = [measure(image) for image in (stack, Image(stack, mask=mask, scale=255, dimensions=3))]
    assert column(shown[0], "Status") == column(shown[1], "Status")
    np.testing.assert_allclose(*(column(values, "ReferenceFocalPlaneUm") for values in shown), rtol=1e-3)
    direct = measure_bead_focal_plane(stack, z_step_um=STEP_UM, saturation_level=1e6, **OPTICS)
    assert direct.reference_focal_plane_um != column(shown[0], "ReferenceFocalPlaneUm")


def test_stack_without_known_positions_says_what_is_missing(measure):
    values = measure(bead_stacks.bright_field(), z_source=bead_settings.Z_METADATA)
    assert column(values, "Status") == "unreadable"
    assert column(values, "Reason") == "the image sets have no metadata Z: extract it in Metadata"
    values = measure(bead_stacks.bright_field(), z_source=bead_settings.Z_FILE)
    assert "Stack was not loaded from a file" in column(values, "Reason")
    assert column(values, "Answered") == 0


class Figure:
    """Draws what a window would show; tables and images are taken down."""

    def __init__(self):
        from matplotlib.figure import Figure as Plain

        self.plain, self.shown = Plain((10, 8)), {}

    def set_subplots(self, shape):
        self.axes = self.plain.subplots(*shape).T

    def subplot(self, x, y):
        return self.axes[x, y]

    def subplot_imshow_grayscale(self, x, y, image, **kwargs):
        self.shown[x, y] = image
        self.axes[x, y].imshow(image, cmap="gray")

    def subplot_table(self, x, y, rows, **kwargs):
        self.shown[x, y] = rows


def displayed(make_workspace, stack):
    module = make(target_offset_um=12.0)
    module.show_window = True
    workspace = make_workspace(module, {"Stack": stack})
    module.run(workspace)
    figure = Figure()
    module.display(workspace, figure)
    figure.plain.canvas.draw()
    return workspace, figure


def test_window_shows_profile_plane_and_numbers(make_workspace):
    _, figure = displayed(make_workspace, bead_stacks.bright_field())
    np.testing.assert_array_equal(figure.shown[0, 1], bead_stacks.bright_field()[6])
    assert {"Status", "ReferenceFocalPlaneUm", "TargetUm"} <= {row[0] for row in figure.shown[1, 0]}
    labels = figure.axes[0, 0].get_legend_handles_labels()[1]
    assert labels == ["steepest slope", "center intensity", "REFP", "target"]
    assert len(figure.axes[0, 1].patches) == 4


def test_window_of_a_stack_without_an_answer_shows_the_reason(make_workspace):
    _, figure = displayed(make_workspace, bead_stacks.blank())
    assert ["Status", "no_content"] in figure.shown[1, 0]
    assert "ReferenceFocalPlaneUm" not in {row[0] for row in figure.shown[1, 0]}


def test_what_a_window_shows_can_be_sent_by_a_worker(make_workspace):
    from cellprofiler_core.utilities.zmq import json_decode, json_encode

    for stack in (bead_stacks.bright_field(), bead_stacks.blank()):
        workspace, _ = displayed(make_workspace, stack)
        sent = json_decode(*json_encode(workspace.display_data.__dict__))
        assert sent["window"]["table"] == workspace.display_data.window["table"]
