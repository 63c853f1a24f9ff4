"""What a person finds and sees in ImageJ's window: its search, the dialogs, and the macro recorder."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from test_fiji_images import BLURRED, INFO, NUCLEI

from parfocal import flag_defocused, restore_defocus
from parfocal.fiji_bridge.commands import COMMANDS


@pytest.fixture
def opened(window, tmp_path):
    """An image with calibration and info in the window; all images are closed after the test."""
    info = f"{INFO.replace('RefractiveIndex = 1.0', 'RefractiveIndex = 1.33')}\n"
    metadata = {"unit": "um", "Info": info}
    tifffile.imwrite(tmp_path / "nuclei.tif", NUCLEI, imagej=True, resolution=(1 / 0.65, 1 / 0.65), metadata=metadata)
    window.open_image(str(tmp_path / "nuclei.tif"))
    yield str(tmp_path / "nuclei.tif")
    window.close_all()


def test_the_search_of_imagej_finds_every_command(window):
    for command in COMMANDS:
        assert command.label in window.found_by_command_finder(command.name.lower())


def test_a_dialog_shows_what_the_image_states_in_place_of_defaults_and_the_open_images(window, opened):
    window.click_menu("Measure Image Focus...")
    shown = window.dialog_texts("Measure Image Focus")
    assert "1.33" in shown["fields"] and "1.0" not in shown["fields"]
    assert shown["choices"][-2:] == [["*None*", "nuclei.tif"]] * 2
    assert shown["chosen"][-2:] == ["*None*", "*None*"]
    assert window.table_rows() == []  # it was cancelled


def test_help_says_that_optics_may_be_left_to_the_image_where_there_is_one():
    helps = {c.name: {p.name: p.help for p in c.spec.parameters} for c in COMMANDS}
    for command in ("Measure Image Focus", "Flag Folder", "Measure Bead Focal Plane"):
        assert helps[command]["pixel_size_um"].endswith("Empty: as the image states.")
    assert "as the image states" not in helps["Hold Focus"]["pixel_size_um"]


def test_a_dialog_does_not_remember_what_was_entered(window, opened):
    for entered in (["0.25"], []):
        window.click_menu("Flag Defocused...")
        window.fill_in("Flag Defocused", entered)
        (row,) = window.rows_when_there()
        assert float(row["FlagDefocused_Threshold"]) == (0.25 if entered else 0.55)


def test_the_recorder_writes_a_line_of_a_measurement_that_runs(window, opened):
    window.start_recording()
    window.click_menu("Flag Defocused...")
    window.fill_in("Flag Defocused", ["0.125"], ["Hold it against the measured level"])
    (first,) = window.rows_when_there()
    line = next(line for line in window.recorded().split("\n") if "Flag Defocused..." in line)
    assert "threshold=0.125" in line and "check_level=no" in line
    window.start_macro(line)
    (again,) = window.rows_when_there()
    assert again == first
    expected = flag_defocused(NUCLEI, check_level=False, pixel_size_um=0.65)
    assert float(again["FlagDefocused_Probability"]) == pytest.approx(expected.probability, abs=1e-3)


def test_a_macro_without_a_window_has_the_restored_image_among_its_own(headless, tmp_path):
    pixels = BLURRED.astype(np.float32)
    tifffile.imwrite(tmp_path / "blurred.tif", pixels)
    options = "defocus_level=5 method=wiener"
    saved = tmp_path / "saved.tif"
    select = f'selectImage("Restored blurred.tif"); saveAs("Tiff", "{saved}");'
    headless.run_macro(f'open("{tmp_path / "blurred.tif"}"); run("Restore Defocus", "{options}"); {select}')
    headless.run_macro("while (nImages > 0) close();")
    headless.table_rows()
    expected = restore_defocus(pixels, defocus_level=5.0, method="wiener").image
    np.testing.assert_allclose(tifffile.imread(saved), expected, rtol=1e-6)
