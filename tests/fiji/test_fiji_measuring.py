"""Measuring commands in ImageJ: the numbers of core, by SciJava modules and by macros."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal import flag_defocused, measure_image_focus, restore_defocus
from parfocal.focus_quality.synthesis import defocus_image

DATA = Path(__file__).parents[1] / "data" / "core"
NUCLEI = iio.imread(DATA / "transfluor_O01f01.png")


def same(answer, expected):
    assert "failed" not in answer, answer
    found = answer["features"]
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of real nuclei of every kind that ImageJ has, with their pixels."""
    folder = tmp_path_factory.mktemp("kinds")
    blurred = defocus_image(NUCLEI.astype(np.float32), 10.0)
    kinds = {
        "a8": NUCLEI.astype(np.uint8),
        "b16": NUCLEI.astype(np.uint16) * 9,
        "c32": blurred.astype(np.float32),
        "rgb": np.stack([NUCLEI, NUCLEI // 2, NUCLEI // 3], axis=-1).astype(np.uint8),
        "stack": np.stack([NUCLEI, blurred]).astype(np.uint16),
    }
    for name, pixels in kinds.items():
        tifffile.imwrite(
            folder / f"{name}.tif", pixels, imagej=name == "stack", photometric="rgb" if name == "rgb" else "minisblack"
        )
    return {name: (str(folder / f"{name}.tif"), pixels) for name, pixels in kinds.items()}


def test_every_command_is_a_module_in_the_menu(headless):
    assert headless.modules() == {
        "measure_image_focus": "Plugins > Parfocal > Measure Image Focus...",
        "flag_defocused": "Plugins > Parfocal > Flag Defocused...",
        "split_defocused": "Plugins > Parfocal > Split Sharp and Defocused...",
        "restore_defocus": "Plugins > Parfocal > Restore Defocus...",
        "estimate_focal_position": "Plugins > Parfocal > Estimate Focal Position...",
        "measure_bead_focal_plane": "Plugins > Parfocal > Measure Bead Focal Plane...",
        "measure_files": "Plugins > Parfocal > Measure Folder...",
        "sort_files": "Plugins > Parfocal > Flag Folder...",
        "restore_files": "Plugins > Parfocal > Restore Folder...",
        "label_images": "Plugins > Parfocal > Label Images...",
        "hold_focus": "Plugins > Parfocal > Hold Focus...",
    }
    assert headless.found_in_menu(["Plugins", "Parfocal", "Flag Defocused..."]) == "flag_defocused"


def test_the_items_of_a_dialog_are_those_of_the_definition_and_are_not_remembered(headless):
    items = headless.inputs("measure_image_focus")
    assert items["image"][1] == "ImagePlus"
    assert items["pixel_size_um"][:3] == ["Pixel size (um)", "String", None]
    assert items["immersion_index"] == ["Refractive index of the immersion", "Double", "1.0", 1.0, 2.0, [], False]
    assert items["modality"][2] == "widefield_fluorescence"
    assert "bright_field" in items["modality"][5]
    assert items["labels_yx"][:2] == ["Labels of objects", "ImagePlus"]
    assert not any(item[6] for item in items.values())


@pytest.mark.parametrize("kind", ["a8", "b16", "c32", "rgb", "stack"])
def test_a_module_gives_the_numbers_of_core(kind, files, headless):
    path, pixels = files[kind]
    found = headless.run_module("measure_image_focus", path, {"saturation_level": "70000"})
    expected = measure_image_focus(pixels, saturation_level=70000.0)
    assert found["status"] == expected.status
    same(found, expected.features())


def test_the_module_of_the_sorter_gives_the_numbers_of_core_and_takes_switches(files, headless):
    path, pixels = files["b16"]
    found = headless.run_module("flag_defocused", path, {"check_level": False, "threshold": "0.25"})
    expected = flag_defocused(pixels, check_level=False, threshold=0.25)
    same(found, expected.features())
    assert np.isnan(found["features"]["DefocusLevel"])


def test_a_restored_image_keeps_its_calibration_is_marked_and_is_not_restored_again(files, headless, tmp_path):
    path, pixels = files["c32"]
    found = headless.run_module("restore_defocus", path, {"defocus_level": "5", "method": "wiener"})
    expected = restore_defocus(pixels, defocus_level=5.0, method="wiener")
    same(found, expected.features())
    title, info = found["image"]
    assert title == "Restored c32.tif"
    assert info.startswith("Restored from defocus by Parfocal")
    out = tmp_path / "restored.npy"
    told = headless.restore_again(path, str(out))
    np.testing.assert_allclose(np.load(out), expected.image, rtol=1e-6)
    assert told["calibration"] == [0.5, "micron"]
    assert "restored from defocus, which is done once only" in told["again"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"immersion_index": 1.0, "pixel_size_um": "wide"}, "Pixel size must be a number, got 'wide'"),
        ({"saturation_level": "-1"}, "saturation_level must be at least 0.0 counts, got -1.0"),
        ({"model": "/nowhere"}, "/nowhere"),
    ],
)
def test_a_module_that_cannot_be_run_says_why(given, message, files, headless):
    assert message in headless.run_module("measure_image_focus", files["a8"][0], given)["failed"]


LAST_ROW = (
    'n = nResults - 1; return "" + getResult("{0}", n) + ";" + getResultString("{1}", n) + ";" + getResultLabel(n);'
)


def test_a_macro_gets_the_numbers_from_the_results_table(files, headless):
    path, pixels = files["c32"]
    last = LAST_ROW.format("ImageFocus_Score", "ImageFocus_Status")
    told = headless.run_macro(f'open("{path}"); run("Measure Image Focus"); {last}').split(";")
    expected = measure_image_focus(pixels).estimate
    assert (float(told[0]), told[1:]) == (pytest.approx(expected.defocus_level, abs=1e-3), ["ok", "c32.tif"])
    last = LAST_ROW.format("FlagDefocused_Probability", "FlagDefocused_Status")
    told = headless.run_macro(f'run("Flag Defocused...", "check_level=no"); {last}').split(";")
    assert float(told[0]) == pytest.approx(flag_defocused(pixels, check_level=False).probability, abs=1e-3)
    headless.run_macro("close();")


@pytest.mark.parametrize(("switch", "drawn"), [("overlay", True), ("overlay=YES", True), ("overlay=[False]", False)])
def test_a_switch_is_on_where_it_is_named_or_says_so(switch, drawn, files, headless):
    last = 'return "" + Overlay.size; '
    told = headless.run_macro(f'open("{files["a8"][0]}"); run("Measure Image Focus", "{switch}"); {last}')
    assert (int(told) > 0) == drawn
    headless.run_macro("close();")


def test_a_switch_that_is_neither_on_nor_off_is_refused(files, headless):
    code = f'open("{files["a8"][0]}"); run("Measure Image Focus", "overlay=maybe"); return "went on";'
    assert headless.run_macro(code) == "[aborted]"
    assert "Measure Image Focus: overlay must be one of yes, true, 1, no, false, 0, got 'maybe'" in headless.log_text()
    headless.run_macro("close();")


def test_a_selection_limits_what_is_measured(files, headless):
    path, pixels = files["a8"]
    mask_yx = np.zeros(pixels.shape, bool)
    mask_yx[20:190, 10:180] = True
    last = LAST_ROW.format("ImageFocus_Score", "ImageFocus_Status")
    told = headless.run_macro(f'open("{path}"); makeRectangle(10, 20, 170, 170); run("Measure Image Focus"); {last}')
    expected = measure_image_focus(pixels, mask_yx=mask_yx).estimate
    assert expected.defocus_level != measure_image_focus(pixels).estimate.defocus_level
    assert float(told.split(";")[0]) == pytest.approx(expected.defocus_level, abs=1e-3)
    last = LAST_ROW.format("FlagDefocused_Probability", "FlagDefocused_Status")
    told = headless.run_macro(f'run("Flag Defocused"); {last}')
    expected = flag_defocused(pixels[20:190, 10:180])
    assert float(told.split(";")[0]) == pytest.approx(expected.probability, abs=1e-3)
    assert headless.run_macro('makeLine(1, 1, 50, 50); run("Measure Image Focus"); return "went on";') == "[aborted]"
    assert "the selection must have an area" in headless.log_text()
    headless.run_macro("close();")


def test_without_an_image_it_says_so(headless):
    headless.run_macro("while (nImages > 0) close();")
    assert headless.run_macro('run("Measure Image Focus"); return "went on";') == "[aborted]"
    assert "Measure Image Focus: no image is open" in headless.log_text()


def test_in_the_window_a_dialog_asks_and_results_and_images_are_shown(files, window):
    path, _ = files["c32"]
    window.open_image(path)
    window.click_menu("Restore Defocus...")
    window.fill_in("Restore Defocus", ["", "", "", "1.0", "default", "2.5", "5"])
    label, row = window.results()
    assert label == "c32.tif"
    assert "ok" in row
    assert float(row[2]) == 1.0  # one plane, restored
    assert any(title.startswith("Restored c32.tif") for title in window.image_windows())
    window.close_all()


def test_in_the_window_an_error_is_a_dialog(files, window):
    window.close_all()
    window.click_menu("Measure Image Focus...")
    assert window.message() == ["Measure Image Focus", "no image is open: open one first"]
