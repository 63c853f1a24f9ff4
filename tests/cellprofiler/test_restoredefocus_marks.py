"""RestoreDefocus and its marks: what was restored is not restored again, files carry the mark."""

import numpy as np
import pytest
import tifffile
from cellprofiler_core.image import Image
from restoring import direct, in_a_row, loaded, make, run

from parfocal.restoration.marked_tiff import is_marked_file, write_marked
from parfocal.restoration.result import is_marked_restored


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
