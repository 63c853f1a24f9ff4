"""RestoreDefocus on single image sets, inside this process."""

import numpy as np
import pytest
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.image import Image
from restoring import direct, make, run, write_model

from parfocal.restoration.restore import restore_defocus


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("models") / "tiny")


def test_image_and_numbers_are_those_of_the_command(make_workspace, blurred):
    module = make()
    image, values = run(module, make_workspace(module, {"DNA": blurred}))
    expected = direct(blurred)
    np.testing.assert_array_equal(np.rint(image.pixel_data * 255), expected.image)
    for feature, number in expected.features().items():
        np.testing.assert_allclose(values[f"RestoreDefocus_{feature}_RDNA"], number, rtol=1e-6, err_msg=feature)
    assert values["RestoreDefocus_Restored_RDNA"] == 1
    assert values["RestoreDefocus_Status_RDNA"] == "ok"
    assert values["RestoreDefocus_Warnings_RDNA"] == "optics_assumed"
    assert values["RestoreDefocus_Provenance_RDNA"] == expected.provenance
    assert "Not for quantification of intensity or texture" in expected.provenance


def test_every_measured_column_is_declared_and_none_else(make_workspace, blurred):
    module = make()
    workspace = make_workspace(module, {"DNA": blurred})
    module.run(workspace)
    declared = {name for _, name, _ in module.get_measurement_columns(workspace.pipeline)}
    assert {n for n in workspace.measurements.get_feature_names(IMAGE) if n.startswith("Restore")} == declared


@pytest.mark.parametrize("kind", ["sharp", "blank", "small"])
def test_what_is_not_restored_comes_out_bit_equal_with_the_reason(kind, make_workspace, cells_yx, blurred):
    made = {"sharp": cells_yx, "blank": np.full((128, 128), 7, np.uint8), "small": blurred[:50, :50]}[kind]
    module = make()
    image, values = run(module, make_workspace(module, {"DNA": made}))
    np.testing.assert_array_equal(image.pixel_data, Image(made).pixel_data)
    status = {"sharp": "ok", "blank": "blank", "small": "too_small"}[kind]
    reason = {"sharp": "in focus: level", "blank": "every pixel is 7", "small": "50 x 50"}[kind]
    assert values["RestoreDefocus_Status_RDNA"] == status
    assert reason in values["RestoreDefocus_Reason_RDNA"]
    assert values["RestoreDefocus_Answered_RDNA"] == float(kind == "sharp")
    assert values["RestoreDefocus_Restored_RDNA"] == 0
    assert values["RestoreDefocus_Provenance_RDNA"] == ""


def test_image_keeps_parent_mask_scale_file_and_channels(make_workspace, blurred):
    mask = np.zeros(blurred.shape, bool)
    mask[:, :128] = True
    given = Image(blurred, mask=mask, scale=255, path_name="/nowhere", file_name="a.tif")
    given.channel_names = ["DAPI"]
    module = make()
    image, _ = run(module, make_workspace(module, {"DNA": given}))
    assert image.parent_image is given
    np.testing.assert_array_equal(image.mask, mask)
    assert (image.scale, image.file_name, image.channel_names) == (255, "a.tif", ["DAPI"])
    assert image.pixel_data.dtype == np.float32
    # The whole plane is restored, whatever is masked out.
    np.testing.assert_array_equal(np.rint(image.pixel_data * 255), direct(blurred).image)


def test_color_is_restored_color_by_color(make_workspace, blurred):
    rgb = np.stack([blurred, blurred[::-1], blurred // 2], axis=-1)
    module = make()
    image, values = run(module, make_workspace(module, {"DNA": rgb}))
    assert image.multichannel
    np.testing.assert_array_equal(np.rint(image.pixel_data * 255), direct(rgb).image)
    assert values["RestoreDefocus_Restored_RDNA"] == 1


def test_of_a_stack_only_planes_out_of_focus_are_changed(make_workspace, levels_zyx):
    stack = levels_zyx[[0, 5, 7, 0]]
    module = make()
    image, values = run(module, make_workspace(module, {"DNA": stack}))
    assert image.volumetric
    assert image.spacing == (1.0, 1.0, 1.0)
    before = Image(stack).pixel_data
    assert [bool((after == plane).all()) for after, plane in zip(image.pixel_data, before)] == [
        True,
        False,
        False,
        True,
    ]
    np.testing.assert_array_equal(np.rint(image.pixel_data * 255), direct(stack).image)
    assert values["RestoreDefocus_PlanesRestored_RDNA"] == 2


def test_twelve_bits_stay_on_their_scale_and_below_one(make_workspace, blurred):
    counts = blurred.astype(np.uint16) * 40
    given = Image(counts / np.float32(4095), scale=4095)
    module = make(iterations=60)
    image, values = run(module, make_workspace(module, {"DNA": given}))
    expected = restore_defocus(counts, method="richardson_lucy", iterations=60)
    assert expected.image.max() > 4095 > counts.max()
    np.testing.assert_allclose(image.pixel_data, np.minimum(expected.image / 4095, 1), atol=1e-6)
    assert "cut_off" in values["RestoreDefocus_Warnings_RDNA"]
    ratio = image.pixel_data.sum(dtype=float) / given.pixel_data.sum(dtype=float)
    assert values["RestoreDefocus_IntensityRatio_RDNA"] == pytest.approx(ratio, rel=1e-5)
    assert ratio < 0.999


@pytest.mark.parametrize("gain", [1.0, 300.0])
def test_an_image_without_a_scale_is_restored_as_it_is(gain, make_workspace, blurred):
    pixels = (blurred / 255 * gain).astype(np.float32)
    module = make()
    image, values = run(module, make_workspace(module, {"DNA": Image(pixels)}))
    expected = direct(pixels).image
    assert image.pixel_data.dtype == np.float32
    np.testing.assert_array_equal(image.pixel_data, np.minimum(expected, max(1.0, pixels.max())))
    assert values["RestoreDefocus_Restored_RDNA"] == 1
    assert image.pixel_data.min() >= 0


def test_an_image_with_nan_comes_out_unchanged(make_workspace, blurred, model):
    pixels = blurred / np.float32(255)
    pixels[3, 4] = np.nan
    module = make(method="Network", model=model, uncertainty=True)
    image, values = run(module, make_workspace(module, {"DNA": Image(pixels)}))
    assert values["RestoreDefocus_Status_RDNA"] == "not_finite"
    np.testing.assert_array_equal(image.pixel_data, pixels)


def test_network_gives_an_uncertainty_image_on_the_same_scale(make_workspace, blurred, model):
    module = make(method="Network", model=model, uncertainty=True, uncertainty_name="Error")
    workspace = make_workspace(module, {"DNA": blurred})
    image, values = run(module, workspace)
    expected = restore_defocus(blurred, model=model, uncertainty=True)
    np.testing.assert_array_equal(np.rint(image.pixel_data * 255), expected.image)
    error = workspace.image_set.get_image("Error")
    np.testing.assert_allclose(error.pixel_data * 255, expected.uncertainty, rtol=1e-5)
    assert error.pixel_data.min() > 0
    assert "model tiny" in values["RestoreDefocus_Provenance_RDNA"]


def test_uncertainty_of_an_image_that_is_left_alone_is_zero(make_workspace, cells_yx, blurred, model):
    values = {"method": "Network", "model": model, "uncertainty": True, "uncertainty_name": "Error"}
    for image, more in ((cells_yx, {}), (blurred, condition(smallest_value=9.0))):
        module = make(**values, **more)
        workspace = make_workspace(module, {"DNA": image})
        workspace.measurements.add_image_measurement("ImageFocus_Score_DNA", 5.0)
        module.run(workspace)
        error = workspace.image_set.get_image("Error").pixel_data
        assert error.shape == image.shape
        assert not error.any()


def condition(**values):
    return {"when": "Only where a measurement says so", "measurement": "ImageFocus_Score_DNA", **values}


@pytest.mark.parametrize(
    ("value", "low", "high", "restored", "status", "reason"),
    [
        (5.0, 3.0, None, 1, "ok", ""),
        (3.0, 3.0, 9.0, 1, "ok", ""),
        (1, 1.0, None, 1, "ok", ""),
        (2.96, 3.0, None, 0, "ok", "not restored, since ImageFocus_Score_DNA is 2.96, below 3"),
        (9.5, None, 9.0, 0, "ok", "not restored, since ImageFocus_Score_DNA is 9.5, above 9"),
        (np.nan, 3.0, None, 0, "not_finite", "not restored, since ImageFocus_Score_DNA is NaN"),
        (None, 3.0, None, 0, "not_finite", "not restored, since ImageFocus_Score_DNA is no number: None"),
        ("ok", 3.0, None, 0, "not_finite", "not restored, since ImageFocus_Score_DNA is no number: 'ok'"),
    ],
)
def test_a_measurement_decides_whether_an_image_is_restored(
    value, low, high, restored, status, reason, make_workspace, blurred
):
    module = make(**condition(smallest_value=low, largest_value=high))
    workspace = make_workspace(module, {"DNA": blurred})
    if value is not None:
        workspace.measurements.add_image_measurement("ImageFocus_Score_DNA", value)
    image, values = run(module, workspace)
    assert values["RestoreDefocus_Restored_RDNA"] == restored
    assert values["RestoreDefocus_Status_RDNA"] == status
    assert values["RestoreDefocus_Answered_RDNA"] == float(status == "ok")
    assert values["RestoreDefocus_Reason_RDNA"] == reason
    assert np.array_equal(image.pixel_data, Image(blurred).pixel_data) == (not restored)


def test_test_mode_gives_the_same(make_workspace, blurred):
    made = []
    for test_mode in (False, True):
        module = make()
        workspace = make_workspace(module, {"DNA": blurred})
        workspace.pipeline.test_mode = test_mode
        made.append(run(module, workspace))
    np.testing.assert_array_equal(made[0][0].pixel_data, made[1][0].pixel_data)
    assert made[0][1] == made[1][1]


def test_binary_image_and_too_many_channels_are_refused(make_workspace, cells_yx):
    module = make()
    with pytest.raises(ValueError, match="DNA is binary"):
        module.run(make_workspace(module, {"DNA": Image(cells_yx > 40)}))
    with pytest.raises(ValueError, match="DNA has 5 channels"):
        module.run(make_workspace(module, {"DNA": Image(np.stack([cells_yx] * 5, axis=-1))}))
