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
    assert "12 images" in told.out
    assert "its rows are safe in screen.csv" in told.err and "is a folder" in told.err
    assert f"Write it later: parfocal report {output}" in told.err


def test_the_summary_says_what_became_of_restoring():
    def told(restore, **counts):
        return summary(ScreenResult(Path("out"), {**COUNTS, **counts}, restore))

    assert "restore" not in told(False)
    assert "Nothing to restore: no image is flagged" in told(True)
    assert "Nothing was restored: why is in screen.csv, column restoration_reason" in told(True, flagged=2)
    assert "not for quantification" in told(True, flagged=2, restored=1)
