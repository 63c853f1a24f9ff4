"""The example screen, as a user runs it: fields are made, sorted, restored, outlined, and held against the truth."""

import csv
import shutil
import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile
from conftest import ROOT

from parfocal.focus_quality.synthesis import defocus_image
from parfocal.restoration.marked_tiff import is_marked_file

SCREEN = ROOT / "examples" / "screen"


@pytest.fixture(scope="module")
def screen(tmp_path_factory, run_headless):
    """Six fields of the example, two of them out of focus, gone through its pipeline; and three of no use."""
    made, output = tmp_path_factory.mktemp("screen") / "made", tmp_path_factory.mktemp("run") / "out"
    subprocess.run([sys.executable, SCREEN / "make_fields.py", made], check=True, capture_output=True)
    with (made / "truth.csv").open() as lines:
        levels = {row["file"]: float(row["level"]) for row in csv.DictReader(lines)}
    chosen = [name for name in levels if levels[name]][:2] + [name for name in levels if not levels[name]][:4]
    fields = made / "chosen"
    fields.mkdir()
    for name in chosen:
        shutil.copy(made / "fields" / name, fields)
    # Fields that cannot be judged: the run goes on behind them.
    pixels = iio.imread(fields / chosen[-1])
    tifffile.imwrite(fields / "SBS_A01_s8.tif", np.full(pixels.shape, np.nan, np.float32))
    tifffile.imwrite(fields / "SBS_A01_s9.tif", np.full_like(pixels, np.iinfo(pixels.dtype).max))
    # And one that no restoring brings back, of 60 um.
    light = np.random.default_rng(0).poisson(8 * np.maximum(defocus_image(pixels, 60.0), 0)) / 8
    tifffile.imwrite(fields / "SBS_A01_s7.tif", np.rint(light).astype(pixels.dtype))
    printed = run_headless(SCREEN / "sort_and_restore.cppipe", fields, output)
    shutil.copy(made / "truth.csv", output)
    assert (output / "Image.csv").exists(), printed[-2000:]
    return output, levels


def test_the_defocused_fields_alone_are_flagged_and_restored(screen):
    output, levels = screen
    table = pd.read_csv(output / "Image.csv").set_index("FileName_DNA")
    table = table[table.index.isin(list(levels))]
    defocused = pd.Series({name: levels[name] > 0 for name in table.index})
    assert (table["Metadata_Defocused_DNA"] == defocused).all()
    assert (table["RestoreDefocus_Restored_DNARestored"] == defocused).all()
    assert (table["Count_Nuclei"] > 0).all()


def test_restored_fields_are_saved_and_marked(screen):
    output, levels = screen
    saved = sorted((output / "restored").iterdir())
    assert len(saved) == 2
    assert all(is_marked_file(path) for path in saved)


def test_fields_without_an_answer_or_beyond_restoring_are_left_out_and_stop_nothing(screen):
    output, levels = screen
    table = pd.read_csv(output / "Image.csv").set_index("FileName_DNA")
    unanswered = table[~table.index.isin(list(levels))]
    assert len(unanswered) == 3 and (unanswered["Metadata_QCNoAnswer"] == 1).all()
    unanswered = unanswered.sort_index()
    assert list(unanswered["FlagDefocused_Status_DNA"]) == ["ok", "not_finite", "saturated"]
    assert unanswered["RestoreDefocus_Status_DNARestored"].iloc[0] == "out_of_range"
    assert not (unanswered["Count_Nuclei"] > 0).any()


def test_the_report_counts_them(screen):
    output, _ = screen
    done = subprocess.run([sys.executable, SCREEN / "report.py", output], capture_output=True, text=True, check=True)
    assert "6 fields, 2 of them out of focus\nflagged: 2 of 2, falsely 0\nrestored: 2 of 2 flagged\n" in done.stdout
