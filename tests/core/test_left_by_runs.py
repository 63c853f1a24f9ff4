"""What runs of Parfocal wrote is not taken for images."""

from __future__ import annotations

from pathlib import Path

import pytest

from parfocal.images.reading import find_images
from parfocal.screen.listing import list_tasks

SCREEN = ("run.json", "results/part-000001.parquet", "overlays/p-1/x.png", "restored/p-1/x.ome.tif")
MEASURE = ("measurements.csv", "measurements.parquet", "overlays/x.png", "sharpest/x.tif", "summary.png")
SORT = ("sorting.csv", "sorting.parquet", "summary.png")
RESTORE = ("restoration.csv", "restoration.parquet", "restored/x.ome.tif", "uncertainty/x.ome.tif", "previews/x.png")


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("written", [SCREEN, MEASURE, SORT, RESTORE])
def test_pictures_of_runs_are_left_out_of_folders_and_images_beside_them_are_not(tmp_path, written, caplog):
    touched(tmp_path, "a.tif", "plate/out/b.tif", *(f"plate/out/{name}" for name in written))
    wanted = [tmp_path / "a.tif", tmp_path / "plate" / "out" / "b.tif"]
    assert find_images([tmp_path]) == wanted
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("left out since Parfocal wrote it: ") and str(tmp_path / "plate" / "out") in told
    left_out = []
    tasks = list_tasks([tmp_path], Path("/nowhere"), (), left_out=left_out.append)
    assert sorted(task.path for task in tasks) == [str(path) for path in wanted] and left_out


def test_folders_of_such_names_that_no_run_wrote_are_searched(tmp_path, caplog):
    touched(tmp_path, "restored/a.tif", "overlays/b.tif", "summary.png", "measurements.csv", "run.json")
    assert len(find_images([tmp_path])) == 3 and not caplog.records


def test_a_folder_of_restored_images_that_is_named_itself_is_taken(tmp_path):
    touched(tmp_path, *RESTORE)
    assert find_images([tmp_path / "restored"]) == [tmp_path / "restored" / "x.ome.tif"]
    with pytest.raises(FileNotFoundError, match="no image below the folder .* but what Parfocal wrote"):
        find_images([tmp_path])
