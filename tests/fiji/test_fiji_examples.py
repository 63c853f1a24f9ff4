"""The examples for Fiji, as a user runs them, on real images."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile

from parfocal import flag_defocused, measure_image_focus
from parfocal.fiji_bridge.start import IMAGEJ1
from parfocal.focus_quality.synthesis import defocus_image

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
PLATE = EXAMPLES / "plate" / "images"
WELLS = [f"AS_09047_050428030001_{well}f00d2.TIF" for well in ("O05", "O07")]
# In its table ImageJ has three digits after the point.
ROUNDED = 0.5001e-3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two wells, one of them once more out of focus and once without content, and a file that is no image."""
    made = tmp_path_factory.mktemp("wells")
    for well in WELLS:
        shutil.copy(PLATE / well, made)
    tifffile.imwrite(made / "blurred.tif", defocus_image(iio.imread(PLATE / WELLS[0]), 10.0).astype(np.uint8))
    tifffile.imwrite(made / "empty.tif", np.full((256, 256), 12, np.uint8))
    (made / "notes.txt").write_text("no image")
    return made


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A series through focus, its third slice the sharpest."""
    path = tmp_path_factory.mktemp("stack") / "stack.tif"
    plane = iio.imread(PLATE / WELLS[1])[:256, :256]
    planes = [defocus_image(plane, distance_um).astype(np.uint8) for distance_um in (12.0, 6.0, 0.0, 6.0)]
    tifffile.imwrite(path, np.stack(planes), imagej=True, metadata={"axes": "ZYX"})
    return path


def level_of(path):
    return measure_image_focus(iio.imread(path)).estimate.defocus_level


def test_the_macro_measures_a_folder_and_names_what_to_look_at(folder, tmp_path, headless):
    table = tmp_path / "focus.csv"
    call = f'return runMacro("{EXAMPLES / "fiji" / "measure_folder.ijm"}", "{folder};{table}");'
    headless.run_macro(call)
    rows = pd.read_csv(table).set_index("Label")
    assert sorted(rows.index) == sorted([*WELLS, "blurred.tif", "empty.tif"])
    for name in (*WELLS, "blurred.tif"):
        assert rows.ImageFocus_Score[name] == pytest.approx(level_of(folder / name), abs=ROUNDED)
    assert rows.ImageFocus_Status["empty.tif"] == "blank"
    log = headless.log_text()
    assert f"blurred.tif: level {level_of(folder / 'blurred.tif'):.1f}\nempty.tif: no answer, blank\n" in log
    assert f"{WELLS[0]}: level" not in log
    assert f"4 images, written to {table}" in log
    before = table.read_bytes()
    headless.run_macro(call)
    assert table.read_bytes() == before


def test_the_script_goes_to_the_sharpest_slice_in_a_fiji_with_the_scripts(stack, ordinary):
    ordinary.open(str(stack), None)
    answer = ordinary.run_file(str(EXAMPLES / "fiji" / "go_to_sharpest_slice.groovy"))
    assert not answer["thrown"], answer["thrown"]
    assert answer["slice"] == 3
    assert len(answer["rows"]) == 5


def test_the_same_script_runs_in_a_fiji_that_python_started(stack, headless, fiji):
    headless.table_rows()
    jars = [str(jar) for jar in (fiji.folder / "jars").glob("groovy*.jar")]
    assert headless.run_groovy(str(EXAMPLES / "fiji" / "go_to_sharpest_slice.groovy"), str(stack), jars) == 3
    assert len(headless.table_rows()) == 5


def test_the_python_script_measures_and_flags_a_folder(folder, tmp_path, home):
    table, images = tmp_path / "focus.csv", tmp_path / "images"
    shutil.copytree(folder, images)
    (images / "broken.tif").write_text("no image")
    script = EXAMPLES / "fiji" / "measure_folder.py"
    run_python(script, images, table, "--endpoint", IMAGEJ1, environment=home)
    rows = pd.read_csv(table).set_index("Label")
    for name in (*WELLS, "blurred.tif"):
        pixels = iio.imread(folder / name)
        assert rows.ImageFocus_Score[name] == pytest.approx(measure_image_focus(pixels).features()["Score"], abs=1e-6)
        expected = flag_defocused(pixels, threshold=0.5).features()
        assert rows.FlagDefocused_Probability[name] == pytest.approx(expected["Probability"], abs=1e-6)
    assert list(rows.FlagDefocused_Defocused[[*WELLS, "blurred.tif"]]) == [0, 0, 1]
    assert np.isnan(rows.ImageFocus_Score["empty.tif"])
    assert rows.ImageFocus_Status["broken.tif"] == "unreadable"


def test_the_cells_of_the_notebook_run_and_measure_a_row_of_the_plate(tmp_path, home):
    """With ImageJ 1 and SciJava's core in place of PyImageJ's gateway, unless PARFOCAL_FIJI names a Fiji."""
    notebook, result = EXAMPLES / "fiji" / "focus_in_imagej.ipynb", tmp_path / "table.json"
    run_python(HERE / "notebook_in_imagej.py", notebook, result, environment=home)
    table = pd.read_json(result)
    assert list(table.well) == [f"O{number:02d}" for number in range(1, 13)]
    assert set(table.status) == {"ok"}
    paths = [PLATE / name for name in table.image[[0, 6]]]
    assert list(table.Score[[0, 6]]) == pytest.approx([level_of(path) for path in paths], rel=1e-6)


def test_the_notebook_is_stored_without_what_it_gave():
    cells = json.loads((EXAMPLES / "fiji" / "focus_in_imagej.ipynb").read_text())["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


def run_python(*arguments, environment):
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
