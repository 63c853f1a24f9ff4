"""One rule for the plate of an image, wherever it is asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from parfocal.batch.places import place_of
from parfocal.batch.plates import plates_of
from parfocal.report.screen.rows import screen_rows
from parfocal.report.table import focus_table, read_table
from parfocal.screen.columns import columns_of
from parfocal.screen.counts import Counts
from parfocal.screen.results import Results
from parfocal.screen.table import write_csv

COLUMNS = columns_of(False)


def plates(files):
    wells = [place.well if place else "" for place in map(place_of, files)]
    return plates_of(files, wells, [""] * len(files))


@pytest.mark.parametrize(
    ("path", "plate"),
    [
        ("/s/AS_09047_050428030001_O07f00d2.TIF", "AS_09047_050428030001"),
        ("/s/plate7/x_A01_s1_w1.tif", "plate7"),
        ("/s/P12/TimePoint_1/A01_s2_w1.TIF", "P12"),
        ("/s/plate7/Well_B03/Site_2/x_B03_s2.tif", "plate7"),
        ("/s/1234__2020-01-31T10_11_12-Measurement 1/Images/r02c03f01p01-ch1sk1fk1fl1.tiff", "1234"),
        ("/s/plate7/overview.tif", ""),
        ("/A01.tif", ""),
    ],
)
def test_of_one_folder_a_plate_is_what_stands_before_the_well_or_the_folder(path, plate):
    assert plates([path]) == [plate]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["/s/plate1/exp1_A01_s1_w1.tif", "/s/plate2/exp1_A01_s1_w1.tif"], ["plate1", "plate2"]),
        ([r"C:\s\plate1\exp1_A01.tif", r"C:\s\plate2\exp1_A01.tif"], ["plate1", "plate2"]),
        (["day1/plate1/x_A01.tif", "day2/plate1/x_A01.tif"], ["day1/plate1", "day2/plate1"]),
        (["/s/P1_A01.tif", "/s/P2_A01.tif"], ["P1", "P2"]),
        (["/s/P1_A01.tif", "/s/P1_A02.tif", "/s/odd_A03.tif"], ["P1", "P1", "P1"]),
        (["/s/p1/e1_A01.tif", "/s/p1/odd_A02.tif", "/s/p2/e1_A01.tif"], ["p1", "p1", "p2"]),
        (["/s/d1/P1_A01.tif", "/s/d1/P2_A01.tif", "/s/d2/P1_A01.tif"], ["d1/P1", "d1/P2", "d2"]),
        (["/s/x_A01.tif", "/s/p1/x_A01.tif"], ["s", "s/p1"]),
        (["/s/p1/raw/x_A01.tif", "/s/p1/tiff/x_A01.tif"], ["raw", "tiff"]),
        (["/s/1__a/Images/r01c01f01.tif", "/s/2__b/Images/r01c01f01.tif"], ["1", "2"]),
        (["/s/1__a/Images/r01c01f01.tif", "/s/1__b/Images/r01c01f01.tif"], ["1__a", "1__b"]),
    ],
)
def test_folders_and_names_before_the_well_tell_plates_apart(files, names):
    assert plates(files) == names


@pytest.mark.parametrize(
    "files",
    [
        ["/s/p1/TimePoint_1/x_A01.tif", "/s/p1/TimePoint_2/x_A01.tif", "/s/p2/TimePoint_1/x_A01.tif"],
        ["/s/p1/A01/x_A01.tif", "/s/p1/A02/x_A02.tif", "/s/p2/A01/x_A01.tif"],
        ["/s/p1/Site_1/x_A01_s1.tif", "/s/p1/Site_2/x_A01_s2.tif", "/s/p2/Site_1/x_A01_s1.tif"],
    ],
)
def test_time_points_wells_and_sites_in_folders_of_their_own_are_of_one_plate(files):
    assert plates(files) == ["p1", "p1", "p2"]


def test_what_is_told_counts_and_an_image_of_no_well_is_of_no_plate():
    files = ["/s/p1/x_A01.tif", "/s/p2/x_A01.tif", "/s/p3/x_A01.tif", "/s/p4/x.tif"]
    assert plates_of(files, ["A01"] * 3 + [""], ["X", "", "", ""]) == ["X", "p2", "p3", ""]
    assert plates_of([], [], []) == []


def row_of(file, plate=""):
    texts = {name: "" for name, kind in COLUMNS.items() if kind == "text"}
    told = {"file": file, "plate": plate, "well": place_of(file).well, "status": "ok", "channel": 0}
    return {**dict.fromkeys(COLUMNS), **texts, **told, "defocus_level": 1.0, "certainty": 0.5, "answered": True}


def test_screen_csv_its_parts_and_tables_of_measure_sort_and_cellprofiler_name_the_same_plates(tmp_path):
    files = [f"/s/plate{n}/exp1_A01_s1_w1.tif" for n in (1, 2)]
    results = Results(tmp_path / "results", COLUMNS)
    for file in files:
        results.add([row_of(file)])
    results.finish_part()
    write_csv(results, np.arange(2), tmp_path / "screen.csv", Counts())
    screen = read_table(tmp_path / "screen.csv")
    parts = pd.read_parquet(results.parts()[0])
    measured = screen.drop(columns="plate")
    sort = measured.drop(columns="certainty").assign(probability=0.1)
    cellprofiler = pd.DataFrame(
        {
            "FileName_DNA": [file.rsplit("/", 1)[1] for file in files],
            "PathName_DNA": [file.rsplit("/", 1)[0] for file in files],
            "ImageFocus_Score_DNA": 1.0,
        }
    )
    assert list(screen["plate"]) == ["plate1", "plate2"]
    assert [list(focus_table(table)["plate"]) for table in (screen, measured, cellprofiler)] == [
        ["plate1", "plate2"]
    ] * 3
    for table in (screen, parts, measured, sort, cellprofiler):
        assert list(screen_rows(table)["plate"]) == ["plate1", "plate2"]


def test_a_plate_that_a_screen_was_told_counts_in_its_summary(tmp_path):
    rows = [row_of("/s/p/x_A01.tif", "PlateX"), row_of("/s/p/x_A02.tif", "PlateY")]
    assert list(focus_table(pd.DataFrame(rows))["plate"]) == ["PlateX", "PlateY"]
