"""The scripts that `parfocal install fiji` writes, run by SciJava in a JVM without Python: the numbers of core."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal import (
    estimate_focal_position,
    flag_defocused,
    measure_bead_focal_plane,
    measure_image_focus,
    restore_defocus,
)
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.report.overlay import level_colors

DATA = Path(__file__).parents[1] / "data"
NUCLEI = iio.imread(DATA / "core" / "transfluor_O01f01.png")
BLURRED = defocus_image(NUCLEI.astype(np.float32), 10.0).astype(np.float32)
FOCUS, FLAG, RESTORE, BEADS = (
    "Measure Image Focus...",
    "Flag Defocused...",
    "Restore Defocus...",
    "Measure Bead Focal Plane...",
)


@pytest.fixture
def opened(ordinary, tmp_path):
    """Puts pixels in front, as ImageJ has them; a piece of Groovy may change the image."""

    def open_pixels(pixels, change=None, **how):
        tifffile.imwrite(tmp_path / "image.tif", pixels, **how)
        ordinary.open(str(tmp_path / "image.tif"), change)

    return open_pixels


def row_of(answer, category, expected):
    """The row that was added, once its numbers are those expected."""
    assert not answer["thrown"], answer["thrown"]
    (row,) = answer["rows"]
    found = {name: row[f"{category}_{name}"] for name in expected}
    for name, value in expected.items():
        np.testing.assert_allclose(float(found[name]), value, rtol=1e-6, err_msg=name)
    return row


def test_every_script_is_in_the_menu_under_the_label_of_its_command(ordinary):
    labels = [FOCUS, FLAG, RESTORE, BEADS, "Measure Folder...", "Flag Folder...", "Restore Folder..."]
    assert {f"Plugins > Parfocal > {label}" for label in labels} <= set(ordinary.menu())
    others = [path for path in ordinary.menu() if not path.endswith("...")]
    assert others == ["Plugins > Parfocal > Parfocal Macro Extensions"]


def test_the_items_of_a_dialog_are_those_of_the_definition_and_are_not_remembered(ordinary):
    items = ordinary.inputs(FOCUS)
    assert items["pixel_size_um"][:3] == ["Pixel size (um)", "String", None]
    assert items["immersion_index"][:5] == ["Refractive index of the immersion", "Double", "1.0", 1.0, 2.0]
    assert items["modality"][2] == "widefield_fluorescence"
    assert "bright_field" in items["modality"][5]
    assert items["black_level"][7].startswith("Subtracted from the image, and what lies below cut off")
    assert items["mask_yx"][:3] == ["Mask, title of an open image", "String", None]
    ours = [item for name, item in items.items() if not name.startswith("parfocal")]
    assert not any(item[6] for item in ours)
    assert ordinary.inputs("Measure Folder...")["folder"][1] == "File"


KINDS = {
    "a8": NUCLEI.astype(np.uint8),
    "b16": NUCLEI.astype(np.uint16) * 9,
    "c32": BLURRED,
    "rgb": np.stack([NUCLEI, NUCLEI // 2, NUCLEI // 3], axis=-1).astype(np.uint8),
    "stack": np.stack([BLURRED, NUCLEI]).astype(np.uint16),
}
ZYX = {"imagej": True, "metadata": {"axes": "ZYX"}}


@pytest.mark.parametrize("kind", KINDS)
def test_the_row_has_the_numbers_of_core_for_every_kind_of_image(kind, ordinary, opened):
    pixels = KINDS[kind]
    opened(pixels, **(ZYX if kind == "stack" else {"photometric": "rgb" if kind == "rgb" else "minisblack"}))
    answer = ordinary.run(FOCUS, {"saturation_level": "70000"})
    expected = measure_image_focus(pixels, saturation_level=70000.0)
    row = row_of(answer, "ImageFocus", expected.features())
    assert (row["Label"], row["ImageFocus_Status"]) == ("image.tif", "ok")


def test_signed_16_bit_has_its_own_counts(ordinary, opened):
    pixels = NUCLEI.astype(np.int16) * 9 - 1000
    opened(pixels.astype(np.int32).astype(np.uint16) ^ 0x8000, "image.calibration.setSigned16BitCalibration()")
    row_of(ordinary.run(FOCUS, {}), "ImageFocus", measure_image_focus(pixels.astype(np.int32)).features())


def test_calibration_gives_the_pixel_size_and_what_is_entered_counts_more(ordinary, opened):
    optics = {"numerical_aperture": "0.5", "emission_wavelength_um": "0.5"}
    numbers = {name: float(value) for name, value in optics.items()}
    expected = measure_image_focus(NUCLEI, pixel_size_um=0.5, **numbers)
    for unit, width in (("nm", 500), ("\u00b5m", 0.5)):
        opened(NUCLEI, f"image.calibration.unit = '{unit}'; image.calibration.pixelWidth = {width}d")
        row_of(ordinary.run(FOCUS, optics), "ImageFocus", expected.features())
    expected = measure_image_focus(NUCLEI, pixel_size_um=0.65, **numbers)
    row_of(ordinary.run(FOCUS, {**optics, "pixel_size_um": "0.65"}), "ImageFocus", expected.features())


def test_a_selection_limits_what_is_measured(ordinary, opened):
    opened(NUCLEI, "image.setRoi(10, 20, 170, 170)")
    mask_yx = np.zeros(NUCLEI.shape, bool)
    mask_yx[20:190, 10:180] = True
    row_of(ordinary.run(FOCUS, {}), "ImageFocus", measure_image_focus(NUCLEI, mask_yx=mask_yx).features())
    expected = flag_defocused(NUCLEI[20:190, 10:180], threshold=0.25, check_level=False)
    row_of(ordinary.run(FLAG, {"threshold": "0.25", "check_level": False}), "FlagDefocused", expected.features())


def test_each_slice_and_time_point_has_a_row(ordinary, opened):
    planes = np.stack([np.stack([BLURRED, NUCLEI]), np.stack([NUCLEI, BLURRED])]).astype(np.uint16)
    opened(planes, imagej=True, metadata={"axes": "TZYX"})
    answer = ordinary.run(FOCUS, {"each_plane": True, "overlay": False})
    labels = [row["Label"].removeprefix("image.tif") for row in answer["rows"]]
    assert labels == [":t1", ":z1:t1", ":z2:t1", ":t2", ":z1:t2", ":z2:t2"]
    assert [row["ImageFocus_Sharpest"] for row in answer["rows"]] == ["NaN", "0.0", "1.0", "NaN", "1.0", "0.0"]
    assert [float(row["Slice"]) for row in answer["rows"][1:3]] == [1, 2]
    expected = [plane.estimate.defocus_level for plane in measure_image_focus(planes[1]).planes]
    assert [float(row["ImageFocus_Score"]) for row in answer["rows"][4:]] == pytest.approx(expected, rel=1e-6)


def test_patches_lie_over_the_image_in_the_colours_of_core(ordinary, opened):
    opened(NUCLEI)
    ordinary.run(FOCUS, {})
    drawn = [part for part in ordinary.overlay() if part["name"].startswith("level")]
    patches = measure_image_focus(NUCLEI).planes[0].patches
    assert len(drawn) == len(patches.certainty)
    level, certainty = patches.defocus_level[0], patches.certainty[0]
    assert drawn[0]["name"] == f"level {level:.1f}, certainty {certainty:.2f}"
    assert drawn[0]["rgb"] == np.rint(255 * level_colors(level, certainty)).tolist()
    ordinary.run(FOCUS, {})
    parts = [part["name"] for part in ordinary.overlay()]
    assert len([name for name in parts if name.startswith("level")]) == len(drawn)
    assert parts.count("legend") == 14


@pytest.mark.parametrize("kind", ["c32", "b16", "rgb"])
def test_a_restored_image_is_that_of_core_and_keeps_what_the_image_has(kind, ordinary, opened, tmp_path):
    calibrated = "image.calibration.unit = 'micron'; image.calibration.pixelWidth = 0.5d; image.setRoi(1, 2, 30, 40)"
    opened(KINDS[kind], calibrated, photometric="rgb" if kind == "rgb" else "minisblack")
    answer = ordinary.run(RESTORE, {"defocus_level": "5", "method": "wiener"})
    expected = restore_defocus(KINDS[kind], defocus_level=5.0, method="wiener", pixel_size_um=0.5)
    row_of(answer, "RestoreDefocus", expected.features())
    assert answer["image"] == "Restored image.tif"
    told = ordinary.save(str(tmp_path / "restored.tif"))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "restored.tif"), expected.image)
    assert (told["unit"], told["width"]) == ("micron", 0.5)
    assert told["roi"] == "java.awt.Rectangle[x=1,y=2,width=30,height=40]"
    assert told["info"].startswith("Restored from defocus by Parfocal")
    again = ordinary.run(RESTORE, {})["thrown"]
    assert "restored from defocus, which is done once only" in again


def test_the_uncertainty_of_a_stack_is_an_image_of_its_own(ordinary, opened, tmp_path):
    stack = np.stack([BLURRED, BLURRED[::-1]])
    opened(stack, **ZYX)
    answer = ordinary.run(RESTORE, {"defocus_level": "5", "uncertainty": True})
    expected = restore_defocus(stack, defocus_level=5.0, uncertainty=True)
    assert answer["image"] == "Uncertainty of image.tif"
    ordinary.save(str(tmp_path / "uncertainty.tif"))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "uncertainty.tif"), expected.uncertainty)


def test_beads_have_the_numbers_of_core(ordinary, opened):
    stack = tifffile.imread(DATA / "beads" / "fluorescent_beads_acq1.tif")
    step = {"spacing": 5.0, "unit": "um", "axes": "ZYX"}
    opened(stack, imagej=True, resolution=(1 / 1.3668, 1 / 1.3668), metadata=step)
    answer = ordinary.run(BEADS, {"bead_diameter_um": 15.0, "contrast": "fluorescence"})
    sizes = {"pixel_size_um": 1.3668, "bead_diameter_um": 15.0, "z_step_um": 5.0}
    expected = measure_bead_focal_plane(stack, contrast="fluorescence", **sizes)
    # ImageJ's file has the pixel size as a fraction.
    (row,) = answer["rows"]
    for name, value in expected.numbers().items():
        assert float(row[f"BeadFocalPlane_{name}"]) == pytest.approx(value, rel=1e-4, nan_ok=True), name


def test_a_folder_is_sorted_as_by_the_command_line(ordinary, tmp_path):
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "a.tif", NUCLEI)
    given = {"folder": str(tmp_path / "in"), "output": str(tmp_path / "out")}
    answer = ordinary.run("Flag Folder...", given)
    assert not answer["thrown"]
    assert "1 image: 1 ok" in ordinary.log_text()
    assert (tmp_path / "out" / "sorting.csv").exists()
    assert "exists: choose another output folder" in ordinary.run("Flag Folder...", given)["thrown"]


def test_optics_that_the_image_states_count_where_a_dialog_was_left_as_it_was(ordinary, opened):
    stated = (
        "image.setProperty('Info', 'Scene|LensNA = 0.8\\nScene|EmissionWavelength #1 = 600\\nScene|Immersion = Water')"
    )
    opened(NUCLEI, f"image.calibration.unit = 'um'; image.calibration.pixelWidth = 0.5d; {stated}")
    optics = {"pixel_size_um": 0.5, "numerical_aperture": 0.8, "emission_wavelength_um": 0.6}
    expected = measure_image_focus(NUCLEI, immersion_index=1.333, **optics)
    row_of(ordinary.run(FOCUS, {}), "ImageFocus", expected.features())
    expected = measure_image_focus(NUCLEI, immersion_index=1.515, **optics)
    row_of(ordinary.run(FOCUS, {"immersion_index": 1.515}), "ImageFocus", expected.features())


def test_a_focal_position_is_that_of_the_plane_that_is_shown_or_of_each(ordinary, opened):
    planes = np.stack([BLURRED, NUCLEI]).astype(np.uint16)
    opened(planes, "image.setSlice(2)", **ZYX)
    optics = {"pixel_size_um": "0.325", "numerical_aperture": "0.75", "emission_wavelength_um": "0.6"}
    numbers = {name: float(value) for name, value in optics.items()}
    answer = ordinary.run("Estimate Focal Position...", optics)
    expected = [estimate_focal_position(plane, **numbers).features() for plane in planes]
    assert row_of(answer, "FocalPosition", expected[1])["Label"] == "image.tif:z2"
    rows = ordinary.run("Estimate Focal Position...", {**optics, "each_plane": True})["rows"]
    assert [row["Label"] for row in rows] == ["image.tif:z1", "image.tif:z2"]
    assert [float(row["Slice"]) for row in rows] == [1, 2]
    for row, numbers_of in zip(rows, expected):
        row_of({"rows": [row], "thrown": ""}, "FocalPosition", numbers_of)


def test_another_image_is_a_mask_or_has_the_labels_of_objects(ordinary, opened, tmp_path):
    labels = np.zeros(NUCLEI.shape, np.uint16)
    labels[10:120, 10:120], labels[130:250, 100:240] = 3, 8
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    opened(NUCLEI)
    ordinary.beside(str(tmp_path / "labels.tif"))
    expected = measure_image_focus(NUCLEI, mask_yx=labels > 0)
    row_of(ordinary.run(FOCUS, {"mask_yx": "labels.tif"}), "ImageFocus", expected.features())
    rows = ordinary.run(FOCUS, {"labels_yx": "labels.tif"})["rows"]
    assert [row["Label"] for row in rows] == ["image.tif", "image.tif:object 3", "image.tif:object 8"]
    assert [row["Object"] for row in rows] == ["NaN", "3.0", "8.0"]
    objects = measure_image_focus(NUCLEI, labels_yx=labels).objects
    scores = [float(row["ImageFocus_Score"]) for row in rows[1:]]
    assert scores == pytest.approx([objects[3].defocus_level, objects[8].defocus_level], rel=1e-6)
    told = ordinary.run(FOCUS, {"mask_yx": "nowhere.tif"})["thrown"]
    assert "no image 'nowhere.tif' is open, open are: labels.tif, image.tif" in told


def test_a_stack_above_2_gib_goes_over_in_parts(ordinary):
    side, n_planes = 12000, 16
    assert side * side * n_planes > 2**31
    pixels = iio.imread(DATA / "core" / "transfluor_O01f01.png")
    ordinary.open_large(str(DATA / "core" / "transfluor_O01f01.png"), side, n_planes)
    answer = ordinary.run(FLAG, {"each_plane": True})
    # The part that is selected holds the image, farther and farther to the right.
    width = pixels.shape[1] - 10 * n_planes
    stack = np.stack([pixels[:, 10 * (n_planes - n) : 10 * (n_planes - n) + width] for n in range(1, n_planes + 1)])
    expected = flag_defocused(stack)
    assert not answer["thrown"], answer["thrown"]
    found = [float(row["FlagDefocused_Probability"]) for row in answer["rows"]]
    assert found == pytest.approx([expected.probability, *(plane.probability for plane in expected.planes)], rel=1e-6)
    assert len(set(found[1:])) == n_planes


def test_a_mask_of_another_size_is_told(ordinary, opened, tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", np.ones((50, 60), np.uint8))
    opened(NUCLEI)
    ordinary.beside(str(tmp_path / "mask.tif"))
    told = ordinary.run(FOCUS, {"mask_yx": "mask.tif"})["thrown"]
    assert "the mask mask.tif must have the size of the image, 256 x 256, got 60 x 50" in told


def test_an_appose_before_0_9_0_is_refused_by_the_scripts_too(ordinary, opened):
    opened(NUCLEI)
    ordinary.run(FLAG, {})
    versions = ("0.8.1", "0.9.0-SNAPSHOT", "0.9.0", "0.10.0", "1.0")
    assert [ordinary.is_refused(version) for version in versions] == [True, False, False, False, False]
