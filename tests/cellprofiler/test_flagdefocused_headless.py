"""FlagDefocused in the real CellProfiler, without its window, with the modules that follow it."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from conftest import PLATE, write_pipeline
from flagging import make
from test_headless import database, loading, nuclei, spreadsheet

from parfocal.cp_plugins import _parfocal_flag_settings as flag_settings
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.thresholds import sharp_threshold

HERE = Path(__file__).resolve().parent
NAME = "FlagDefocused_{}_DNA"
FLAGS = ["Metadata_QCDefocused", "Metadata_Defocused_DNA"]


def field(well, *place):
    return tifffile.imread(PLATE / "images" / f"AS_09047_050428030001_{well}f00d2.TIF")[place]


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """Fields of two wells: sharp and blurred by 10 um in A; sharp and blank in B."""
    images = tmp_path_factory.mktemp("fields")
    half, other = slice(0, 256), slice(256, 512)
    blurred = defocus_image(field("O07", half, half).astype(np.float32), 10.0)
    made = {
        "A_0": field("O06", half, half),
        "A_1": blurred,
        "B_2": field("O06", half, other),
        "B_3": np.full((256,) * 2, 9),
    }
    for name, image in made.items():
        tifffile.imwrite(images / f"{name}_DNA.tif", np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return images


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """Sharp images for a threshold."""
    folder = tmp_path_factory.mktemp("examples")
    for number, (y, x) in enumerate(((0, 0), (0, 256), (256, 0), (256, 256))):
        tifffile.imwrite(folder / f"{number}.tif", field("O06", slice(y, y + 256), slice(x, x + 256)))
    return folder


def loading_wells(grouped=False):
    images, metadata, assign, groups = loading(["DNA"])
    metadata.wants_metadata.value = True
    metadata.extraction_methods[0].file_regexp.value = r"^(?P<Well>[A-Z])_(?P<Site>[0-9])_"
    groups.wants_groups.value = grouped
    groups.grouping_metadata[0].metadata_choice.value = "Well"
    return [images, metadata, assign, groups]


def skipping(model, examples):
    sharp = {"threshold_from": flag_settings.SHARP, "sharp_folder": f"Elsewhere...|{examples}"}
    return make(model=model, action=flag_settings.SKIP, false_alarm_rate=0.2, **sharp)


def tables():
    module = spreadsheet()
    module.add_metadata.value = True
    return module


@pytest.fixture(scope="module")
def screen(tmp_path_factory, run_headless, fields, examples, sorter):
    """Flag, skip the rest for what is flagged, nuclei, tables, database."""
    folder = tmp_path_factory.mktemp("screen")
    modules = [skipping(sorter, examples), nuclei(), tables(), database()]
    printed = run_headless([*loading_wells(), *modules], fields, folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    return folder / "out", pd.read_csv(folder / "out" / "Image.csv")


def test_flags_are_whole_numbers_in_the_table_of_images(screen):
    _, table = screen
    assert table.FileName_DNA.tolist() == ["A_0_DNA.tif", "A_1_DNA.tif", "B_2_DNA.tif", "B_3_DNA.tif"]
    for flag in FLAGS:
        assert table[flag].tolist() == [0, 1, 0, 1]
        assert table[flag].dtype == np.int64
    assert table[NAME.format("Status")].tolist() == ["ok", "ok", "ok", "blank"]
    assert table[NAME.format("Reason")][3] == "every pixel is 9"


def test_program_gives_the_numbers_of_core(screen, fields, examples, sorter):
    _, table = screen
    threshold = sharp_threshold(examples, 0.2, model=sorter)
    assert threshold.n_images == 4
    for row in table.index:
        image = tifffile.imread(fields / table.FileName_DNA[row])
        direct = flag_defocused(image, threshold=threshold.threshold, model=sorter)
        for feature, number in direct.features().items():
            np.testing.assert_allclose(table.loc[row, NAME.format(feature)], number, rtol=1e-5, err_msg=feature)


def test_the_rest_of_the_pipeline_runs_only_for_what_is_not_flagged(screen):
    output, table = screen
    assert table.Count_Nuclei.isna().tolist() == [False, True, False, True]
    assert (table.Count_Nuclei.dropna() > 3).all()
    objects = pd.read_csv(output / "Nuclei.csv")
    assert set(objects.ImageNumber) == {1, 3}
    # The flags stand beside the objects too.
    assert (objects[FLAGS] == 0).all(axis=None)


def test_database_holds_the_flags_as_whole_numbers_of_what_is_not_skipped(screen):
    output, _ = screen
    with sqlite3.connect(next(output.glob("*.db"))) as connection:
        types = pd.read_sql("pragma table_info(Per_Image)", connection).set_index("name")["type"]
        rows = pd.read_sql("select * from Per_Image order by ImageNumber", connection)
    assert rows.ImageNumber.tolist() == [1, 3]
    for flag in FLAGS:
        assert types[f"Image_{flag}"].lower() == "integer"
        assert rows[f"Image_{flag}"].tolist() == [0, 0]


@pytest.mark.parametrize("grouped", [False, True])
def test_workers_give_what_the_program_gives_headless(grouped, screen, fields, examples, sorter, tmp_path):
    modules = [*loading_wells(grouped), skipping(sorter, examples), nuclei(), tables()]
    pipeline = write_pipeline(modules, tmp_path / "screen.cppipe")
    command = [sys.executable, HERE / "analyse_with_workers.py", pipeline, fields, tmp_path / "out", 2]
    (tmp_path / "out").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(HERE / "stubs"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out" / "Image.csv")
    ours = [*FLAGS, "Count_Nuclei", *(name for name in screen[1] if name.startswith("FlagDefocused"))]
    pd.testing.assert_frame_equal(table[ours], screen[1][ours])
    assert table.Group_Number.tolist() == ([1, 1, 2, 2] if grouped else [1] * 4)


def test_loaddata_reads_the_flags_as_metadata_to_group_by(screen, fields, sorter, run_headless, tmp_path):
    from cellprofiler_core.modules.loaddata import LoadData

    # Numbers of groups of the run before would stand for those of this one.
    table = screen[1].filter(regex="^(FileName|PathName|Metadata)_")
    table.to_csv(tmp_path / "load_data.csv", index=False)
    load = LoadData()
    load.csv_directory.value, load.csv_file_name.value = f"Elsewhere...|{tmp_path}", "load_data.csv"
    load.wants_image_groupings.value, load.metadata_fields.value = True, "QCDefocused"
    # Flagging once more takes the place of what was loaded.
    modules = [load, make(model=sorter, flag_unanswered=False), spreadsheet()]
    printed = run_headless(modules, fields, tmp_path / "out")
    assert (tmp_path / "out" / "Image.csv").exists(), printed
    again = pd.read_csv(tmp_path / "out" / "Image.csv").sort_values("FileName_DNA")
    assert again.Group_Number.tolist() == [1, 2, 1, 2]
    assert again[FLAGS].to_numpy().tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]
