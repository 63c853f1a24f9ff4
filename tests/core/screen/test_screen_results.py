from __future__ import annotations

import os
import shutil

import pyarrow.parquet as parquet
import pytest

from parfocal.screen.columns import columns_of, schema_of
from parfocal.screen.keys import KeySet
from parfocal.screen.results import Results, ResultsLost
from parfocal.screen.task import ScreenTask, key_of

COLUMNS = columns_of(False)


def rows_of(file, count=1):
    return [{**dict.fromkeys(COLUMNS), "file": file, "series": n, "defocus_level": 0.1 * n} for n in range(count)]


def filled(folder, count, files_a_part=2, rows=1):
    results = Results(folder, COLUMNS, files_a_part)
    for number in range(count):
        results.add(rows_of(f"/p/{number}.tif", rows))
    results.close()
    return results


def files_in(folder):
    results = Results(folder, COLUMNS)
    results.finish_part()
    return [row["file"] for batch in results.rows() for row in batch.to_pylist()]


def test_a_row_is_on_disk_as_soon_as_it_is_added(tmp_path):
    results = Results(tmp_path, COLUMNS)
    results.add(rows_of("/p/0.tif", 2))
    assert len((tmp_path / "part-000001.jsonl").read_text().splitlines()) == 1


def test_parts_have_one_schema_and_all_rows_with_their_numbers(tmp_path):
    filled(tmp_path, 5, rows=3)
    assert files_in(tmp_path) == [f"/p/{n}.tif" for n in range(5) for _ in range(3)]
    parts = sorted(tmp_path.glob("*.parquet"))
    assert len(parts) == 3 and all(parquet.read_schema(part) == schema_of(COLUMNS) for part in parts)
    assert parquet.read_table(parts[0])["defocus_level"].to_pylist()[:3] == [0.0, 0.1, 0.2]


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_torn_last_line_is_dropped_and_its_file_done_again(tmp_path, cut):
    filled(tmp_path, 3, files_a_part=9)
    journal = tmp_path / "part-000001.jsonl"
    whole = journal.read_bytes()
    last = len(whole) - whole.rstrip(b"\n").rfind(b"\n") - 1
    journal.write_bytes(whole[: len(whole) - (cut if cut > 0 else last - 1)])
    results = Results(tmp_path, COLUMNS)
    assert key_of("/p/2.tif") not in results.done and len(results.done) == 2
    results.add(rows_of("/p/2.tif"))
    results.close()
    assert files_in(tmp_path) == ["/p/0.tif", "/p/1.tif", "/p/2.tif"]


def test_an_end_between_any_two_steps_of_finishing_a_part_loses_and_doubles_nothing(tmp_path, monkeypatch):
    filled(tmp_path / "whole", 3, files_a_part=9)
    for step in ("write", "replace", "delete"):
        folder = tmp_path / step
        shutil.copytree(tmp_path / "whole", folder)
        results = Results(folder, COLUMNS)

        class Ended(BaseException):
            pass

        def end(*_):
            raise Ended

        with monkeypatch.context() as patch, pytest.raises(Ended):
            if step == "write":
                patch.setattr("os.fsync", end)
            elif step == "replace":
                patch.setattr("os.replace", end)
            else:
                patch.setattr("pathlib.Path.unlink", lambda path, **_: path.suffix == ".begun" or end())
            results.finish_part()
        assert (folder / "part-000001.jsonl").exists()
        assert files_in(folder) == ["/p/0.tif", "/p/1.tif", "/p/2.tif"]
        assert sorted(os.listdir(folder)) == ["part-000001.parquet"]


@pytest.mark.skipif(os.name == "nt", reason="no limit to the size of files")
def test_a_disk_that_fills_up_ends_the_run_with_what_to_do_and_what_is_written_stays(tmp_path):
    import resource

    results = Results(tmp_path, COLUMNS)
    results.add(rows_of("/p/0.tif"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    whole = (tmp_path / "part-000001.jsonl").stat().st_size
    # Half a line fits, as at the end of a disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole + 100, limits[1]))
    try:
        with pytest.raises(ResultsLost, match="File too large; mend that and go on with --resume"):
            results.add(rows_of("/p/1.tif"))
        results.close()
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        again = Results(tmp_path, COLUMNS)
        assert len(again.done) == 1
        with pytest.raises(ResultsLost, match="File too large"):
            again.finish_part()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files_in(tmp_path) == ["/p/0.tif"]


def test_rows_that_are_dropped_count_as_not_done(tmp_path):
    filled(tmp_path, 5)
    results = Results(tmp_path, COLUMNS)
    assert results.drop(lambda row: row["file"] in ("/p/1.tif", "/p/4.tif")) == 2
    assert key_of("/p/1.tif") not in results.done and key_of("/p/0.tif") in results.done
    assert files_in(tmp_path) == ["/p/0.tif", "/p/2.tif", "/p/3.tif"]


def test_a_set_of_keys_knows_what_was_added_at_8_bytes_each():
    keys = KeySet(range(0, 200_000, 2))
    assert all(keys.add(n) for n in range(1, 40_000, 2)) and not keys.add(1) and not keys.add(199_998)
    assert len(keys) == 120_000 and 39_999 in keys and 40_001 not in keys and 2**64 - 1 not in keys
    assert keys._sorted.nbytes <= 8 * len(keys)


def test_names_of_pictures_differ_where_folders_or_suffixes_do_and_bytes_that_are_no_text_have_one():
    paths = [
        "/a/plate/x.tif",
        "/b/plate/x.tif",
        "/a/plate/x.png",
        "/a/p.zarr/A/1/0",
        "/a/p.zarr/A/1/1",
        "/a/\udcff.tif",
    ]
    names = [ScreenTask(path).name for path in paths]
    assert len(set(names)) == len(paths) and names[0].startswith("plate-") and names[0].endswith("/x.tif")
    assert names[3].endswith("/p.zarr_A_1_0") and names[5].isascii()
