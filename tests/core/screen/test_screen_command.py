from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from parfocal.cli import main
from parfocal.cli.screen import summary
from parfocal.screen.run import ScreenResult

COUNTS = {"images": 5, "not_flagged": 5, "flagged": 0, "undecided": 0, "unreadable": 0, "restored": 0}
COUNTS["pictures_not_written"] = 0


@pytest.mark.current_python
def test_a_screen_whose_report_cannot_be_written_has_not_failed(done, tmp_path, capsys):
    output = tmp_path / "out"
    shutil.copytree(done[0], output)
    (output / "report.html").mkdir()
    assert main(["screen", "-o", str(output), "--resume"]) == 0
    told = capsys.readouterr()
    assert "11 images: " in told.out and "; 1 file unreadable" in told.out
    assert "its rows are safe in screen.csv" in told.err and "is a folder" in told.err
    assert f"Write it later: parfocal report {output}" in told.err


def test_the_summary_says_what_became_of_restoring():
    def told(restore, **counts):
        return summary(ScreenResult(Path("out"), {**COUNTS, **counts}, restore))

    assert "restore" not in told(False)
    assert "Nothing to restore: no image is flagged" in told(True)
    assert "Nothing was restored: why is in screen.csv, column restoration_reason" in told(True, flagged=2)
    assert "not for quantification" in told(True, flagged=2, restored=1)


def test_the_summary_counts_what_could_not_be_read_apart():
    def told(**counts):
        return summary(ScreenResult(Path("out"), {**COUNTS, **counts})).splitlines()[0]

    assert told() == "5 images: 5 sharp"
    assert told(images=3, not_flagged=1, unreadable=2) == "1 image: 1 sharp; 2 files unreadable"
    assert told(images=1, not_flagged=0, unreadable=1) == "0 images; 1 file unreadable"


def test_an_output_that_is_a_file_is_told_so(small_screen, tmp_path, capsys):
    (tmp_path / "load.csv").touch()
    assert main(["screen", str(small_screen), "-o", str(tmp_path / "load.csv")]) == 2
    assert "load.csv is a file: name a folder" in capsys.readouterr().err
