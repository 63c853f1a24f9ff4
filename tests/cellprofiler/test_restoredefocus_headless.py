"""RestoreDefocus in the real CellProfiler, without its window, between the modules that it is used with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from conftest import PLATE, write_pipeline
from restoring import make, write_model
from test_headless import loading, spreadsheet

from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.restoration.marked_tiff import is_marked_file
from parfocal.restoration.restore import restore_defocus

HERE = Path(__file__).resolve().parent
NAME = "RestoreDefocus_{}_RDNA"
TWELVE_BITS = [(281, "H", 1, 4095, True)]


def measured_focus():
    from parfocal.cp_plugins.measureimagefocus import MeasureImageFocus

    module = MeasureImageFocus()
    module.images[0].image_name.value = "DNA"
    return module


def nuclei(source, name):
    from cellprofiler.modules.identifyprimaryobjects import IdentifyPrimaryObjects

    module = IdentifyPrimaryObjects()
    module.x_name.value, module.y_name.value = source, name
    module.size_range.value = (10, 80)
    return module


def saved(name, folder):
    from cellprofiler.modules.saveimages import SaveImages

    module = SaveImages()
    module.image_name.value, module.file_image_name.value = name, "DNA"
    module.bit_depth.value = "32-bit floating point"
    module.pathname.value = f"Elsewhere...|{folder}"
    return module


def flag():
    from cellprofiler.modules.flagimage import FlagImage

    module = FlagImage()
    measured = module.flags[0].measurement_settings[0]
    measured.measurement.value = "ImageFocus_Score_DNA"
    measured.wants_minimum.value = False
    measured.wants_maximum.value, measured.maximum_value.value = True, 3.0
    return module


def scored(**values):
    return make(when="Only where a measurement says so", measurement="ImageFocus_Score_DNA", **values)


def screen_modules(folder):
    """Focus, restoring of what has a score from 3 on, nuclei of both, saving, spreadsheet."""
    restoring = scored(wants_file=True, directory=f"Elsewhere...|{folder / 'marked'}")
    made = [measured_focus(), restoring, nuclei("DNA", "Blurred"), nuclei("RDNA", "Nuclei")]
    return [*loading(["DNA"]), *made, saved("RDNA", folder / "saved"), spreadsheet()]


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """Two 12-bit fields: the first in focus, the second blurred to level 5."""
    images = tmp_path_factory.mktemp("fields")
    for number, (well, distance_um) in enumerate((("O06", None), ("O07", 10.0))):
        field = tifffile.imread(PLATE / "images" / f"AS_09047_050428030001_{well}f00d2.TIF").astype(np.float32)
        field = field if distance_um is None else defocus_image(field, distance_um)
        counts = np.clip(np.rint(field * 16), 0, 4095).astype(np.uint16)
        tifffile.imwrite(images / f"{number}_DNA.tif", counts, extratags=TWELVE_BITS)
    return images


@pytest.fixture(scope="module")
def screen(tmp_path_factory, run_headless, fields):
    folder = tmp_path_factory.mktemp("screen")
    printed = run_headless(screen_modules(folder), fields, folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    return folder, pd.read_csv(folder / "out" / "Image.csv")


def test_program_gives_image_and_numbers_of_core(screen, fields):
    folder, table = screen
    counts = tifffile.imread(fields / "1_DNA.tif")
    direct = restore_defocus(counts, method="richardson_lucy", iterations=5)
    assert direct.restored
    assert direct.features()["DefocusLevel"] == pytest.approx(5, abs=0.6)
    for feature, number in direct.features().items():
        np.testing.assert_allclose(table.loc[1, NAME.format(feature)], number, rtol=1e-5, err_msg=feature)
    assert table.loc[1, NAME.format("Provenance")] == direct.provenance
    assert table.loc[1, NAME.format("Status")] == "ok"
    np.testing.assert_array_equal(tifffile.imread(folder / "marked" / "1_DNA_restored.ome.tif"), direct.image)
    np.testing.assert_allclose(
        table.loc[1, "ImageFocus_Score_DNA"], measure_image_focus(counts).estimate.defocus_level, rtol=1e-5
    )


def test_the_image_that_other_modules_get_is_on_the_scale_of_the_input(screen, fields):
    folder, _ = screen
    direct = restore_defocus(tifffile.imread(fields / "1_DNA.tif"), method="richardson_lucy", iterations=5)
    on_scale = np.minimum(direct.image / np.float32(4095), 1)
    np.testing.assert_array_equal(tifffile.imread(folder / "saved" / "1_DNA.tiff"), on_scale)


def test_the_field_in_focus_comes_through_bit_equal_and_says_why(screen, fields):
    folder, table = screen
    counts = tifffile.imread(fields / "0_DNA.tif")
    np.testing.assert_array_equal(tifffile.imread(folder / "saved" / "0_DNA.tiff"), counts / np.float32(4095))
    assert table.loc[0, NAME.format("Restored")] == 0
    score = measure_image_focus(counts).estimate.defocus_level
    assert table.loc[0, NAME.format("Reason")] == f"not restored, since ImageFocus_Score_DNA is {score:.4g}, below 3"
    assert (table.loc[0, "Count_Nuclei"], table.loc[0, NAME.format("Change")]) == (table.loc[0, "Count_Blurred"], 0)


def test_only_the_restored_image_is_saved_with_a_mark(screen):
    folder, _ = screen
    (path,) = (folder / "marked").iterdir()
    assert path.name == "1_DNA_restored.ome.tif"
    assert is_marked_file(path)


def test_restored_nuclei_are_outlined_otherwise(screen):
    _, table = screen
    assert table.loc[1, "Count_Nuclei"] > table.loc[1, "Count_Blurred"] > 0


def test_workers_give_what_the_program_gives_headless(screen, fields, tmp_path):
    pipeline = write_pipeline(screen_modules(tmp_path), tmp_path / "screen.cppipe")
    command = [sys.executable, HERE / "analyse_with_workers.py", pipeline, fields, tmp_path / "out", 2]
    (tmp_path / "out").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(HERE / "stubs"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    ours = [name for name in screen[1] if name.startswith(("RestoreDefocus", "Count"))]
    table = pd.read_csv(tmp_path / "out" / "Image.csv")
    pd.testing.assert_frame_equal(table[ours], screen[1][ours])
    for name in ("saved/0_DNA.tiff", "saved/1_DNA.tiff", "marked/1_DNA_restored.ome.tif"):
        np.testing.assert_array_equal(tifffile.imread(tmp_path / name), tifffile.imread(screen[0] / name))


def test_a_second_run_does_not_start_over_the_files_of_the_first(screen, fields, run_headless, tmp_path):
    folder, _ = screen
    before = (folder / "marked" / "1_DNA_restored.ome.tif").read_bytes()
    printed = run_headless(screen_modules(folder), fields, tmp_path / "out")
    assert "1_DNA_restored.ome.tif exists already, 1 of the 2 files do" in printed
    assert not (tmp_path / "out" / "Image.csv").exists()
    assert (folder / "marked" / "1_DNA_restored.ome.tif").read_bytes() == before


@pytest.fixture(scope="module")
def flagged(tmp_path_factory, run_headless, screen, fields):
    """A network over flagged images: sharp, blurred, a restored file, and a blank one."""
    folder = tmp_path_factory.mktemp("flagged")
    images = folder / "images"
    images.mkdir()
    for name in ("0_DNA.tif", "1_DNA.tif"):
        shutil.copy(fields / name, images)
    # Level 5 restored by a few iterations is still flagged.
    shutil.copy(screen[0] / "marked" / "1_DNA_restored.ome.tif", images / "2_DNA.tif")
    tifffile.imwrite(images / "3_DNA.tif", np.full((256, 256), 12, np.uint8))
    model = write_model(folder / "tiny")
    restoring = make(when="Only where a measurement says so", measurement="Metadata_QCFlag", smallest_value=1.0)
    restoring.method.value, restoring.model.value, restoring.uncertainty.value = "Network", model, True
    restoring.uncertainty_name.value = "Error"
    again = make(image_name="RDNA", restored_name="Again", method="Network", model=model)
    modules = [measured_focus(), flag(), restoring, again, saved("Error", folder / "error"), spreadsheet()]
    printed = run_headless([*loading(["DNA"]), *modules], images, folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    return folder, pd.read_csv(folder / "out" / "Image.csv")


def test_a_flag_decides_and_every_image_has_its_status(flagged):
    _, table = flagged
    assert table[NAME.format("Restored")].tolist() == [0, 1, 0, 0]
    assert table[NAME.format("Status")].tolist() == ["ok", "ok", "already_restored", "ok"]
    # FlagImage lets NaN pass: the blank image is not flagged.
    assert table.loc[3, NAME.format("Reason")] == "not restored, since Metadata_QCFlag is 0, below 1"
    assert table.loc[2, NAME.format("Reason")] == "the file 2_DNA.tif is marked as restored"


def test_a_second_module_restores_nothing_twice(flagged):
    _, table = flagged
    assert table["RestoreDefocus_Restored_Again"].tolist() == [0] * 4
    assert table["RestoreDefocus_Status_Again"].tolist() == ["ok", "already_restored", "already_restored", "blank"]


def test_the_uncertainty_image_is_saved(flagged):
    folder, _ = flagged
    errors = [tifffile.imread(folder / "error" / f"{number}_DNA.tiff") for number in range(4)]
    assert [bool(error.any()) for error in errors] == [False, True, False, False]


def test_stacks_are_restored_plane_by_plane(tmp_path, run_headless, levels_zyx):
    images = tmp_path / "images"
    images.mkdir()
    stack = levels_zyx[[0, 5, 6]]
    tifffile.imwrite(images / "DNA.tif", stack, photometric="minisblack")
    folder = tmp_path / "made"
    modules = [make(wants_file=True, directory=f"Elsewhere...|{folder}"), saved("RDNA", folder), spreadsheet()]
    printed = run_headless([*loading(["DNA"], volume=True), *modules], images, tmp_path / "out")
    assert (tmp_path / "out" / "Image.csv").exists(), printed
    table = pd.read_csv(tmp_path / "out" / "Image.csv")
    direct = restore_defocus(stack, method="richardson_lucy", iterations=5)
    assert table[NAME.format("PlanesRestored")].tolist() == [2]
    np.testing.assert_array_equal(tifffile.imread(folder / "DNA_restored.ome.tif"), direct.image)
    through = tifffile.imread(folder / "DNA.tiff")
    np.testing.assert_array_equal(through, direct.image / np.float32(255))
    np.testing.assert_array_equal(through[0], stack[0] / np.float32(255))
