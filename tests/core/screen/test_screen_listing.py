from __future__ import annotations

import os
import tracemalloc
from itertools import islice

import pandas as pd
import pytest

from parfocal.screen import listing
from parfocal.screen.keys import KeySet
from parfocal.screen.listing import check_inputs, list_tasks
from parfocal.screen.task import ScreenTask, folded_key


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def listed(paths, output="/nowhere"):
    from pathlib import Path

    return list(list_tasks(paths, Path(output), ("results", "restored")))


def names(tasks):
    return sorted(os.path.basename(task.path) for task in tasks)


def test_folders_patterns_and_files_that_overlap_give_each_file_once(tmp_path):
    touched(tmp_path, "a.tif", "sub/b.png", "sub/deep/c.TIFF", "notes.txt", ".hidden.tif", "x_thumb.tif")
    given = [tmp_path, tmp_path / "a.tif", f"{tmp_path}/sub/*.png", f"{tmp_path}/./sub", f"{tmp_path}/**/*.TIFF"]
    tasks = listed(given)
    assert names(tasks) == ["a.tif", "b.png", "c.TIFF"] and all(os.path.isabs(task.path) for task in tasks)


def test_what_a_run_writes_into_its_output_folder_is_no_input(tmp_path):
    touched(tmp_path, "a.tif", "out/restored/a.ome.tif", "out/b.tif")
    assert names(listed([tmp_path], tmp_path / "out")) == ["a.tif", "b.tif"]


def test_the_first_file_is_there_before_the_second_folder_is_listed(tmp_path, monkeypatch):
    touched(tmp_path, *(f"p{n}/x{m}.tif" for n in range(3) for m in range(3)))
    opened, scandir = [], os.scandir
    monkeypatch.setattr("parfocal.images.reading.os.scandir", lambda path: opened.append(path) or scandir(path))
    next(listing.list_tasks([tmp_path], tmp_path / "out", ()))
    assert len(opened) == 2  # the folder itself and the first below


@pytest.mark.current_python
def test_memory_grows_by_no_more_than_the_keys_of_100_000_listed_files(tmp_path, monkeypatch):
    # So many files would take longer to make than to list.
    files = (ScreenTask(f"/p/{n}.tif") for n in range(100_000))
    monkeypatch.setattr(listing, "_tasks_of", lambda given, left_out: files)
    monkeypatch.setattr("parfocal.screen.keys._RECENT", 1 << 11)
    tasks = list_tasks(["any"], tmp_path, ())
    assert sum(1 for _ in islice(tasks, 90_000)) == 90_000
    tracemalloc.start()
    assert sum(1 for _ in islice(tasks, 9_999)) == 9_999
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    # All keys are sorted in anew meanwhile, two of 8 bytes a file; the others wait. A path takes 400 bytes.
    assert grown < 100_000 * 16 + 2 * (1 << 11) * 100 < 9_999 * 250


def test_files_alike_but_for_capitals_have_names_of_their_own_whichever_is_listed_first(tmp_path):
    touched(tmp_path, "p/x.tif", "p/X.tif", "p/y.tif")
    tasks = listed([tmp_path])
    if len(tasks) < 3:
        pytest.skip("this disk does not tell capitals apart")
    assert len({task.name.casefold() for task in tasks}) == 3
    (first,) = [task for task in tasks if not task.alike and task.path.endswith(("x.tif", "X.tif"))]
    known = KeySet([folded_key(first.path)])
    later = [task for task in list_tasks([tmp_path], tmp_path / "out", (), known) if task.path != first.path]
    assert first.name.casefold() not in {task.name.casefold() for task in later}


def test_a_folder_that_cannot_be_listed_is_told_and_the_others_are_listed(tmp_path, monkeypatch):
    touched(tmp_path, "a/x.tif", "b/y.tif", "c/z.tif")
    scandir = os.scandir

    def refuse(path):
        if os.path.basename(path) == "b":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    # Whoever runs the tests as root may list any folder.
    monkeypatch.setattr("parfocal.images.reading.os.scandir", refuse)
    tasks = listed([tmp_path])
    assert names(task for task in tasks if not task.problem) == ["x.tif", "z.tif"]
    assert [task.problem for task in tasks if task.problem] == ["the folder cannot be listed: Permission denied"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_list_as_loaddata_takes_it_gives_each_image_with_its_place_and_channel(tmp_path, suffix):
    touched(tmp_path, "p/a w1.tif", "p/a w2.tif")
    table = pd.DataFrame(
        {
            "Metadata_Plate": [7],
            "Metadata_Well": ["b3"],
            "Metadata_Site": [2],
            "Image_FileName_DNA": ["a w1.tif"],
            "Image_PathName_DNA": [str(tmp_path / "p")],
            "Image_URL_RNA": [(tmp_path / "p" / "a w2.tif").as_uri()],
        }
    )
    path = tmp_path / f"list{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    place = {"plate": "7", "well": "B03", "site": "2"}
    found = {os.path.basename(task.path): task.told for task in listed([path])}
    assert found == {"a w1.tif": {**place, "channel_name": "DNA"}, "a w2.tif": {**place, "channel_name": "RNA"}}


def test_a_list_with_a_column_file_begins_at_its_own_folder_and_other_addresses_are_refused_by_row(tmp_path):
    touched(tmp_path, "p/a.tif")
    (tmp_path / "list.csv").write_text("file,plate\np/a.tif,P1\nhttps://host/b.tif,P1\n")
    tasks = listed([tmp_path / "list.csv"])
    assert tasks[0].path == str(tmp_path / "p" / "a.tif") and tasks[0].told == {"plate": "P1"}
    assert tasks[1].problem == "https addresses are not read, only files"


def test_a_frame_of_a_list_does_not_name_the_channel_of_its_whole_file(tmp_path):
    (tmp_path / "list.csv").write_text("FileName_DNA,Frame_DNA,FileName_RNA,Frame_RNA\na.tif,0,a.tif,1\n")
    assert [task.told for task in listed([tmp_path / "list.csv"])] == [{}]


def test_inputs_that_are_not_there_are_named_before_any_work(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder: .*gone"):
        check_inputs([tmp_path / "gone"])
    with pytest.raises(FileNotFoundError, match="nothing matches"):
        check_inputs([f"{tmp_path}/*.tif"])
    (tmp_path / "list.csv").write_text("name\na.tif\n")
    with pytest.raises(ValueError, match="Image_FileName_DNA.* it has name"):
        check_inputs([tmp_path / "list.csv"])


def test_what_a_list_says_of_a_file_counts_also_after_a_folder_that_has_it(tmp_path):
    touched(tmp_path, "p/x_A01.tif")
    table = {"Image_PathName_DNA": [str(tmp_path / "p")], "Image_FileName_DNA": ["x_A01.tif"], "Metadata_Well": ["C07"]}
    pd.DataFrame(table).to_csv(tmp_path / "list.csv", index=False)
    (task,) = listed([tmp_path / "p", tmp_path / "list.csv"])
    assert task.told["well"] == "C07"
