from __future__ import annotations

import json
import os
import shutil
import socket

import numpy as np
import pandas as pd
import pytest
import tifffile
from conftest import table_of
from screen_stand_ins import full_disk, stand_in

from parfocal import flag_defocused, measure_image_focus, restore_defocus
from parfocal.batch.files import OutputExists
from parfocal.cli.screen_progress import line
from parfocal.registry import read_config, shipped_file
from parfocal.screen import run as runs
from parfocal.screen.begin import clear
from parfocal.screen.screen import screen_files
from parfocal.screen.settings import ScreenSettings
from parfocal.screen.task import ScreenTask
from parfocal.screen.worker import installed_version, screen_file


def test_rows_are_those_of_the_single_commands(small_screen, done):
    table = table_of(done[0])
    assert len(table) == 12 and table["file"].is_unique
    for row in pd.read_csv(done[0] / "screen.csv", float_precision="round_trip").itertuples():
        if row.status == "unreadable":
            assert row.file.endswith("broken_A09.tif") and row.sorting_status == "unreadable"
            continue
        pixels = tifffile.imread(row.file)
        flag = flag_defocused(pixels)
        np.testing.assert_equal(row.defocus_level, measure_image_focus(pixels).estimate.defocus_level)
        np.testing.assert_equal(row.probability, flag.probability)
        assert (row.flagged == flag.flagged) if flag.answered else np.isnan(row.flagged)
        assert (row.plate, row.well, row.site) == ("plate7", os.path.basename(row.file)[2:5], 1)
        if row.restored:
            assert np.array_equal(tifffile.imread(done[0] / row.restored_file), restore_defocus(pixels).image)
        assert bool(row.restored) is (flag.flagged is True and restore_defocus(pixels).restored)
    assert table["restored"].sum() > 0


def test_overlays_are_of_what_is_flagged_or_undecided(done):
    table = table_of(done[0])
    read = table[table["status"] != "unreadable"]
    undecided = (read["flagged"].astype(str) != "False") | (read["status"] != "ok")
    assert ((read["overlay"] != "") == undecided).all()
    assert 0 < undecided.sum() < len(read)
    assert all((done[0] / path).exists() for path in read["overlay"] if path)


def test_progress_tells_how_many_and_of_how_many(done):
    counts = [told.done for told in done[1]]
    assert counts == sorted(counts) and set(counts) == set(range(13)) and done[1][-1].total == 12
    assert line(done[1][0]).endswith("files, waiting for processes to start")
    assert "a second" in line(done[1][-1]) and "waiting" not in line(done[1][-1])


def test_the_record_says_what_the_screen_was_run_with(small_screen, done):
    record = json.loads((done[0] / "run.json").read_text())
    assert record["arguments"] == {"restore": True} and record["inputs"] == [str(small_screen)]
    assert set(record["models"]) == {"focus_quality", "sorting", "restoration"}
    for task, model in record["models"].items():
        assert model == {"name": "default", "sha256": read_config(shipped_file(f"{task}/default"))["sha256"]}
    assert record["counts"]["images"] == 12
    (session,) = record["sessions"]
    assert session["how"] == "finished" and session["begun"] <= session["ended"] == record["ended"]


def test_a_run_is_gone_on_with_only_on_request_and_by_the_same_arguments(small_screen, done):
    with pytest.raises(OutputExists, match="holds a screen: go on with it"):
        screen_files([small_screen], done[0])
    with pytest.raises(ValueError, match="begun otherwise: threshold as by default before, 0.2 now: give"):
        screen_files([small_screen], done[0], {"threshold": 0.2}, resume=True)
    with pytest.raises(ValueError, match="begun otherwise: restore yes before, as by default now: give"):
        screen_files([small_screen], done[0], {"restore": False}, resume=True)
    with pytest.raises(ValueError, match="begun otherwise: paths .*plate7 before, .*broken_A09.tif now: give"):
        screen_files([small_screen / "broken_A09.tif"], done[0], resume=True)
    with pytest.raises(ValueError, match="leave --resume or --overwrite out"):
        screen_files([small_screen], done[0], resume=True, overwrite=True)
    with pytest.raises(ValueError, match="--retry-failed goes with --resume"):
        screen_files([small_screen], done[0], retry_failed=True)
    with pytest.raises(FileNotFoundError, match="no screen that could be gone on with"):
        screen_files([small_screen], done[0].parent / "other", resume=True)


def test_going_on_does_only_files_without_rows_and_starts_no_process_where_there_are_none(
    small_screen, done, monkeypatch, tmp_path
):
    output = tmp_path / "out"
    shutil.copytree(done[0], output)
    monkeypatch.setattr(runs, "connected", lambda place: pytest.fail("nothing is left to do"))
    screen_files([], output, resume=True)
    assert table_of(output).equals(table_of(done[0]))
    monkeypatch.chdir(small_screen.parent)
    screen_files(["plate7/"], output, resume=True)
    record = json.loads((output / "run.json").read_text())
    assert len(record["sessions"]) == 3 and record["inputs"] == [str(small_screen)]


def test_two_runs_leave_the_same_table_whatever_was_done_first(small_screen, done, tmp_path, scheduler):
    screen_files([small_screen], tmp_path / "out", {"restore": True}, scheduler=scheduler)
    tables = [pd.read_csv(output / "screen.csv").drop(columns="seconds") for output in (done[0], tmp_path / "out")]
    assert tables[0].equals(tables[1]) and tables[0]["file"].is_monotonic_increasing


def test_one_process_at_a_time_writes_to_a_folder(small_screen, done):
    from parfocal.screen.lock import only_run

    for paths, resume in (([], True), ([small_screen], False)):
        with only_run(done[0]), pytest.raises(BlockingIOError, match="written by another run"):
            screen_files(paths, done[0], resume=resume)


def test_a_screen_that_cannot_begin_leaves_nothing(small_screen, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no image in"):
        screen_files([tmp_path / "empty"], tmp_path / "out")
    with pytest.raises(ValueError, match="memory_limit must be a size such as 2GB, or auto, got 'lots'"):
        screen_files([small_screen], tmp_path / "out", memory_limit="lots")
    with socket.socket() as unheard, pytest.raises(OSError, match="no scheduler answers at tcp://127.0.0.1:"):
        unheard.bind(("127.0.0.1", 0))  # and nobody listens
        screen_files([small_screen], tmp_path / "out", scheduler=f"tcp://127.0.0.1:{unheard.getsockname()[1]}")
    with monkeypatch.context() as broken, pytest.raises(ValueError, match="as it is configured"):
        broken.setattr(runs, "connected", _refuse)
        screen_files([small_screen], tmp_path / "out")
    monkeypatch.setattr("parfocal.screen.place.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"needs dask and distributed: .*\.\[screen\]"):
        screen_files([small_screen], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _refuse(place):
    raise ValueError("dask-jobqueue cannot use slurm as it is configured")


def test_to_replace_a_run_takes_away_no_folder_that_is_of_none(small_screen, tmp_path):
    (tmp_path / "out" / "results").mkdir(parents=True)
    (tmp_path / "out" / "results" / "mine.txt").touch()
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="results exists, and is of no screen: choose another"):
            screen_files([small_screen], tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / "out" / "results" / "mine.txt").exists()


def test_to_replace_a_run_takes_away_its_report_and_no_other_file_of_that_name(done, tmp_path):
    for text, kept in (("mine", True), ('<meta name="generator" content="Parfocal screen report">', False)):
        output = tmp_path / str(kept)
        shutil.copytree(done[0], output)
        (output / "report.html").write_text(text)
        clear(output)
        assert os.listdir(output) == ["report.html"] * kept


@pytest.mark.current_python
def test_a_file_that_ends_its_process_or_fills_the_memory_becomes_a_row(tmp_path, monkeypatch):
    for name in ("a", "crash", "b", "fat", "c"):
        (tmp_path / f"{name}.tif").touch()
    monkeypatch.setattr(runs, "screen_file", stand_in)
    # Each further try takes one more start of a process.
    monkeypatch.setattr("parfocal.screen.spread._TRIES_ALONE", 1)
    screen_files([tmp_path], tmp_path / "out", workers=1, memory_limit="700MB")
    reasons = {os.path.basename(row.file): row.reason for row in table_of(tmp_path / "out").itertuples()}
    assert reasons.pop("crash.tif").startswith("the process that worked on it died")
    assert reasons.pop("fat.tif").startswith("out of memory")
    assert set(reasons) == {"a.tif", "b.tif", "c.tif"} and set(reasons.values()) == {"not looked at"}


def test_files_that_failed_are_done_again_on_request(small_screen, done, monkeypatch, tmp_path, scheduler):
    output = tmp_path / "out"
    shutil.copytree(done[0], output)
    monkeypatch.setattr(runs, "screen_file", stand_in)
    (output / "restored" / "p").mkdir()
    begun = output / "restored" / "p" / ".x.tif.ome.tif.17.part"
    begun.touch()
    screen_files([], output, scheduler=scheduler, resume=True, retry_failed=True)
    table = table_of(output)
    again = table[table["reason"] == "not looked at"]
    assert list(again["file"]) == [str(small_screen / "broken_A09.tif")] and len(table) == 12
    assert not begun.exists(), "half a picture of a run that was killed"


@pytest.mark.parametrize("folder_is_there", [True, False])
def test_pictures_that_cannot_be_written_are_told_in_the_row_and_the_numbers_stand(
    tmp_path, monkeypatch, blurred, folder_is_there
):
    tifffile.imwrite(tmp_path / "a.tif", blurred[:160, :160])
    if folder_is_there:
        (tmp_path / "run.json").touch()
    # A disk that is really full cannot be had in a test.
    monkeypatch.setattr("parfocal.restoration.batch.worker.write_ome_tiff", full_disk)
    settings = ScreenSettings(str(tmp_path), {"restore": True}, version=installed_version())
    (row,) = screen_file(ScreenTask(str(tmp_path / "a.tif")), settings)
    assert row["status"] == "ok" and row["defocus_level"] > 3 and row["flagged"] and not row["restored"]
    assert row["restoration_status"] == "not_written" and "picture_not_written" in row["warnings"]
    assert ("No space left" if folder_is_there else "is not there on the machine") in row["reason"]


def test_a_worker_of_another_version_ends_the_run_instead_of_mixing_numbers(tmp_path):
    with pytest.raises(ValueError, match="the screen runs 0.0"):
        screen_file(ScreenTask(str(tmp_path / "a.tif")), ScreenSettings(str(tmp_path), {}, version="0.0"))


def test_what_a_restored_file_says_of_itself_is_heeded(done, tmp_path):
    restored = next(path for path in table_of(done[0])["restored_file"] if path)
    settings = ScreenSettings(str(tmp_path), {"restore": True}, overlays="none", version=installed_version())
    (row,) = screen_file(ScreenTask(str(done[0] / restored)), settings)
    assert row["sorting_status"] == row["restoration_status"] == "already_restored"
    assert "restored_image" in row["warnings"] and row["flagged"] is None and not row["restored"]
