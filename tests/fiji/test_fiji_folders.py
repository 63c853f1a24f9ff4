"""Commands over a folder in ImageJ: the batches of core, their tables, and nothing overwritten."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

from parfocal import flag_defocused, measure_image_focus
from parfocal.focus_quality.synthesis import defocus_image

NUCLEI = iio.imread(Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png").astype(np.uint16)
BLURRED = defocus_image(NUCLEI.astype(np.float32), 10.0).astype(np.uint16)


@pytest.fixture
def folder(tmp_path):
    """A folder with a sharp and a defocused image, and a file that is none."""
    made = tmp_path / "my images"
    made.mkdir()
    iio.imwrite(made / "a.png", NUCLEI)
    iio.imwrite(made / "b.png", BLURRED)
    (made / "c.tif").write_text("no image")
    return made


def test_a_macro_measures_a_folder_with_the_options_of_the_command(folder, tmp_path, headless):
    out = tmp_path / "out"
    options = f"folder=[{folder}] output=[{out}] black_level=20"
    assert headless.run_macro(f'run("Measure Folder...", "{options}"); return "went on";') == "went on"
    table = pd.read_csv(out / "measurements.csv")
    assert list(table["status"]) == ["ok", "ok", "unreadable"]
    for pixels, level in zip((NUCLEI, BLURRED), table["defocus_level"]):
        expected = measure_image_focus(pixels, black_level=20.0).estimate.defocus_level
        assert level == pytest.approx(expected, rel=1e-6)
    assert (out / "overlays").is_dir()
    assert f"3 images: 2 ok, 1 unreadable\nwritten to {out}: measurements.csv" in headless.log_text()


def test_what_an_earlier_run_left_is_not_overwritten(folder, tmp_path, headless):
    (tmp_path / "measurements.csv").write_text("mine")
    call = f'run("Measure Folder...", "folder=[{folder}] output=[{tmp_path}]"); return "went on";'
    assert headless.run_macro(call) == "[aborted]"
    assert (
        f"Measure Folder: {tmp_path / 'measurements.csv'} exists: choose another output folder\n" in headless.log_text()
    )
    assert (tmp_path / "measurements.csv").read_text() == "mine"


def test_modules_sort_a_folder_and_restore_what_is_flagged(folder, tmp_path, headless):
    (folder / "c.tif").unlink()
    sorted_to, restored_to = tmp_path / "sorted", tmp_path / "restored"
    assert headless.run_without_image("sort_files", {"folder": str(folder), "output": str(sorted_to)}) is None
    table = pd.read_csv(sorted_to / "sorting.csv")
    assert list(table["flagged"]) == [False, True]
    assert table["probability"][1] == pytest.approx(flag_defocused(BLURRED).probability, rel=1e-6)
    given = {"folder": str(folder), "output": str(restored_to), "only_flagged": str(sorted_to / "sorting.csv")}
    assert headless.run_without_image("restore_files", {**given, "method": "wiener"}) is None
    assert [path.name for path in (restored_to / "restored").iterdir()] == ["b.ome.tif"]


def test_a_folder_that_is_not_there_and_one_that_is_left_out_are_told(headless, tmp_path):
    given = {"folder": "/nowhere", "output": str(tmp_path / "out")}
    told = headless.run_without_image("measure_files", given)
    assert "Measure Folder: Folder of images must be a folder, got '/nowhere'" in told
    assert headless.run_macro(f'run("Measure Folder...", "output=[{tmp_path}]");') == "[aborted]"
    assert "Measure Folder: Folder of images must be given" in headless.log_text()


@pytest.mark.parametrize("name", ["mask_yx", "labels_yx"])
def test_no_command_over_a_folder_takes_an_image(name, folder, tmp_path, headless):
    for module in ("measure_files", "sort_files", "restore_files"):
        assert name not in headless.inputs(module)
    options = f"folder=[{folder}] output=[{tmp_path / 'out'}] {name}=*None*"
    assert headless.run_macro(f'run("Measure Folder...", "{options}"); return "went on";') == "[aborted]"
    assert f", got {name} (text with spaces" in headless.log_text()
    assert not (tmp_path / "out").exists()


def test_what_the_recorder_writes_of_measure_folder_runs(folder, tmp_path, window):
    window.start_recording()
    window.click_menu("Measure Folder...")
    window.fill_in("Measure Folder", [str(folder), str(tmp_path / "first")])
    window.table_window(f"measurements.csv of {folder.name}")
    line = next(line for line in window.recorded().split("\n") if "Measure Folder..." in line)
    assert "_yx" not in line
    window.start_macro(line.replace(str(tmp_path / "first"), str(tmp_path / "again")))
    rows = window.table_window(f"measurements.csv of {folder.name}")
    assert [row["status"] for row in rows] == ["ok", "ok", "unreadable"]


def test_escape_ends_a_run_over_a_folder(folder, tmp_path, headless):
    given = {"folder": str(folder), "output": str(tmp_path / "out")}
    told = headless.run_with_escape("run_without_image", "measure_files", given)
    assert "Measure Folder: cancelled" in told
    assert not (tmp_path / "out" / "measurements.csv").exists()


def test_in_the_window_the_table_is_shown(folder, tmp_path, window):
    window.start_macro(f'run("Flag Folder...", "folder=[{folder}] output=[{tmp_path / "out"}]");')
    rows = window.table_window(f"sorting.csv of {folder.name}")
    assert [row["flagged"] for row in rows] == ["0", "1", "NaN"]
    assert [row["status"] for row in rows] == ["ok", "ok", "unreadable"]
