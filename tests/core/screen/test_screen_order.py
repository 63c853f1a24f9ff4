from __future__ import annotations

import os

import pandas as pd

from parfocal.screen import table as tables
from parfocal.screen.columns import columns_of
from parfocal.screen.counts import Counts
from parfocal.screen.listing import list_tasks
from parfocal.screen.order import RowOrder
from parfocal.screen.results import Results
from parfocal.screen.table import write_csv

COLUMNS = columns_of(False)


def results_of(folder, files):
    """Results in the order in which files were done, two rows of each."""
    results = Results(folder, COLUMNS, files_a_part=3)
    texts = {name: "" for name, kind in COLUMNS.items() if kind == "text"}
    for file in files:
        row = {**dict.fromkeys(COLUMNS), **texts, "file": file, "status": "ok"}
        results.add([{**row, "series": n, "flagged": n == 1} for n in range(2)])
    results.finish_part()
    return results


def test_rows_come_by_name_whichever_file_was_done_first(tmp_path, monkeypatch):
    files = [f"/p/{n:02d}.tif" for n in (7, 3, 9, 1, 0, 4, 8, 2, 6, 5)]
    results, tables_written = results_of(tmp_path / "results", files), []
    for at_once in (1 << 17, 7):
        monkeypatch.setattr(tables, "_SORTED_AT_ONCE", at_once)
        counts = Counts()
        write_csv(results, RowOrder().places(results), tmp_path / "t.csv", counts)
        tables_written.append(pd.read_csv(tmp_path / "t.csv"))
        assert (counts.told()["images"], counts.told()["flagged"]) == (20, 10)
    assert list(tables_written[0]["file"]) == [file for file in sorted(files) for _ in range(2)]
    assert list(tables_written[0]["series"]) == [0, 1] * 10
    assert tables_written[1].equals(tables_written[0])


def test_rows_of_a_list_come_as_the_list_has_them_and_before_those_of_folders(tmp_path):
    names = [str(tmp_path / f"{letter}.tif") for letter in "abcde"]
    for name in names:
        open(name, "w").close()
    (tmp_path / "list.csv").write_text("file\nd.tif\nb.tif\n")
    order = RowOrder()
    tasks = list(order.noted(list_tasks([tmp_path, tmp_path / "list.csv"], tmp_path / "out", ())))
    results = results_of(tmp_path / "results", sorted((task.path for task in tasks), reverse=True))
    write_csv(results, order.places(results), tmp_path / "t.csv", Counts())
    found = [os.path.basename(name)[0] for name in pd.read_csv(tmp_path / "t.csv")["file"][::2]]
    assert found == list("dbace")
