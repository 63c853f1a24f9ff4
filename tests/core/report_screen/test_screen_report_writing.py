from __future__ import annotations

import os

import pytest
from report_screens import screen_table, write_screen

from parfocal.batch.files import OutputExists
from parfocal.report.screen import write, write_screen_report
from parfocal.report.screen.target import ReportNotWritten, write_page
from parfocal.screen.columns import columns_of
from parfocal.screen.results import Results, unfinished_rows

pytestmark = pytest.mark.current_python


def test_only_a_report_is_replaced_without_being_asked(tmp_path):
    folder = write_screen(tmp_path, screen_table())
    assert write_screen_report(folder) == write_screen_report(folder)
    (folder / "report.html").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputExists, match="no report of a screen"):
        write_screen_report(folder)
    assert (folder / "report.html").read_text(encoding="utf-8") == "mine"
    write_screen_report(folder, overwrite=True)
    assert [path.name for path in folder.iterdir() if "part" in path.name] == []


def test_a_report_that_cannot_be_written_says_why_and_what_to_do(tmp_path):
    folder = write_screen(tmp_path / "out", screen_table())
    (tmp_path / "file").touch()
    with pytest.raises(ReportNotWritten, match="file is a file, not a folder; choose another file"):
        write_screen_report(folder, tmp_path / "file" / "report.html")
    with pytest.raises(ReportNotWritten, match="is a folder: give the name of an HTML file, such as -o "):
        write_screen_report(folder, tmp_path)
    with pytest.raises(ReportNotWritten, match="give it a shorter name, or choose another file"):
        write_screen_report(folder, tmp_path / ("x" * 300))
    assert write_screen_report(folder, tmp_path / "new" / "folder" / "r.html").exists()


@pytest.mark.skipif(os.name == "nt", reason="no limit to the size of files")
def test_a_report_for_which_there_is_no_room_leaves_the_one_before(tmp_path):
    import resource

    (tmp_path / "r.html").write_text("before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ReportNotWritten, match="File too large; .* or choose another file"):
            write_page(tmp_path / "r.html", "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_results_that_cannot_be_read_are_told(tmp_path):
    folder = write_screen(tmp_path, screen_table())
    (folder / "results" / "part-000001.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="the results in .* cannot be read"):
        write_screen_report(folder)


def test_a_part_that_becomes_whole_while_it_is_read_counts_once(tmp_path, monkeypatch):
    columns = columns_of(False)
    results = Results(tmp_path / "results", columns)
    for name in ("a", "b"):
        results.add([{**dict.fromkeys(columns), "file": f"/p/{name}.tif", "status": "ok", "answered": True}])

    def read_late(folder):
        found = unfinished_rows(folder)
        results.finish_part()
        return found

    monkeypatch.setattr("parfocal.screen.results.unfinished_rows", read_late)
    assert len(write._read_results(tmp_path)) == 2
