"""What a report says of images without an answer, and of warnings."""

from __future__ import annotations

import pytest
from report_screens import screen_table

from parfocal import status
from parfocal.report.screen.names import ends_of, names_of
from parfocal.report.screen.refused import refusals
from parfocal.report.screen.rows import screen_rows
from parfocal.report.screen.warned import MEANINGS, warned

pytestmark = pytest.mark.current_python


def refused_table(words, reasons, **columns):
    """Images that measuring and sorting refused for the same."""
    table = screen_table(len(words), **columns)
    table["file"] = [f"plate/{n}.tif" for n in range(len(words))]
    for name in ("", "sorting_"):
        table[f"{name}status"], table[f"{name}reason"] = words, reasons
    table["answered"] = [word == status.OK for word in words]
    return screen_rows(table)


def test_a_refusal_is_told_once_with_the_steps_that_it_stopped():
    (found,) = refusals(refused_table(["blank", "blank", "ok"], ["every pixel is 7", "every pixel is 9", ""]))
    assert (found.status, found.steps, found.count) == ("blank", ("measuring", "sorting"), 2)
    assert found.meaning == "every pixel has the same value"
    assert [(each.file, each.reason) for each in found.examples] == [
        ("0.tif", "every pixel is 7"),
        ("1.tif", "every pixel is 9"),
    ]


def test_reasons_that_differ_have_lines_of_their_own_and_no_pixels_stop_everything():
    reasons = ["the file is empty (0 bytes)", "no permission to read it", "no permission to read it"]
    found = refusals(refused_table(["unreadable"] * 3, reasons))
    assert [(line.reason, line.count, line.steps) for line in found] == [
        ("no permission to read it", 2, ("all steps",)),
        ("the file is empty (0 bytes)", 1, ("all steps",)),
    ]


def test_a_step_that_refuses_by_itself_has_its_own_line():
    columns = {"restoration_status": ["out_of_range", "ok"], "restoration_reason": ["level 9", ""]}
    found = refusals(refused_table(["ok", "ok"], ["", ""], **columns))
    assert [(line.status, line.steps, line.reason) for line in found] == [("out_of_range", ("restoring",), "level 9")]


def test_many_images_are_folded_and_many_reasons_put_together():
    (found,) = refusals(refused_table(["blank"] * 130, ["every pixel is 7"] * 130))
    assert (found.count, len(found.examples), len(found.folded)) == (130, 10, 100)
    lines = refusals(refused_table(["unreadable"] * 20, [f"axes {chr(65 + n)}" for n in range(20)]))
    assert len(lines) == 8
    assert sum(line.count for line in lines) == 20
    assert {line.reason for line in lines if line.count > 1} == {""}


def test_files_of_one_name_are_told_apart_by_the_shortest_ends_of_their_folders():
    files = screen_rows(screen_table(3, file=["/data/a/raw/1.tif", "/data/b/raw/1.tif", "/data/b/raw/2.tif"]))["file"]
    assert names_of(files).short().tolist() == ["a/raw/1.tif", "b/raw/1.tif", "b/raw/2.tif"]
    assert names_of(files[1:]).short().tolist() == ["1.tif", "2.tif"]
    assert ends_of({"raw", "a/raw", "/x/b"}) == {"raw": "raw", "a/raw": "a/raw", "/x/b": "b"}


def test_warnings_of_all_steps_are_counted_by_image_and_explained():
    table = screen_table(
        3,
        warnings=["hot_pixels;partly_saturated", "hot_pixels", ""],
        sorting_warnings=["hot_pixels", "", "pixel_size_um_of_file_not_used"],
        restoration_warnings="optics_assumed",
    )
    found = {each.name: each for each in warned(screen_rows(table))}
    counts = {name: each.count for name, each in found.items()}
    assert counts["optics assumed"] == 3
    assert counts["hot pixels"] == 2
    assert counts["partly saturated"] == counts["pixel size um of file not used"] == 1
    assert found["optics assumed"].meaning == MEANINGS["optics_assumed"]
    assert found["pixel size um of file not used"].meaning.startswith("Pixel size (\u00b5m): what the file says")
