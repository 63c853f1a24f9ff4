from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

from parfocal.batch.places import place_of, row_index, row_letters
from parfocal.report.plate import draw_plate
from parfocal.report.table import COLUMNS, focus_table, read_table

pytestmark = pytest.mark.cellprofiler_python


def image_csv(wells=("A01", "A02", "B01", "B02")):
    """Table as CellProfiler exports it: two images, of which GFP has no answer in the last well."""
    table = pd.DataFrame({"Metadata_Well": wells, "Metadata_Site": range(1, len(wells) + 1)})
    for image, level in (("DNA", 1.0), ("GFP", 4.0)):
        table[f"ImageFocus_Score_{image}"] = level
        table[f"ImageFocus_Certainty_{image}"] = 0.8
        table[f"ImageFocus_MeanCertainty_{image}"] = 0.9
        table[f"ImageFocus_Answered_{image}"] = 1.0
        table[f"ImageFocus_Status_{image}"] = "ok"
    last = table.index[-1]
    table.loc[last, ["ImageFocus_Score_GFP", "ImageFocus_Certainty_GFP", "ImageFocus_MeanCertainty_GFP"]] = np.nan
    table.loc[last, "ImageFocus_Answered_GFP"] = 0.0
    table.loc[last, "ImageFocus_Status_GFP"] = "blank"
    return table


def measured(files, **columns):
    table = pd.DataFrame({"file": files, "channel": 0, "defocus_level": 1.0, "certainty": 0.7, "mean_certainty": 0.8})
    places = [place_of(name) for name in files]
    table["well"] = [place.well if place else "" for place in places]
    return table.assign(answered=True, status="ok", **columns)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("AS_09047_050428030001_O01f00d2.TIF", ("O01", "00", "d2")),
        ("IXMtest_A02_s9_w1FE9C.tif", ("A02", "9", "w1")),
        ("mcf-z-stacks-03212011_a02_s1_w2.tif", ("A02", "1", "w2")),
        ("A01.tif", ("A01", "", "")),
        ("dna_D12.png", ("D12", "", "")),
        ("Channel1-01-A-01.tif", ("A01", "", "")),
        ("r02c03f01p01-ch2sk1fk1fl1.tiff", ("B03", "01", "ch2")),
        ("plate_AB48.tif", ("AB48", "", "")),
    ],
)
def test_wells_are_read_from_the_names_that_microscopes_give(name, place):
    found = place_of(name)
    assert (found.well, found.site, found.channel) == place


@pytest.mark.parametrize("name", ["image.tif", "01_POS002_D.TIF", "a102d1f0.png", "Q01.tif", "A00.tif", "A99.tif"])
def test_other_names_have_no_well(name):
    assert place_of(name) is None


def test_rows_of_a_plate_go_beyond_z():
    assert [row_letters(index) for index in (0, 15, 25, 26, 31)] == ["A", "P", "Z", "AA", "AF"]
    assert all(row_index(row_letters(index)) == index for index in range(32))


def test_a_cellprofiler_table_gives_a_row_for_each_measured_image():
    table = focus_table(image_csv())
    assert tuple(table.columns) == COLUMNS
    assert list(table["image"]) == ["DNA"] * 4 + ["GFP"] * 4
    assert list(table["well"]) == ["A01", "A02", "B01", "B02"] * 2
    assert list(table["defocus_level"][:7]) == [1.0] * 4 + [4.0] * 3
    assert list(table["answered"]) == [True] * 7 + [False]
    assert (table["status"].iloc[-1], np.isnan(table["defocus_level"].iloc[-1])) == ("blank", True)


def test_wells_of_a_cellprofiler_table_come_from_the_file_names_where_it_has_no_metadata():
    table = image_csv().drop(columns=["Metadata_Well", "Metadata_Site"])
    table["FileName_DNA"] = [f"x_C0{n}_s2_w1.tif" for n in (1, 2, 3, 4)]
    focus = focus_table(table)
    assert list(focus["well"]) == ["C01", "C02", "C03", "C04", "", "", "", ""]
    assert set(focus["site"][:4]) == {"2"}


def test_names_that_are_no_wells_are_left_out_of_the_map():
    assert list(focus_table(image_csv(["a1", "B-02", "control", "A99"]))["well"][:4]) == ["A01", "B02", "", ""]


def test_plates_are_told_apart_by_folder_and_channels_by_number():
    table = focus_table(measured(["/data/p1/A01.tif", "/data/p2/A01.tif"], channel=[0, 1]))
    assert list(table["plate"]) == ["p1", "p2"]
    assert list(table["image"]) == ["channel 0", "channel 1"]
    assert set(focus_table(measured(["/data/p1/A01.tif", "/data/p1/A02.tif"]))["plate"]) == {"p1"}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_are_read_back_with_sites_as_they_were_written(tmp_path, suffix):
    table, path = measured(["A01.tif"], site="01"), tmp_path / f"a.{suffix}"
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path, index=False)
    assert list(focus_table(read_table(path))["site"]) == ["01"]


def test_a_table_without_focus_is_refused_with_its_columns(tmp_path):
    with pytest.raises(ValueError, match="holds no focus.* there are a, b"):
        focus_table(pd.DataFrame({"a": [1], "b": [2]}))
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        read_table(tmp_path / "nowhere.csv")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "not.parquet").write_text("x")
    for name in ("empty.csv", "not.parquet"):
        with pytest.raises(ValueError, match=f"{name} is no table"):
            read_table(tmp_path / name)


def colors_of(path):
    pixels = iio.imread(path)[..., :3].reshape(-1, 3)
    return {tuple(color) for color in np.unique(pixels, axis=0)}


def test_a_plate_map_shows_levels_in_colour_and_images_without_answer_in_grey(tmp_path):
    table = image_csv().assign(**{f"ImageFocus_Certainty_{image}": 1.0 for image in ("DNA", "GFP")})
    table["ImageFocus_Score_DNA"], table["ImageFocus_Score_GFP"] = 0.0, 10.0
    path = draw_plate(table, tmp_path / "a.png")
    colors = colors_of(path)
    assert {(255, 0, 0), (217, 217, 217)} <= colors  # sharp; no answer
    assert (128, 0, 255) in colors or (127, 0, 255) in colors  # worst


def test_a_plate_without_an_answer_and_a_table_without_wells_can_be_drawn(tmp_path):
    nothing = measured(["A01.tif", "A02.tif"]).assign(answered=False, defocus_level=np.nan, certainty=np.nan)
    with_map = iio.imread(draw_plate(nothing, tmp_path / "a.png"))
    without_map = iio.imread(draw_plate(measured(["x.tif", "y.tif"]), tmp_path / "b.png"))
    assert with_map.shape[0] > without_map.shape[0]


def test_a_plate_of_a_single_well_is_drawn_too(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("parfocal.report.plate._draw_map", lambda axes, rows, name: drawn.append((name, len(rows))))
    draw_plate(measured(["/s/p1/A01.tif", "/s/p1/A02.tif", "/s/p2/A01.tif"]), tmp_path / "a.png")
    assert drawn == [("p1", 2), ("p2", 1)]


def test_a_large_plate_keeps_its_wells_square(tmp_path):
    wells = [f"{row_letters(row)}{column:02d}.tif" for row in range(16) for column in range(1, 25)]
    picture = iio.imread(draw_plate(measured(wells), tmp_path / "a.png"))
    assert picture.shape[1] > 24 * 0.5 * 150
