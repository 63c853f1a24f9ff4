"""What images of ImageJ bring with them: their kind, what they state of the optics, masks and labels beside them."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal import estimate_focal_position, flag_defocused, measure_bead_focal_plane, measure_image_focus
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.restoration.result import MARK
from parfocal.restoration.result import RESTORED_IMAGE as MARKED

DATA = Path(__file__).parents[1] / "data"
NUCLEI = iio.imread(DATA / "core" / "transfluor_O01f01.png").astype(np.uint16)
BLURRED = defocus_image(NUCLEI.astype(np.float32), 10.0).astype(np.uint16)
OPTICS = {"pixel_size_um": 0.65, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
INFO = (
    "Information|Instrument|Objective|LensNA #1 = 0.5\n"
    "Information|Instrument|Objective|ImmersionRefractiveIndex = 1.0\n"
    "Information|Image|Channel|EmissionWavelength #1 = 500.0\nInformation|Image|Channel|EmissionWavelength #2 = 600.0"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="module")
def stack(folder):
    """File of a stack with its calibration, as ImageJ writes it, so that it can be read plane by plane."""
    path = folder / "stack.tif"
    step = {"spacing": 2.0, "unit": "um", "axes": "ZYX", "Labels": ["first", "second", "third"]}
    pixels = np.stack([BLURRED, NUCLEI, BLURRED // 2])
    tifffile.imwrite(path, pixels, imagej=True, resolution=(1 / 0.65, 1 / 0.65), metadata=step)
    return str(path), pixels


def same(found, expected, names=None):
    for name in names or expected:
        assert found[name] == pytest.approx(expected[name], rel=1e-6, nan_ok=True), name


def test_a_virtual_stack_has_the_numbers_of_its_planes(headless, stack):
    path, pixels = stack
    same(
        headless.run_on_virtual_files("measure_image_focus", path, {"pixel_size_um": 0.65}),
        measure_image_focus(pixels, pixel_size_um=0.65, z_step_um=2.0).features(),
    )
    same(
        headless.run_on_virtual_files("flag_defocused", path, {}), flag_defocused(pixels, pixel_size_um=0.65).features()
    )


def test_signed_numbers_are_measured_as_such(headless, folder):
    path = folder / "signed.tif"
    tifffile.imwrite(path, NUCLEI + 32768 - 40)
    expected = measure_image_focus(NUCLEI.astype(np.int32) - 40)
    same(headless.signed_image(str(path)), expected.features())


def test_a_stack_above_two_gigabytes_is_measured_plane_by_plane(headless):
    found = headless.run_on_huge()
    assert found["bytes"] > 2**31
    assert max(found["python_bytes"], found["java_bytes"]) < 2**29
    assert len(found["rows"]) == 35
    for row, label, part in zip((found["rows"][1], found["rows"][-1]), ("huge:z1", "huge:z34"), found["parts"]):
        expected = flag_defocused(np.array(part, np.uint8), check_level=False)
        assert row == [label, pytest.approx(expected.probability, rel=1e-6, nan_ok=True), expected.status]


def test_optics_come_from_calibration_and_info(headless, stack):
    path, pixels = stack
    found = headless.run_on("measure_image_focus", path, {}, INFO)
    same(found, measure_image_focus(pixels, z_step_um=2.0, **OPTICS).features())
    assert found["DefocusDistanceUm"] == found["DefocusDistanceUm"]  # a distance needs all of them


def test_a_restored_image_is_measured_with_a_warning_and_not_sorted(headless, stack):
    mark = f"{MARK}: method wiener"
    found = headless.run_on("measure_image_focus", stack[0], {}, mark)
    assert found["warnings"].split() == [
        *headless.run_on("measure_image_focus", stack[0], {})["warnings"].split(),
        MARKED,
    ]
    found = headless.run_on("flag_defocused", stack[0], {}, mark)
    assert found["status"] == "already_restored" and np.isnan([found["Probability"], found["Defocused"]]).all()
    headless.table_rows()
    marked = f'open("{stack[0]}"); setMetadata("Info", "{mark}");'
    assert headless.run_macro(f'{marked} run("Flag Defocused", "each_plane"); return "went on";') == "went on"
    rows = headless.table_rows()
    assert [row["FlagDefocused_Status"] for row in rows] == ["already_restored"] * 4
    assert all(row["FlagDefocused_Reason"].endswith(f"done once only: {mark}") for row in rows)
    assert headless.run_macro('run("Split Sharp and Defocused..."); return "went on";') == "[aborted]"
    told = "stack.tif was restored by Parfocal, and is not sorted: split the original image"
    assert f"Split Sharp and Defocused: {told}" in headless.log_text()
    headless.run_macro("while (nImages > 0) close();")


def test_patches_that_mask_and_selection_leave_out_have_no_mark(headless, stack):
    headless.run_macro(f'open("{stack[0]}"); run("Measure Image Focus");')
    everywhere = [part["xywh"] for part in headless.overlay() if part["name"] != "legend"]
    headless.run_macro('makeRectangle(0, 0, 84, 256); run("Measure Image Focus");')
    marked = [part["xywh"] for part in headless.overlay() if part["name"] != "legend"]
    assert marked == [xywh for xywh in everywhere if xywh[0] < 50] != []
    headless.run_macro("while (nImages > 0) close();")


def test_a_calibration_of_exactly_one_states_nothing(headless, folder):
    pixels = np.stack([BLURRED, NUCLEI])
    path = folder / "uncalibrated.tif"
    tifffile.imwrite(path, pixels, imagej=True, resolution=(1, 1), metadata={"unit": "um", "axes": "ZYX"})
    found = headless.run_on(
        "measure_image_focus", str(path), {"numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    )
    same(found, measure_image_focus(pixels, numerical_aperture=0.5, emission_wavelength_um=0.5).features())
    assert np.isnan([found["DefocusDistanceUm"], found["SharpestPlaneZUm"]]).all()
    told = headless.run_module("measure_bead_focal_plane", str(path), {"bead_diameter_um": 5.0})["failed"]
    assert "Pixel size must be given, the calibration of the image states none" in told


def test_optics_come_from_ome_xml_that_imagej_has_read(headless, folder):
    path = folder / "ome.tif"
    channel = {"Channel": {"EmissionWavelength": [500.0], "EmissionWavelengthUnit": ["nm"]}}
    tifffile.imwrite(path, NUCLEI, ome=True, metadata={"axes": "YX", "PhysicalSizeX": 0.65, **channel})
    objective = '<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="0.5"/></Instrument><Image '
    xml = tifffile.tiffcomment(path).replace("<Image ", objective, 1)
    tifffile.tiffcomment(path, xml.encode())
    found = headless.run_on("measure_image_focus", str(path), {})
    same(found, measure_image_focus(NUCLEI, **OPTICS).features())
    assert found["DefocusDistanceUm"] == found["DefocusDistanceUm"]


def test_what_is_given_counts_more_than_what_the_image_states(headless, stack):
    path, pixels = stack
    found = headless.run_on("measure_image_focus", path, {"pixel_size_um": 0.5, "emission_wavelength_um": 0.6}, INFO)
    given = {"pixel_size_um": 0.5, "numerical_aperture": 0.5, "emission_wavelength_um": 0.6}
    same(found, measure_image_focus(pixels, z_step_um=2.0, **given).features())


def test_what_an_image_states_and_cannot_be_is_left_out_with_a_warning(headless, stack):
    found = headless.run_on("measure_image_focus", stack[0], {}, INFO.replace("LensNA #1 = 0.5", "LensNA #1 = 1.4"))
    assert found["DefocusDistanceUm"] != found["DefocusDistanceUm"]
    assert "numerical_aperture_of_file_not_used" in found["warnings"]


def test_a_default_of_a_module_does_not_hide_what_the_image_states(headless, stack, folder):
    given = {"numerical_aperture": "1.2", "emission_wavelength_um": "0.5"}
    assert "failed" in headless.run_module("measure_image_focus", stack[0], given)  # above the index of air
    found = headless.run_module("measure_image_focus", stack[0], given, False, "RefractiveIndex = 1.33")
    expected = measure_image_focus(
        stack[1], pixel_size_um=0.65, numerical_aperture=1.2, emission_wavelength_um=0.5, immersion_index=1.33
    )
    assert found["features"]["Score"] == pytest.approx(expected.features()["Score"], nan_ok=True)
    assert found["status"] == expected.status


@pytest.fixture(scope="module")
def labels(folder):
    """Files of two objects, as 8-bit and as 32-bit image, and of a mask."""
    objects = np.zeros(NUCLEI.shape, np.uint8)
    objects[20:120, 30:130], objects[130:230, 100:200] = 3, 7
    for name, pixels in (("labels8", objects), ("labels32", objects.astype(np.float32)), ("half", objects / 2.0)):
        tifffile.imwrite(folder / f"{name}.tif", pixels.astype(np.float32) if name == "half" else pixels)
    tifffile.imwrite(folder / "mask.tif", np.where(objects > 0, 255, 0).astype(np.uint8))
    return objects


@pytest.mark.parametrize("kind", ["labels8", "labels32"])
def test_objects_of_a_label_image_have_rows_of_their_own(kind, headless, stack, labels, folder):
    path, pixels = stack
    rows = headless.run_with_labels(path, str(folder / f"{kind}.tif"), {"pixel_size_um": 0.65})
    expected = measure_image_focus(pixels, labels_yx=labels, pixel_size_um=0.65).objects
    assert list(rows) == ["stack.tif", "stack.tif:object 3", "stack.tif:object 7"]
    for label, estimate in expected.items():
        found = rows[f"stack.tif:object {label}"]
        assert found["Score"] == pytest.approx(estimate.defocus_level, rel=1e-6)
        assert (found["status"], found["Answered"]) == (estimate.status, 1.0)
        assert "SharpestPlane" not in found


def test_labels_that_are_no_whole_numbers_are_refused(headless, stack, labels, folder):
    told = headless.run_with_labels(stack[0], str(folder / "half.tif"), {})
    assert told == "the labels half.tif must be whole numbers, got fractions"


def test_a_macro_names_labels_and_mask_by_title(headless, stack, labels, folder):
    headless.table_rows()
    opened = "".join(f'open("{folder / name}");' for name in ("mask.tif", "labels8.tif", "stack.tif"))
    images = "labels_yx=labels8.tif mask_yx=mask.tif"
    headless.run_macro(f'{opened} makeRectangle(0, 0, 256, 125); run("Measure Image Focus", "{images}");')
    rows = headless.table_rows()
    mask_yx = labels > 0
    mask_yx[125:] = False
    expected = measure_image_focus(stack[1], mask_yx=mask_yx, labels_yx=labels, pixel_size_um=0.65)
    assert [row["Object"] for row in rows] == ["NaN", "3", "7"]
    assert [row["ImageFocus_Status"] for row in rows] == ["ok", "ok", "masked_out"]
    assert float(rows[0]["ImageFocus_Score"]) == pytest.approx(expected.estimate.defocus_level, abs=1e-3)
    headless.run_macro('run("Measure Image Focus", "mask_yx=none.tif");')
    assert "no image 'none.tif' is open, open are: " in headless.log_text()
    headless.run_macro("while (nImages > 0) close();")


def test_a_mask_of_another_size_is_told(headless, stack, folder):
    tifffile.imwrite(folder / "small.tif", np.full((90, 100), 255, np.uint8))
    opened = f'open("{folder / "small.tif"}"); open("{stack[0]}");'
    assert (
        headless.run_macro(f'{opened} run("Measure Image Focus", "mask_yx=small.tif"); return "went on";') != "went on"
    )
    assert "the mask small.tif must have the size of the image, 256 x 256, got 100 x 90" in headless.log_text()
    headless.run_macro("while (nImages > 0) close();")


def test_beads_outside_the_selection_do_not_count(headless):
    path = DATA / "beads" / "fluorescent_beads_acq1.tif"
    pixels = tifffile.imread(path)
    sizes = {"pixel_size_um": 1.3668, "bead_diameter_um": 15.0, "z_step_um": 5.0}
    height, width = pixels.shape[1:]
    mask_yx = np.zeros((height, width), bool)
    mask_yx[:, : width // 2] = True
    expected = measure_bead_focal_plane(pixels, contrast="fluorescence", mask_yx=mask_yx, **sizes)
    assert 0 < len(expected.beads) < 5
    options = "contrast=fluorescence " + " ".join(f"{name}={value}" for name, value in sizes.items())
    headless.table_rows()
    select = f"makeRectangle(0, 0, {width // 2}, {height});"
    headless.run_macro(f'open("{path}"); {select} run("Measure Bead Focal Plane", "{options}"); close();')
    (row,) = headless.table_rows()
    for name, value in expected.numbers().items():
        assert float(row[f"BeadFocalPlane_{name}"]) == pytest.approx(value, abs=2e-3, nan_ok=True), name


def test_the_focal_position_of_the_slice_that_is_shown_has_a_row(headless, stack):
    path, pixels = stack
    headless.table_rows()
    options = "numerical_aperture=0.5 emission_wavelength_um=0.5 spherical_aberration=positive"
    headless.run_macro(f'open("{path}"); setSlice(2); run("Estimate Focal Position", "{options}");')
    headless.run_macro(f'run("Estimate Focal Position", "each_plane {options}"); close();')
    one, *each = headless.table_rows()
    assert [row["Label"] for row in each] == ["stack.tif:z1", "stack.tif:z2", "stack.tif:z3"]
    assert [row["Slice"] for row in each] == ["1", "2", "3"]
    for row, plane in zip((one, *each), (NUCLEI, *pixels)):
        expected = estimate_focal_position(plane, spherical_aberration="positive", **OPTICS)
        assert row["FocalPosition_Status"] == expected.status
        for name, value in expected.features().items():
            assert float(row[f"FocalPosition_{name}"]) == pytest.approx(value, abs=1e-3, nan_ok=True), name


def test_an_extension_gives_the_focal_position(headless, stack):
    options = "numerical_aperture=0.5 emission_wavelength_um=0.5 spherical_aberration=positive"
    told = headless.run_macro(
        f'open("{stack[0]}"); run("Parfocal Macro Extensions"); setSlice(2);'
        f'status = Ext.focalPosition(um, deviation, "{options}"); close(); return status + ";" + um + ";" + deviation;'
    ).split(";")
    expected = estimate_focal_position(NUCLEI, spherical_aberration="positive", **OPTICS)
    assert told[0] == expected.status
    assert [float(number) for number in told[1:]] == pytest.approx(
        [expected.defocus_um, expected.deviation_um], abs=1e-3, nan_ok=True
    )
