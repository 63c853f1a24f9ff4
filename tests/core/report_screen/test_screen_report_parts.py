from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
from report_screens import screen_table

from parfocal.report.screen import packed
from parfocal.report.screen.distributions import MOST_DOTS, agreement_chart, level_chart
from parfocal.report.screen.drift import drift
from parfocal.report.screen.methods import SCIKIT_IMAGE, XUE, YANG, methods_text
from parfocal.report.screen.pictures import MOST_WORST, restored_pictures, worst_pictures
from parfocal.report.screen.plates import plate_lines, plate_maps, plate_shape
from parfocal.report.screen.rows import screen_rows
from parfocal.report.screen.run import Run

pytestmark = pytest.mark.current_python

ROOT = Path(__file__).parents[3]


def test_a_map_has_mean_and_worst_of_each_well():
    rows = screen_rows(screen_table(8))
    dna = next(found for found in plate_maps(rows) if found["channel"] == "DNA")
    levels = rows[(rows["channel"] == "DNA") & (rows["well"] == "B02")]["defocus_level"]
    certainties = rows[(rows["channel"] == "DNA") & (rows["well"] == "B02")]["certainty"]
    place = dna["column"].index(1)
    assert dna["row"][place] == 1
    assert dna["level_mean"][place] == pytest.approx(levels.mean(), abs=0.01)
    assert dna["level_worst"][place] == pytest.approx(levels.max(), abs=0.01)
    assert dna["second_worst"][place] == pytest.approx(certainties.min(), abs=0.01)


def test_a_well_without_answers_has_images_and_no_number():
    found = plate_maps(screen_rows(screen_table(1)))[0]
    assert (found["n"], found["silent"], found["level_worst"]) == ([1], [1], [None])


@pytest.mark.parametrize(
    ("last", "shape"), [((0, 0), (2, 3)), ((7, 11), (8, 12)), ((8, 3), (16, 24)), ((31, 47), (32, 48))]
)
def test_the_smallest_plate_with_all_wells_is_drawn(last, shape):
    assert plate_shape([(0, 0), last]) == shape


def test_all_wells_of_a_plate_of_1536_are_wells():
    assert set(screen_rows(screen_table(well="Z48"))["well"]) == {"Z48"}


def test_the_plate_with_most_images_out_of_focus_comes_first():
    table = screen_table(8, plate=["good"] * 4 + ["bad"] * 4)
    lines = plate_lines(screen_rows(table))
    assert [line.name for line in lines] == ["bad", "good"]
    assert lines[0].share_silent == pytest.approx(0.25)


def test_drift_goes_by_the_time_of_acquisition_where_it_is_known():
    moments = [f"2026-05-01T10:{minute:02d}:00Z" for minute in range(8, 0, -1)]
    found = drift(screen_rows(screen_table(8, acquired=moments)))
    assert "time of acquisition" in found.order
    x = json.loads(found.chart)["data"][0]["x"]
    assert x == sorted(x)


def test_drift_says_by_what_it_goes_without_times():
    assert "name of the file" in drift(screen_rows(screen_table(8))).order
    assert "time point" in drift(screen_rows(screen_table(8, time=range(8)))).order


def test_drift_of_many_images_is_drawn_in_bins():
    found = json.loads(drift(screen_rows(screen_table(5000))).chart)
    assert max(len(trace["x"]) for trace in found["data"]) <= 80
    assert {"DNA, median", "actin, median"} <= {trace["name"] for trace in found["data"] if "name" in trace}


def test_many_images_are_counted_and_none_is_lost():
    rows = screen_rows(screen_table(MOST_DOTS + 10))
    trace = json.loads(agreement_chart(rows))["data"][0]
    assert trace["type"] == "heatmap"
    assert np.sum(trace["customdata"]) == rows["certainty"].notna().sum()
    bars = json.loads(level_chart(rows))["data"]
    assert np.sum([bar["y"] for bar in bars]) == rows["defocus_level"].notna().sum()


def test_bars_of_levels_lie_on_one_side_of_the_limit():
    levels = [2.9, 3.0, 3.1, 0.0, 10.0, 1.0]
    table = screen_table(6, defocus_level=levels, channel_name="DNA", channel=0)
    bar = json.loads(level_chart(screen_rows(table)[:5]))["data"][0]
    counts = dict(zip(bar["hovertext"], bar["y"]))
    assert counts["2.5 to 3: 2 images"] == 2
    assert counts["3 to 3.5: 1 image"] == 1
    assert (bar["y"][0], bar["y"][-1], sum(bar["y"])) == (1, 1, 5)


def test_methods_tell_and_cite_only_what_was_done():
    measured = methods_text(screen_rows(screen_table(8)), Run("x"))
    assert "[2] " + YANG in measured
    assert XUE not in measured
    assert "7 images" in measured
    assert "every pixel has the same value, 1" in measured
    restored = methods_text(screen_rows(screen_table(8, probability=0.9, threshold=0.5, restored=True)), Run("x"))
    assert restored.count("[3]") == 3
    assert "[3] " + XUE in restored


def test_methods_tell_by_what_was_restored():
    rows = screen_rows(screen_table(8, restored=True))
    told = methods_text(rows, Run("x", {"arguments": {"restore": True, "method": "wiener"}}))
    assert "by Wiener deconvolution as in scikit-image [3]" in told and "[3] " + SCIKIT_IMAGE in told
    assert XUE not in told


def test_papers_are_cited_as_in_the_citation_file():
    citations = " ".join((ROOT / "CITATION.cff").read_text(encoding="utf-8").split())
    for paper in (YANG, XUE):
        assert paper.rsplit("doi:", 1)[1] in citations
        assert paper.split(". ")[1] in citations


def test_beyond_a_limit_the_rows_that_need_a_look_are_kept(monkeypatch):
    monkeypatch.setattr(packed, "MOST_ROWS", 3)
    columns = {column["name"]: column for column in packed.row_data(screen_rows(screen_table(8)), 3.0)["columns"]}
    assert sorted(columns["defocus_level"]["numbers"], key=lambda value: -1 if value is None else value) == [
        None,
        6.25,
        7.5,
    ]


def test_worst_images_are_those_that_are_flagged_or_of_a_high_level_alone(tmp_path):
    flagged = [None, True, False, False, False, False]
    table = screen_table(6, flagged=flagged, file=[f"{n}.tif" for n in range(6)], defocus_level=[0, 1, 2, 4, 5, 0.0])
    shown = worst_pictures(screen_rows(table), tmp_path)
    assert [picture.file for picture in shown] == ["4.tif", "3.tif", "1.tif"]
    assert "flagged" in shown[2].told and "flagged" not in shown[0].told
    assert len(worst_pictures(screen_rows(screen_table(40)), tmp_path)) == MOST_WORST
    assert worst_pictures(screen_rows(screen_table(3)), tmp_path) == []


def test_pictures_come_from_the_folder_of_the_run_alone(tmp_path):
    home = tmp_path / "out"
    home.mkdir()
    picture = np.random.default_rng(0).integers(0, 255, (600, 700, 3), np.uint8)
    for path in (home / "a.png", tmp_path / "outside.png"):
        iio.imwrite(path, picture)
    about = {"overlay": ["../outside.png", "a.png", ""], "file": ["1.tif", "2.tif", "3.tif"], "flagged": True}
    table = screen_table(3, **about)[:2]
    shown = worst_pictures(screen_rows(table), home)
    assert [(picture.file, picture.whole is None) for picture in shown] == [("2.tif", False), ("1.tif", True)]
    assert shown[0].whole.url.startswith("data:image/jpeg;base64,")
    assert (shown[0].whole.width, shown[0].detail.width) == (480, 224)


def test_originals_stand_in_for_missing_pictures(tmp_path):
    before = np.random.default_rng(0).integers(0, 4000, (120, 140)).astype(np.uint16)
    iio.imwrite(tmp_path / "raw.tif", before)
    iio.imwrite(tmp_path / "restored.tif", before // 2)
    table = screen_table(3, file="raw.tif", restored=True, restored_file="restored.tif", change=[0.1, 0.3, 0.2])
    rows = screen_rows(table)
    assert worst_pictures(rows.assign(flagged=True), tmp_path)[0].whole.width == 140
    shown = restored_pictures(rows, tmp_path)
    assert "30 %" in shown[0].told
    assert shown[0].whole.width == 3 * 140 + 8


def test_names_that_end_alike_sort_and_pack_as_they_are():
    files = ["C:\\data\\a.tif", "/data/b.tif", "c.tif"]
    column = packed.row_data(screen_rows(screen_table(3, file=files)), 3.0)["columns"][0]
    folders = [column["words"][code] for code in column["codes"]]
    assert list(zip(folders, column["names"])) == [("C:/data", "a.tif"), ("/data", "b.tif"), ("", "c.tif")]


def test_plates_named_by_numbers_keep_their_zeros(tmp_path):
    from parfocal.report.table import read_table

    screen_table(3, plate="007").to_csv(tmp_path / "t.csv", index=False)
    assert set(screen_rows(read_table(tmp_path / "t.csv"))["plate"]) == {"007"}
    assert isinstance(read_table(tmp_path / "t.csv"), pd.DataFrame)
