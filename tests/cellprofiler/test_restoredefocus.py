"""RestoreDefocus on single image sets, inside this process."""

import numpy as np
import pytest
import tifffile
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.image import Image
from cellprofiler_core.pipeline import Pipeline
from restoring import make, write_model

from parfocal.restoration.marked_tiff import is_marked_file, write_marked
from parfocal.restoration.restore import restore_defocus
from parfocal.restoration.result import is_marked_restored


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def blurred(levels_zyx):
    """The field at level 5, 8 bit."""
    return levels_zyx[5]


def direct(image, **arguments):
    return restore_defocus(image, method="richardson_lucy", iterations=5, **arguments)


def run(module, workspace):
    module.run(workspace)
    values = {
        name: workspace.measurements.get_current_image_measurement(name)
        for _, name, _ in module.get_measurement_columns(workspace.pipeline)
    }
    return workspace.image_set.get_image(module.restored_name.value), values


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


def in_a_row(make_workspace, images, *modules):
    """Run modules one after the other as a pipeline does; gives the workspace."""
    pipeline = Pipeline()
    for number, module in enumerate(modules, 1):
        module.set_module_num(number)
        module.show_window = False
        pipeline.add_module(module)
    workspace = make_workspace(modules[0], images)
    workspace.pipeline.__dict__.update(pipeline.__dict__)
    for module in modules:
        module.run(workspace)
    return workspace


def status_of(workspace, name):
    return workspace.measurements.get_current_image_measurement(f"RestoreDefocus_Status_{name}")


def smoothing(source, made):
    from cellprofiler.modules.smooth import Smooth

    module = Smooth()
    module.image_name.value, module.filtered_image_name.value = source, made
    return module


def coloring(red, green, made):
    from cellprofiler.modules.graytocolor import GrayToColor

    module = GrayToColor()
    module.red_image_name.value, module.green_image_name.value = red, green
    module.blue_image_name.value, module.rgb_image_name.value = "Leave this black", made
    return module


def test_an_image_that_was_restored_is_not_restored_again(make_workspace, blurred):
    second, third = make(image_name="RDNA", restored_name="Twice"), make(image_name="Smooth", restored_name="Thrice")
    workspace = in_a_row(make_workspace, {"DNA": blurred}, make(), second, smoothing("Twice", "Smooth"), third)
    assert [status_of(workspace, name) for name in ("RDNA", "Twice", "Thrice")] == ["ok", *["already_restored"] * 2]
    once, twice = (workspace.image_set.get_image(name).pixel_data for name in ("RDNA", "Twice"))
    np.testing.assert_array_equal(twice, once)


def test_a_restored_image_is_known_also_among_others_in_a_color_image(make_workspace, blurred):
    # Of the two, the color image names the first alone as its parent.
    modules = (make(), coloring("Raw", "RDNA", "RGB"), make(image_name="RGB", restored_name="RRGB"))
    workspace = in_a_row(make_workspace, {"DNA": blurred, "Raw": blurred[::-1]}, *modules)
    assert status_of(workspace, "RRGB") == "already_restored"
    reason = workspace.measurements.get_current_image_measurement("RestoreDefocus_Reason_RRGB")
    assert reason == "made of RDNA, which an earlier module of the pipeline has restored"


def test_an_image_that_an_earlier_module_left_alone_may_be_restored(make_workspace, blurred):
    first = make(smallest_level=9.9)
    second = make(image_name="RDNA", restored_name="Late")
    workspace = in_a_row(make_workspace, {"DNA": blurred}, first, second)
    measured = workspace.measurements.get_current_image_measurement
    assert [measured(f"RestoreDefocus_Restored_{name}") for name in ("RDNA", "Late")] == [0, 1]


def loaded(folder, counts, name="field.tif"):
    """Image as if it had been loaded from a file."""
    return Image(counts, scale=255, path_name=str(folder), file_name=name)


def test_a_file_that_is_marked_as_restored_is_not_restored(make_workspace, blurred, tmp_path):
    write_marked(tmp_path / "field.tif", blurred, direct(blurred).provenance)
    module = make()
    image, values = run(module, make_workspace(module, {"DNA": loaded(tmp_path, blurred)}))
    assert values["RestoreDefocus_Status_RDNA"] == "already_restored"
    assert values["RestoreDefocus_Reason_RDNA"] == "the file field.tif is marked as restored"
    np.testing.assert_array_equal(image.pixel_data, Image(blurred).pixel_data)


def saving(folder, **values):
    return make(wants_file=True, directory=f"Elsewhere...|{folder}", **values)


def test_a_restored_image_is_saved_in_counts_with_its_mark(make_workspace, blurred, tmp_path):
    optics = {"wants_optics": True, "pixel_size_um": 0.65, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    module = saving(tmp_path / "out", **optics)
    _, values = run(module, make_workspace(module, {"DNA": loaded(tmp_path, blurred)}))
    path = tmp_path / "out" / "field_restored.ome.tif"
    expected = direct(blurred, pixel_size_um=0.65, numerical_aperture=0.5, emission_wavelength_um=0.5)
    np.testing.assert_array_equal(tifffile.imread(path), expected.image)
    assert tifffile.imread(path).dtype == np.uint8
    assert is_marked_file(path)
    assert is_marked_restored(values["RestoreDefocus_Provenance_RDNA"])


def test_nothing_is_saved_of_an_image_that_was_not_restored_or_in_test_mode(
    make_workspace, cells_yx, blurred, tmp_path
):
    module = saving(tmp_path / "out")
    module.run(make_workspace(module, {"DNA": loaded(tmp_path, cells_yx)}))
    workspace = make_workspace(module, {"DNA": loaded(tmp_path, blurred)})
    workspace.pipeline.test_mode = True
    module.run(workspace)
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_only_where_that_is_asked_for(make_workspace, blurred, tmp_path):
    other = tmp_path / "field_restored.ome.tif"
    other.write_text("of a user")
    images = {"DNA": loaded(tmp_path, blurred)}
    module = saving(tmp_path)
    with pytest.raises(FileExistsError, match=r"field_restored\.ome\.tif exists already"):
        module.run(make_workspace(module, images))
    assert other.read_text() == "of a user"
    module = saving(tmp_path, overwrite=True)
    module.run(make_workspace(module, images))
    assert is_marked_file(other)


def test_the_file_of_the_input_image_is_never_replaced(make_workspace, blurred, tmp_path):
    tifffile.imwrite(tmp_path / "field.ome.tif", blurred)
    module = saving(tmp_path, overwrite=True, suffix=r"\g<None>")
    workspace = make_workspace(module, {"DNA": loaded(tmp_path, blurred, "field.ome.tif")})
    workspace.measurements.add_image_measurement("Metadata_None", "")
    with pytest.raises(ValueError, match=r"field\.ome\.tif is the file that DNA was loaded from"):
        module.run(workspace)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "field.ome.tif"), blurred)


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


class Figure:
    """Takes down what a window would show, on real axes."""

    def __init__(self):
        from matplotlib.figure import Figure as Canvas

        self.figure, self.shown, self.axes = Canvas(), {}, {}

    def set_subplots(self, shape):
        self.shape = shape

    def subplot(self, x, y):
        if (x, y) not in self.axes:
            self.axes[x, y] = self.figure.add_subplot(2, 2, 1 + x + 2 * y)
        return self.axes[x, y]

    def subplot_imshow(self, x, y, image, **kwargs):
        self.shown[x, y] = {"image": image, **kwargs}

    subplot_imshow_color = subplot_imshow_grayscale = subplot_imshow

    def subplot_table(self, x, y, rows, **kwargs):
        self.shown[x, y] = {"rows": dict(rows)}


@pytest.mark.parametrize("kind", ["gray", "color", "stack", "sharp"])
def test_window_shows_before_after_difference_and_what_was_done(kind, make_workspace, levels_zyx):
    blurred = levels_zyx[5]
    color = np.stack([blurred] * 3, axis=-1)
    given = {"gray": blurred, "color": color, "stack": levels_zyx[[0, 1, 6]], "sharp": levels_zyx[0]}[kind]
    module = make()
    module.show_window = True
    workspace = make_workspace(module, {"DNA": given})
    module.run(workspace)
    figure = Figure()
    module.display(workspace, figure)
    before, after, difference = (figure.shown[place] for place in ((0, 0), (1, 0), (1, 1)))
    assert before["image"].shape == (256, 256, 3)[: 3 if kind == "color" else 2]
    assert (before["vmin"], before["vmax"]) == (after["vmin"], after["vmax"])
    brightest = max(before["image"].max(), after["image"].max())
    assert 0.3 * brightest < after["vmax"] <= brightest
    assert difference["image"].shape == (256, 256)
    assert difference["vmin"] == -difference["vmax"] < 0
    if kind == "stack":
        assert before["title"] == "DNA, plane 3 of 3"
    rows = figure.shown[0, 1]["rows"]
    assert rows["Status"] == "ok"
    assert rows["Restored"] == ("0" if kind == "sharp" else "1")
    if kind == "sharp":
        assert not difference["image"].any()
        assert "in focus" in rows["Reason"]
    else:
        assert np.mean(np.abs(difference["image"]) > difference["vmax"]) == pytest.approx(0.001, abs=1e-4)
    # The scale of the difference stands beside it.
    bar = figure.figure.axes[-1]
    assert bar.get_ylim() == (difference["vmin"], difference["vmax"])
