"""Where MeasureBeadFocalPlane takes the positions of planes and the pixel size from."""

import numpy as np
import pytest
import tifffile
from bead_stacks import make
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.measurement import Measurements

from parfocal.cp_plugins import _parfocal_bead_settings as bead_settings
from parfocal.cp_plugins._parfocal_bead_positions import Sources

SIZE = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "um", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "um"}
PIXELS = np.zeros((4, 8, 8), np.uint8)


def sources(features, n_planes=None, **values):
    """Sources of a group with these image measurements, a list for each; of a 3D image where `n_planes` is given."""
    measurements = Measurements()
    count = len(next(iter(features.values())))
    for feature, column in features.items():
        for number, value in enumerate(column, 1):
            measurements.add_measurement(IMAGE, feature, value, image_set_number=number)
    form = bead_settings.GROUPED if n_planes is None else bead_settings.VOLUME
    return Sources(make(stack_form=form, **values), measurements, tuple(range(1, count + 1)), n_planes or count)


def files(folder, names, **features):
    return {"PathName_Stack": [str(folder)] * len(names), "FileName_Stack": names, **features}


def write_ome(path, stack, positions=None, step=None):
    about = {**SIZE, "axes": "ZYX"}
    if positions is not None:
        about["Plane"] = {"PositionZ": positions, "PositionZUnit": ["um"] * len(positions)}
    if step is not None:
        about.update(PhysicalSizeZ=step, PhysicalSizeZUnit="um")
    tifffile.imwrite(path, stack, metadata=about)


def test_z_step_counts_from_the_first_plane():
    z, _ = sources({"Metadata_Z": [1, 2, 3]}, z_step_um=2.5).z_um()
    np.testing.assert_array_equal(z, [0, 2.5, 5])


def test_metadata_gives_each_plane_its_place_and_text_none():
    found = sources(
        {"Metadata_Z": ["10", "2", "?", "-3.5"]}, z_source=bead_settings.Z_METADATA, z_tag=" Z ", z_factor_um=-0.5
    )
    z, missing = found.z_um()
    np.testing.assert_array_equal(z, [-5, -1, np.nan, 1.75])
    assert missing == "its metadata Z is no number"


def test_metadata_of_a_3d_image_is_its_z_step():
    z, _ = sources({"Metadata_Z": ["300"]}, 4, z_source=bead_settings.Z_METADATA, z_factor_um=0.001).z_um()
    np.testing.assert_allclose(z, [0, 0.3, 0.6, 0.9], rtol=1e-12)


def test_metadata_without_any_number_is_named():
    with pytest.raises(ValueError, match="metadata Z must be a number, got 'low'"):
        sources({"Metadata_Z": ["low", "high"]}, z_source=bead_settings.Z_METADATA).z_um()


def test_files_of_one_plane_give_their_positions(tmp_path):
    places = [7.5, -2.0, 3.25]
    names = [f"{number}.ome.tif" for number in range(3)]
    for name, z in zip(names, places):
        write_ome(tmp_path / name, PIXELS[:1], [z])
    found = sources(files(tmp_path, names), z_source=bead_settings.Z_FILE, pixel_size_um=None)
    np.testing.assert_array_equal(found.z_um()[0], places)
    assert found.pixel_size_um() == 0.5


def test_frames_of_one_file_give_their_positions_in_any_order(tmp_path):
    write_ome(tmp_path / "a.ome.tif", PIXELS, [5.0, 6.0, 8.0, 11.0])
    features = files(tmp_path, ["a.ome.tif"] * 4, Frame_Stack=[2, 0, 3, 1])
    z, _ = sources(features, z_source=bead_settings.Z_FILE).z_um()
    np.testing.assert_array_equal(z, [8, 5, 11, 6])


def test_frames_of_one_file_lie_a_z_step_apart(tmp_path):
    write_ome(tmp_path / "a.ome.tif", PIXELS, step=1.5)
    features = files(tmp_path, ["a.ome.tif"] * 4, Frame_Stack=[3, 2, 1, 0])
    z, _ = sources(features, z_source=bead_settings.Z_FILE).z_um()
    np.testing.assert_array_equal(z, [4.5, 3, 1.5, 0])


def test_file_with_another_number_of_planes_is_refused(tmp_path):
    write_ome(tmp_path / "a.ome.tif", PIXELS, step=1.5)
    with pytest.raises(ValueError, match="the stack has 3 planes, its file a.ome.tif has 4"):
        sources(files(tmp_path, ["a.ome.tif"] * 3), z_source=bead_settings.Z_FILE).z_um()


def test_file_without_positions_is_named(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="minisblack")
    found = sources(files(tmp_path, ["a.tif"]), 4, z_source=bead_settings.Z_FILE, pixel_size_um=None)
    with pytest.raises(ValueError, match="a.tif does not say where its planes lie along z"):
        found.z_um()
    with pytest.raises(ValueError, match="a.tif does not say how large a pixel is: enter the pixel size"):
        found.pixel_size_um()
