"""CellProfiler's own ways to share a screen out: ranges of image sets, batch files, groups, all from LoadData."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tifffile
from conftest import ROOT, write_pipeline
from flagging import make
from test_headless import spreadsheet

HERE = ROOT / "tests" / "cellprofiler"
MEASURED = ("ImageFocus_", "FlagDefocused_", "RestoreDefocus_", "Metadata_")


@pytest.fixture(scope="module")
def screen(tmp_path_factory, levels_zyx, sorter):
    """Two fields a plate on two plates: sharp, defocused, blank, defocused less; a list and a pipeline over it."""
    folder = tmp_path_factory.mktemp("parts")
    rows = []
    fields = (levels_zyx[0], levels_zyx[6], np.full_like(levels_zyx[0], 9), levels_zyx[4])
    for number, field in enumerate(fields):
        tifffile.imwrite(folder / f"{number}.tif", field)
        plate, well = "AABB"[number], f"C0{number + 1}"
        rows.append((f"{number}.tif", str(folder), plate, well))
    columns = ["Image_FileName_DNA", "Image_PathName_DNA", "Metadata_Plate", "Metadata_Well"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "list.csv", index=False)
    write_pipeline(modules(folder, sorter), folder / "screen.cppipe")
    write_pipeline([*modules(folder, sorter), batch_files()], folder / "batch.cppipe")
    return folder


def modules(folder, sorter):
    from cellprofiler_core.modules.loaddata import LoadData

    from parfocal.cp_plugins.measureimagefocus import MeasureImageFocus
    from parfocal.cp_plugins.restoredefocus import RestoreDefocus

    load, focus, restore = LoadData(), MeasureImageFocus(), RestoreDefocus()
    load.csv_directory.dir_choice, load.csv_directory.custom_path = "Elsewhere...", str(folder)
    load.csv_file_name.value = "list.csv"
    load.wants_image_groupings.value = True
    load.metadata_fields.value = "Plate"
    focus.images[0].image_name.value = restore.image_name.value = "DNA"
    restore.when.value = "Only where a measurement says so"
    restore.measurement.value, restore.smallest_value.value = "Metadata_Defocused_DNA", 1
    return [load, focus, make(model=sorter), restore, spreadsheet()]


def batch_files():
    from cellprofiler.modules.createbatchfiles import CreateBatchFiles

    return CreateBatchFiles()


@pytest.fixture(scope="module")
def run(screen):
    """Run the program over a pipeline or batch file with further options; gives its output folder."""

    def start(pipeline, name, *options):
        output = screen / name
        output.mkdir()
        command = [sys.executable, "-m", "cellprofiler", "-c", "-r", "-p", pipeline, "-o", output, *options]
        command += ["--plugins-directory", ROOT / "cp_plugins"]
        environment = {**os.environ, "PYTHONPATH": str(HERE / "stubs"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, timeout=300, cwd=output, env=environment
        )
        # Its exit status is 1 where it wrote a batch file and ended as it should.
        assert any(output.iterdir()), done.stderr
        return output

    return start


@pytest.fixture(scope="module")
def whole(screen, run):
    return table(run(screen / "screen.cppipe", "whole"))


def table(*outputs):
    """Columns of Parfocal and of the list, a row an image set, from one or more runs."""
    found = pd.concat([pd.read_csv(output / "Image.csv") for output in outputs]).set_index("ImageNumber").sort_index()
    return found[[name for name in found if name.startswith(MEASURED)]]


def test_the_whole_list_is_measured_flagged_and_restored_where_that_says_so(whole):
    assert whole.Metadata_Plate.tolist() == list("AABB")
    assert whole.ImageFocus_Status_DNA.tolist() == ["ok", "ok", "blank", "ok"]
    assert whole.Metadata_Defocused_DNA.tolist() == [0, 1, 1, 1]
    restored = [name for name in whole if name.startswith("RestoreDefocus_Restored")]
    assert whole[restored[0]].tolist() == [0, 1, 0, 1]


def test_ranges_of_image_sets_merge_to_the_results_of_one_run(whole, screen, run):
    first = run(screen / "screen.cppipe", "first", "-f", "1", "-l", "1")
    rest = run(screen / "screen.cppipe", "rest", "-f", "2", "-l", "4")
    pd.testing.assert_frame_equal(table(first, rest)[whole.columns], whole)


def test_batches_by_range_and_by_group_merge_to_the_results_of_one_run(whole, screen, run):
    run(screen / "batch.cppipe", "made")
    batch = screen / "made" / "Batch_data.h5"
    by_range = run(batch, "by_range", "-f", "1", "-l", "2")
    by_group = run(batch, "by_group", "-g", "Metadata_Plate=B")
    pd.testing.assert_frame_equal(table(by_range, by_group)[whole.columns], whole)
