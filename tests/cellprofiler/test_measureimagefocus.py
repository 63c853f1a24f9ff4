"""The module on single image sets, inside this process."""

import numpy as np
import pytest
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.image import Image
from cellprofiler_core.object import Objects

from parfocal.focus_quality.classical import METRICS
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.images.planes import as_planes
from parfocal.report.overlay import draw_overlay


def run(module, workspace):
    module.run(workspace)
    measurements = workspace.measurements
    return {
        name if kind == IMAGE else f"{kind}.{name}": measurements.get_current_measurement(kind, name)
        for kind, name, _ in module.get_measurement_columns(workspace.pipeline)
    }


def test_numbers_are_those_of_the_command(make_module, make_workspace, cells_yx):
    module = make_module("DNA", classical_metrics=True)
    values = run(module, make_workspace(module, {"DNA": cells_yx}))
    direct = measure_image_focus(cells_yx, classical_metrics=True)
    for feature, number in {**direct.features(), **direct.metrics()}.items():
        np.testing.assert_allclose(values[f"ImageFocus_{feature}_DNA"], number, rtol=1e-6, err_msg=feature)
    assert set(METRICS) <= {name.split("_")[1] for name in values}
    assert values["ImageFocus_Status_DNA"] == "ok"
    assert values["ImageFocus_Reason_DNA"] == ""


def test_defocus_raises_the_score(make_module, make_workspace, levels_zyx):
    module = make_module("Sharp", "Soft")
    values = run(module, make_workspace(module, {"Sharp": levels_zyx[0], "Soft": levels_zyx[6]}))
    assert values["ImageFocus_Score_Soft"] > values["ImageFocus_Score_Sharp"] + 2


def test_blank_image_has_no_number_but_a_reason(make_module, make_workspace):
    module = make_module("DNA")
    values = run(module, make_workspace(module, {"DNA": np.full((128, 128), 7, np.uint8)}))
    assert np.isnan(values["ImageFocus_Score_DNA"])
    assert values["ImageFocus_Answered_DNA"] == 0
    assert values["ImageFocus_Status_DNA"] == "blank"
    assert values["ImageFocus_Reason_DNA"] == "every pixel is 7"


def test_every_measured_column_is_declared_and_none_else(make_module, make_workspace, cells_yx):
    module = make_module("DNA", objects=["Nuclei"], classical_metrics=True)
    workspace = make_workspace(module, {"DNA": cells_yx}, {"Nuclei": np.eye(256, dtype=int)})
    module.run(workspace)
    declared = {(kind, name) for kind, name, _ in module.get_measurement_columns(workspace.pipeline)}
    measured = {
        (kind, name)
        for kind in (IMAGE, "Nuclei")
        for name in workspace.measurements.get_feature_names(kind)
        if name.startswith("ImageFocus_")
    }
    assert measured == declared


def test_columns_can_be_selected_in_other_modules(make_module):
    module = make_module("DNA", "GFP", objects=["Nuclei"])
    for kind, name, _ in module.get_measurement_columns(None):
        category, feature, image = name.split("_")
        assert category in module.get_categories(None, kind)
        assert feature in module.get_measurements(None, kind, category)
        assert image in module.get_measurement_images(None, kind, category, feature)
    assert module.get_categories(None, "Cells") == []
    assert module.get_measurements(None, IMAGE, "Intensity") == []
    assert module.get_measurement_images(None, IMAGE, "ImageFocus", "Area") == []


def test_columns_do_not_depend_on_the_number_of_planes(make_module, make_workspace, levels_zyx):
    module = make_module("DNA")
    found = [run(module, make_workspace(module, {"DNA": levels_zyx[:n]})).keys() for n in (1, 3)]
    assert found[0] == found[1]


def test_stack_has_the_score_of_its_sharpest_plane(make_module, make_workspace, levels_zyx):
    module = make_module("DNA", wants_optics=True, z_step_um=2.0)
    values = run(module, make_workspace(module, {"DNA": levels_zyx[[7, 4, 0, 5]]}))
    assert values["ImageFocus_SharpestPlane_DNA"] == 2
    assert values["ImageFocus_SharpestPlaneZUm_DNA"] == 4.0
    np.testing.assert_allclose(
        values["ImageFocus_Score_DNA"], measure_image_focus(levels_zyx[0]).estimate.defocus_level, rtol=1e-6
    )


def test_mask_is_passed_on_where_it_was_set(make_module, make_workspace, cells_yx):
    module = make_module("DNA")
    mask = np.zeros(cells_yx.shape, bool)
    masked = Image(cells_yx, mask=mask, scale=255)
    assert run(module, make_workspace(module, {"DNA": masked}))["ImageFocus_Status_DNA"] == "masked_out"
    mask[:, :128] = True
    values = run(module, make_workspace(module, {"DNA": Image(cells_yx, mask=mask, scale=255)}))
    direct = measure_image_focus(cells_yx, mask_yx=mask).estimate.defocus_level
    np.testing.assert_allclose(values["ImageFocus_Score_DNA"], direct, rtol=1e-6)


def test_color_is_measured_as_its_mean(make_module, make_workspace, cells_yx):
    module = make_module("RGB")
    rgb = np.stack([cells_yx, cells_yx // 2, cells_yx // 3], axis=-1)
    values = run(module, make_workspace(module, {"RGB": rgb}))
    np.testing.assert_allclose(
        values["ImageFocus_Score_RGB"], measure_image_focus(rgb).estimate.defocus_level, rtol=1e-6
    )


def test_black_level_is_in_counts_of_the_file(make_module, make_workspace, cells_yx):
    counts = cells_yx.astype(np.uint16) * 8 + 100
    image = Image(counts / np.float32(4095), scale=4095)
    module = make_module("DNA", black_level=100.0, saturation_level=2140.0)
    values = run(module, make_workspace(module, {"DNA": image}))
    direct = measure_image_focus(counts, black_level=100.0, saturation_level=2140.0)
    np.testing.assert_allclose(values["ImageFocus_Score_DNA"], direct.estimate.defocus_level, rtol=1e-6)
    assert values["ImageFocus_Warnings_DNA"] == ", ".join(direct.estimate.warnings)


def test_black_level_is_refused_where_counts_are_not_known(make_module, make_workspace, cells_yx):
    module = make_module("DNA", black_level=100.0)
    workspace = make_workspace(module, {"DNA": Image(cells_yx / 255.0)})
    with pytest.raises(ValueError, match="DNA does not say which count its value 1.0 stands for"):
        module.run(workspace)


def test_binary_image_is_refused(make_module, make_workspace, cells_yx):
    module = make_module("Mask")
    with pytest.raises(ValueError, match=r"Mask is binary"):
        module.run(make_workspace(module, {"Mask": Image(cells_yx > 40)}))


def test_each_object_has_its_own_level(make_module, make_workspace, levels_zyx):
    labels = np.zeros((256, 512), np.int32)
    labels[100:160, 90:150] = 1
    labels[100:160, 360:420] = 3
    module = make_module("DNA", objects=["Nuclei"])
    half_sharp = np.concatenate([levels_zyx[0], levels_zyx[7]], axis=1)
    values = run(module, make_workspace(module, {"DNA": half_sharp}, {"Nuclei": labels}))
    scores = values["Nuclei.ImageFocus_Score_DNA"]
    direct = measure_image_focus(half_sharp, labels_yx=labels).objects
    assert scores.shape == (3,)
    np.testing.assert_allclose(scores, [direct[1].defocus_level, np.nan, direct[3].defocus_level], rtol=1e-6)
    assert scores[2] > scores[0] + 2
    np.testing.assert_array_equal(values["Nuclei.ImageFocus_Answered_DNA"], [1, 0, 1])


def test_objects_that_overlap_are_all_measured(make_module, make_workspace, cells_yx):
    y, x = np.mgrid[60:160, 60:160].reshape(2, -1)
    objects = Objects()
    ijv = [np.column_stack([y, x + shift, np.full(y.size, number)]) for shift, number in ((0, 1), (20, 2))]
    objects.set_ijv(np.concatenate(ijv), shape=cells_yx.shape)
    module = make_module("DNA", objects=["Cells"])
    values = run(module, make_workspace(module, {"DNA": cells_yx}, {"Cells": objects}))
    np.testing.assert_array_equal(values["Cells.ImageFocus_Answered_DNA"], [1, 1])


def test_no_objects_give_empty_columns(make_module, make_workspace, cells_yx):
    module = make_module("DNA", objects=["Nuclei"])
    values = run(module, make_workspace(module, {"DNA": cells_yx}, {"Nuclei": np.zeros(cells_yx.shape, int)}))
    assert len(values["Nuclei.ImageFocus_Score_DNA"]) == 0


def test_objects_of_another_size_are_refused_by_name(make_module, make_workspace, cells_yx):
    module = make_module("DNA", objects=["Nuclei"])
    workspace = make_workspace(module, {"DNA": cells_yx}, {"Nuclei": np.ones((100, 100), int)})
    with pytest.raises(ValueError, match=r"image DNA and the objects Nuclei must have the same size.*\(100, 100\)"):
        module.run(workspace)


def test_overlay_is_the_one_of_core(make_module, make_workspace, cells_yx):
    module = make_module("DNA")
    module.images[0].wants_overlay.value = True
    workspace = make_workspace(module, {"DNA": cells_yx})
    module.run(workspace)
    rgb = workspace.image_set.get_image("FocusOverlay").pixel_data
    np.testing.assert_array_equal(rgb, draw_overlay(cells_yx, measure_image_focus(cells_yx).planes[0].patches))


def test_stack_gives_a_stack_of_overlays_and_its_sharpest_plane(make_module, make_workspace, levels_zyx):
    module = make_module("DNA")
    module.images[0].wants_overlay.value = module.images[0].wants_sharpest_plane.value = True
    stack = levels_zyx[[6, 0, 8]]
    workspace = make_workspace(module, {"DNA": stack})
    module.run(workspace)
    overlay = workspace.image_set.get_image("FocusOverlay")
    assert overlay.volumetric
    assert overlay.pixel_data.shape == (*as_planes(stack)[0].shape, 3)
    plane = workspace.image_set.get_image("SharpestPlane")
    assert not plane.volumetric
    np.testing.assert_allclose(plane.pixel_data * 255, levels_zyx[0], atol=1e-4)


def test_blank_stack_passes_its_middle_plane_on(make_module, make_workspace):
    module = make_module("DNA")
    module.images[0].wants_sharpest_plane.value = True
    stack = np.repeat(np.array([3, 4, 5], np.uint8), 90 * 90).reshape(3, 90, 90)
    workspace = make_workspace(module, {"DNA": stack})
    values = run(module, workspace)
    np.testing.assert_allclose(workspace.image_set.get_image("SharpestPlane").pixel_data * 255, 4, atol=1e-5)
    assert np.isnan(values["ImageFocus_SharpestPlane_DNA"])


def test_model_is_loaded_once_for_all_images_and_modules(make_module, make_workspace, cells_yx, monkeypatch):
    import onnxruntime

    from parfocal import registry

    loaded = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **k: loaded.append(1) or session(*a, **k))
    registry._load.cache_clear()
    for module in (make_module("DNA"), make_module("DNA", "GFP")):
        for _ in range(2):
            module.run(make_workspace(module, {"DNA": cells_yx, "GFP": cells_yx}))
    assert len(loaded) == 1


class Figure:
    """Takes down what a window would show."""

    def __init__(self):
        self.shown = []

    def set_subplots(self, shape):
        self.shape = shape

    def subplot_imshow_color(self, x, y, image, **kwargs):
        self.shown.append((x, y, image.shape))

    def subplot_table(self, x, y, rows, **kwargs):
        self.shown.append((x, y, [len(row) for row in rows]))
        self.names = [row[0] for row in rows]


def test_window_shows_picture_and_numbers_of_each_image(make_module, make_workspace, cells_yx, levels_zyx):
    module = make_module("DNA", "Stack", objects=["Nuclei"])
    module.show_window = True
    labels = np.zeros((3, 256, 256), np.int32)
    labels[:, 50:100, 50:100] = 1
    workspace = make_workspace(module, {"DNA": levels_zyx[:3], "Stack": levels_zyx[3:6]}, {"Nuclei": labels})
    module.run(workspace)
    figure = Figure()
    module.display(workspace, figure)
    assert figure.shape == (2, 2)
    assert [shown[:2] for shown in figure.shown] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert figure.shown[0][2] == (256, 256, 3)
    assert {"Status", "Score", "Nuclei answered"} <= set(figure.names)
    assert "DefocusDistanceUm" not in figure.names
