from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs
from report_screens import HOSTILE, SESSIONS, screen_table, unpacked, write_screen

from parfocal.report.screen import write_screen_report, write_table_report
from parfocal.report.screen.packed import row_data, same_for_all
from parfocal.report.screen.rows import screen_rows

pytestmark = pytest.mark.current_python


class Elements(HTMLParser):
    """Elements of a page with their attributes, and its texts outside of scripts."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self._inside = [], [], ""
        self.feed(html.replace(get_plotlyjs(), ""))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._inside = tag

    def handle_data(self, text):
        if self._inside not in ("script", "style"):
            self.texts.append(text)

    def handle_endtag(self, tag):
        self._inside = ""


def test_names_with_markup_stand_as_text(tmp_path):
    table = screen_table(file=HOSTILE, plate="<b>P</b>", reason="<i>why</i>", warnings="<u>care</u>")
    page = write_screen_report(write_screen(tmp_path, table)).read_text(encoding="utf-8")
    found = Elements(page)
    assert not [tag for tag, attributes in found.elements if "onerror" in attributes or tag in ("i", "u")]
    assert sum(tag == "script" for tag, _ in found.elements) == 4
    assert HOSTILE in "".join(found.texts)
    assert unpacked(page)["table"]["columns"][0]["names"][0] in HOSTILE


def test_the_page_asks_for_nothing_outside_of_it(tmp_path):
    page = write_screen_report(write_screen(tmp_path, screen_table())).read_text(encoding="utf-8")
    elements = Elements(page).elements
    targets = [value for _, attributes in elements for name, value in attributes.items() if name in ("src", "href")]
    assert targets
    assert all(target.startswith(("#", "data:")) for target in targets)
    policy = next(a["content"] for _, a in elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    "table",
    [
        screen_table(1),
        screen_table(2)[:1],
        screen_table(2)[["file", "defocus_level", "certainty", "status"]],
        screen_table()[-1:],
        screen_table(well="", plate=""),
        screen_table(
            defocus_level=np.nan, certainty=np.nan, mean_certainty=np.nan, answered=False, status="no_content"
        ),
        screen_table()[:0],
    ],
    ids=["one without answer", "one image", "four columns", "last", "no wells", "no answers", "no images"],
)
def test_a_screen_of_little_has_a_report(tmp_path, table):
    page = write_screen_report(write_screen(tmp_path, table)).read_text(encoding="utf-8")
    assert unpacked(page)["table"]["n"] == len(table)
    texts = "".join(Elements(page).texts)
    assert ("No map can be drawn" in texts) == ("well" not in table or not (table["well"] != "").any())
    assert not re.search(r"\bnan\b", texts, re.IGNORECASE)


def test_an_unfinished_run_is_told_as_such(tmp_path):
    told = "This run has not ended"
    assert told not in write_screen_report(write_screen(tmp_path / "a", screen_table())).read_text(encoding="utf-8")
    unfinished = write_screen(tmp_path / "b", screen_table(), [{**SESSIONS[0], "ended": None, "how": None}])
    page = write_screen_report(unfinished).read_text(encoding="utf-8")
    assert told in page and "still at work, or was killed" in page


def test_a_run_that_was_gone_on_with_tells_its_parts_and_the_time_at_work(tmp_path):
    page = write_screen_report(write_screen(tmp_path, screen_table(), SESSIONS)).read_text(encoding="utf-8")
    texts = "".join(Elements(page).texts)
    assert "1 May 2026, 09:00 UTC, to 3 May 2026, 08:45 UTC, gone on with once, 2 h 15 min at work" in texts
    assert "1 May 2026, 09:00 to 10:30 UTC (stopped)" in texts
    assert "3 May 2026, 08:00 to 08:45 UTC (finished)" in texts
    assert "2026-05" not in texts


def test_settings_and_columns_have_headings_for_people(tmp_path):
    table = screen_table(immersion_index=1.0, modality="widefield_fluorescence", site="3")
    page = write_screen_report(write_screen(tmp_path, table)).read_text(encoding="utf-8")
    texts = "".join(Elements(page).texts)
    for told in ("Refractive index of the immersion", "widefield fluorescence", "Pixel size (\u00b5m)", "Site 3"):
        assert told in texts
    for code in ("immersion_index", "widefield_fluorescence", "pixel_size_um", "defocus_level"):
        assert code not in texts
    columns = {column["name"]: column for column in unpacked(page)["table"]["columns"]}
    assert columns["defocus_level"]["title"] == "Defocus level (0\u00a0to\u00a010)"
    assert columns["site"]["same"] and not columns["well"]["same"]
    assert "modality" not in columns


def test_settings_that_differ_between_images_are_columns():
    table = screen_table(4, pixel_size_um=[0.65, 0.65, 0.325, None], warnings=["hot_pixels;restored_image", "", "", ""])
    columns = {column["name"]: column for column in row_data(screen_rows(table), 3.0)["columns"]}
    assert columns["pixel_size_um"]["words"] == ["", "0.325", "0.65"]
    assert columns["warnings"]["words"] == ["", "hot_pixels;restored_image"]
    assert columns["warnings"]["shown"] == ["", "hot pixels, restored image"]


def test_settings_that_files_without_pixels_lack_are_no_columns(tmp_path):
    table = screen_table(4, modality=["confocal"] * 3 + [None], immersion_index=[1.33] * 3 + [None])
    page = write_screen_report(write_screen(tmp_path, table)).read_text(encoding="utf-8")
    assert not {"modality", "immersion_index"} & {column["name"] for column in unpacked(page)["table"]["columns"]}
    assert "confocal" in "".join(Elements(page).texts)


def test_what_all_images_that_have_it_share_stands_above_the_table():
    table = screen_table(4, channel_name=["DNA"] * 3 + [""], channel=0)
    data = row_data(screen_rows(table), 3.0)
    columns = {column["name"]: column for column in data["columns"]}
    assert columns["channel"]["same"]
    assert ("Channel", "DNA") in same_for_all(data)
    warned = screen_table(4, warnings=["hot_pixels", "", "", ""])
    columns = {column["name"]: column for column in row_data(screen_rows(warned), 3.0)["columns"]}
    assert not columns["warnings"]["same"], "no warning is an answer too"


def test_the_reason_stands_under_the_status_which_comes_early():
    told = {"sorting_status": ["disagreement", "ok", "ok", ""], "sorting_reason": ["sharp, level 8", "", "", ""]}
    columns = row_data(screen_rows(screen_table(4, **told)), 3.0)["columns"]
    assert [column["name"] for column in columns][:6] == ["file", "plate", "well", "outcome", "status", "reason"]
    reason = columns[5]
    assert reason["under"] == "status" and not columns[4]["same"]
    reasons = [reason["words"][code] for code in reason["codes"]]
    assert reasons == ["sharp, level 8", "", "", "every pixel is 7"]


def test_a_level_that_the_sorter_contradicts_counts_as_no_answer():
    table = screen_table(
        4, sorting_status=["disagreement", "ok", "ok", ""], sorting_reason=["sharp, level 8", "", "", ""]
    )
    before, rows = screen_rows(screen_table(4)), screen_rows(table)
    assert before["answered"].tolist() == [True, True, True, False]
    assert rows["answered"].tolist() == [False, True, True, False]
    assert np.isnan(rows["defocus_level"][0]) and rows["status"][0] == "disagreement"
    pd.testing.assert_frame_equal(rows[1:][["defocus_level", "status"]], before[1:][["defocus_level", "status"]])


def test_what_was_not_done_is_not_explained(tmp_path):
    page = write_screen_report(write_screen(tmp_path / "a", screen_table(3))).read_text(encoding="utf-8")
    assert "<b>Flagged</b>" not in page and "what is restored" not in page and "Borders of patches" not in page
    table = screen_table(3, flagged=False, sorting_status="ok", restoration_status="ok", overlay="a.png")
    page = write_screen_report(write_screen(tmp_path / "b", table)).read_text(encoding="utf-8")
    assert "<b>Flagged</b>" in page and "what is restored" in page
    assert "Borders of patches" not in page, "there is no bad image that is shown with an overlay"


def test_a_screen_without_a_bad_image_says_so(tmp_path):
    page = write_screen_report(write_screen(tmp_path / "a", screen_table(3))).read_text(encoding="utf-8")
    assert "None: no image is above level 3." in page
    page = write_screen_report(write_screen(tmp_path / "b", screen_table(40))).read_text(encoding="utf-8")
    assert "36 images are above level 3; shown are the 12 of the highest level" in page


def test_the_command_of_the_run_is_given(tmp_path):
    page = write_screen_report(write_screen(tmp_path, screen_table())).read_text(encoding="utf-8")
    texts = "".join(Elements(page).texts)
    assert "parfocal screen 'my plates' -o OUT --pixel-size-um 0.65 --restore --overlays flagged" in texts
    assert "ab" * 32 in texts


def test_a_damaged_record_is_no_reason_for_no_report(tmp_path):
    folder = write_screen(tmp_path, screen_table())
    (folder / "run.json").write_text("{", encoding="utf-8")
    assert "does not say by what command" in write_screen_report(folder).read_text(encoding="utf-8")


def test_a_folder_without_rows_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no rows of a screen"):
        write_screen_report(tmp_path)
    (tmp_path / "measurements.csv").touch()
    with pytest.raises(FileNotFoundError, match="holds no screen, but a table: give .*measurements.csv with -o FILE"):
        write_screen_report(tmp_path)


def test_rows_of_a_part_in_progress_are_in_the_report(tmp_path):
    from parfocal.screen.columns import columns_of
    from parfocal.screen.results import Results

    empty = dict.fromkeys(columns_of(False))
    results = Results(tmp_path / "results", columns_of(False))
    for well in ("A01", "A02"):
        row = {"file": f"/p/x_{well}.tif", "well": well, "defocus_level": 1.0, "certainty": 0.9, "status": "ok"}
        results.add([{**empty, **row, "answered": True}])
    results.close()
    page = write_screen_report(tmp_path).read_text(encoding="utf-8")
    assert "2 wells" in "".join(Elements(page).texts)


def test_tables_of_sorting_have_a_report(tmp_path):
    columns = {"probability": 0.7, "threshold": 0.5, "flagged": True}
    table = screen_table(**columns).drop(columns=["certainty", "mean_certainty"])
    table.to_csv(tmp_path / "sorting.csv", index=False)
    page = write_table_report(tmp_path / "sorting.csv", tmp_path / "x.html").read_text(encoding="utf-8")
    assert unpacked(page)["second"] == "probability"
    assert "those with a probability above 0.5 were flagged (8 images)" in page


def test_images_of_cellprofiler_have_a_report(tmp_path):
    table = pd.DataFrame({"Metadata_Well": ["A01", "A02"], "Metadata_Plate": "7", "FileName_DNA": ["a.tif", "b.tif"]})
    features = {"Score": [4.0, np.nan], "Certainty": [0.8, np.nan], "Answered": [1, 0], "Status": ["ok", "blank"]}
    for name, values in features.items():
        table[f"ImageFocus_{name}_DNA"] = values
    table["FlagDefocused_Defocused_DNA"] = [1.0, np.nan]
    table.to_csv(tmp_path / "Image.csv", index=False)
    page = write_table_report(tmp_path / "Image.csv", tmp_path / "x.html").read_text(encoding="utf-8")
    columns = {column["name"]: column for column in unpacked(page)["table"]["columns"]}
    assert columns["outcome"]["words"] == ["no answer", "out of focus, flagged"]
    assert columns["file"]["names"] == ["a.tif", "b.tif"]
    assert unpacked(page)["maps"][0]["plate"] == "7"
    assert "CellProfiler 4" in page


def test_a_table_without_focus_is_told(tmp_path):
    Path(tmp_path / "t.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no focus"):
        write_table_report(tmp_path / "t.csv", tmp_path / "x.html")
