"""`parfocal restore --only-flagged`: a table says which images are restored."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile
from restored_files import restore_here

from parfocal.cli import main
from parfocal.images.metadata import ImageMetadata
from parfocal.restoration.batch.flags import Flag, read_flags
from parfocal.restoration.batch.rows import count_by_outcome, restoration_table


@pytest.fixture
def folder(tmp_path, blurred):
    """A file of two times and two channels, and one with a single image; all defocused."""
    many = np.stack([[blurred, blurred[::-1]], [blurred[:, ::-1], blurred[::-1, ::-1]]])
    tifffile.imwrite(tmp_path / "many.ome.tif", many, ome=True, metadata={"axes": "TCYX"})
    iio.imwrite(tmp_path / "byte.png", (blurred / blurred.max() * 255).astype(np.uint8))
    return tmp_path


def test_only_flagged_images_are_restored(folder, tmp_path):
    table = tmp_path / "sorting.csv"
    channels = [(folder / "many.ome.tif", 0, t, c, (t, c) == (1, 0)) for t in (0, 1) for c in (0, 1)]
    rows = [*channels, (folder / "byte.png", 0, 0, 0, False)]
    pd.DataFrame(rows, columns=["file", "series", "time", "channel", "flagged"]).to_csv(table, index=False)
    flags = read_flags(table)
    many = restore_here(folder / "many.ome.tif", tmp_path, flags=flags)
    assert [row["restored"] for row in many] == [False, False, True, False]
    (left,) = restore_here(folder / "byte.png", tmp_path, flags=flags)
    assert (left["restored"], left["reason"], left["channel"]) == (False, "not flagged in sorting.csv", 0)
    (copied,) = restore_here(folder / "byte.png", tmp_path, flags=flags, all_images=True)
    assert (copied["restored"], copied["reason"]) == (False, "not flagged in sorting.csv")
    assert (tmp_path / copied["restored_file"]).is_file()


def test_images_that_the_table_has_no_answer_for_are_not_called_fine(folder, tmp_path):
    table = tmp_path / "sorting.csv"
    names = ["file", "series", "time", "channel", "flagged", "status", "reason"]
    rows = [
        (folder / "byte.png", 0, 0, 0, None, "blank", "all pixels are 7"),
        (folder / "torn.tif", None, None, None, None, "unreadable", "it ends early"),
        (folder / "many.ome.tif", 0, 0, 0, False, "ok", None),
    ]
    pd.DataFrame(rows, columns=names).to_csv(table, index=False)
    flags = read_flags(table)
    told = {name: restore_here(folder / name, tmp_path, flags=flags)[0] for name in ("byte.png", "torn.tif")}
    assert [row["status"] for row in told.values()] == ["blank", "unreadable"]
    assert [row["answered"] for row in told.values()] == [False, False]
    assert told["byte.png"]["reason"] == "all pixels are 7 (sorting.csv)"
    (copied,) = restore_here(folder / "byte.png", tmp_path, flags=flags, all_images=True)
    assert (copied["status"], copied["restored"]) == ("blank", False)
    rows = [*told.values(), *restore_here(folder / "many.ome.tif", tmp_path, flags=flags)]
    assert count_by_outcome(restoration_table(rows)) == {"not flagged": 1, "refused (blank)": 1, "unreadable": 1}


def test_an_image_that_is_flagged_and_measured_in_focus_says_both(nuclei, tmp_path):
    iio.imwrite(tmp_path / "sharp.png", nuclei)
    (tmp_path / "s.csv").write_text(f"file,flagged\n{tmp_path / 'sharp.png'},True\n")
    (row,) = restore_here(tmp_path / "sharp.png", tmp_path, flags=read_flags(tmp_path / "s.csv"))
    assert (row["status"], row["restored"]) == ("ok", False)
    assert row["reason"].startswith("in focus: level ") and row["reason"].endswith(", though flagged in s.csv")


def test_files_of_a_table_are_looked_for_from_its_own_folder_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plate").mkdir()
    for name in ("a.tif", "b.tif"):
        (tmp_path / "plate" / name).touch()
    (tmp_path / "plate" / "s.csv").write_text("file,flagged\nplate/a.tif,True\nb.tif,\nb.tif,1\n")
    flags = read_flags("plate/s.csv")
    assert flags.of_file(tmp_path / "plate" / "a.tif") == {None: Flag(True)}
    assert flags.of_image(tmp_path / "plate" / "b.tif", ImageMetadata(channel=2)).flagged


def test_a_link_to_nothing_that_the_table_lists_is_not_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plate").mkdir()
    link, table = tmp_path / "plate" / "dangling.tif", tmp_path / "sorted" / "sorting.csv"
    try:
        link.symlink_to(tmp_path / "gone.tif")
    except OSError:
        pytest.skip("links cannot be made here")
    table.parent.mkdir()
    table.write_text("file,flagged,status\nplate/dangling.tif,,unreadable\n")
    flags = read_flags(table)
    flags.check([link])
    assert [flag.status for flag in flags.of_file(link).values()] == ["unreadable"]


def test_files_that_the_table_lacks_are_named(folder, tmp_path, capsys):
    table = tmp_path / "sorting.csv"
    table.write_text(f"file,flagged\n{folder / 'byte.png'},True\n")
    files = [str(folder / name) for name in ("byte.png", "many.ome.tif")]
    command = ["restore", *files, "-o", str(tmp_path / "out"), "--method", "wiener", "--only-flagged", str(table)]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert "1 of the images' files are not in" in told
    assert f"many.ome.tif; the table has files such as {folder / 'byte.png'}. Paths in a table count from" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,defocused\na.tif,1\n", "needs the columns file and flagged, it lacks flagged"),
        ("file,flagged\na.tif,perhaps\n", "flagged must be true or false in .*, got 'perhaps'"),
    ],
)
def test_tables_that_cannot_be_used_say_why(text, message, tmp_path):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_flags(tmp_path / "s.csv")
