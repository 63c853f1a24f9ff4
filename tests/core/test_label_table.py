"""Labels in tables and in the names of folders."""

from __future__ import annotations

import pytest
from labelling import write_images

from parfocal.labels.rows import LabelRow, counting_rows, standing_rows
from parfocal.labels.table import labels_of_folder, read_labels

HEADER = "file,label,plane,channel,labelled_at,person,shown,occasion\n"


def test_the_label_that_counts_is_the_latest_that_stands():
    rows = [
        LabelRow("a", "sharp"),
        LabelRow("b", "sharp"),
        LabelRow("a", "defocused", shown=2, occasion="repeat"),
        LabelRow("b", "unusable"),  # the same showing answered again: looked back and changed
        LabelRow("a", "withdrawn", shown=2, occasion="repeat"),
        LabelRow("c", "sharp"),
        LabelRow("c", "withdrawn"),
    ]
    assert {file: row.label for file, row in counting_rows(rows).items()} == {"a": "sharp", "b": "unusable"}
    assert [(row.file, row.label) for row in standing_rows(rows)] == [("a", "sharp"), ("b", "unusable")]


def test_labels_of_a_folder_come_from_its_table(tmp_path):
    write_images(tmp_path, ["p/x_A01_s1_w1.png", "p/x_A01_s1_w2.png", "b.png", "unlabelled.png"])
    (tmp_path / "labels.csv").write_text(
        HEADER
        + "p/x_A01_s1_w2.png,defocused,,0,,,1,first\n"
        + "p/x_A01_s1_w1.png,sharp,,,,ada,1,first\n"
        + "b.png,plane,3,,,,1,first\n"
    )
    images = labels_of_folder(tmp_path)
    assert [image.path.relative_to(tmp_path).as_posix() for image in images] == [
        "b.png",
        "p/x_A01_s1_w1.png",
        "p/x_A01_s1_w2.png",
    ]
    assert [(image.label, image.plane, image.field) for image in images] == [
        ("plane", 3, "b"),
        ("sharp", None, "A01_1"),
        ("defocused", None, "A01_1"),
    ]


def test_a_column_field_counts_more_than_the_file_name_and_other_columns_may_be_absent(tmp_path):
    write_images(tmp_path, ["A01.png", "b.png"])
    (tmp_path / "mine.csv").write_text("label,file,field\nsharp,A01.png,left\ndefocused,b.png,\n")
    assert [image.field for image in labels_of_folder(tmp_path, tmp_path / "mine.csv")] == ["left", "b"]


def test_folders_named_after_the_labels_do_where_there_is_no_table(tmp_path):
    write_images(tmp_path, ["Sharp/A01.png", "defocused/deep/A01.tif", "defocused/x.png", "others/y.png"])
    (tmp_path / "unusable").mkdir()
    found = [(image.path.name, image.label, image.field) for image in labels_of_folder(tmp_path)]
    assert found == [("A01.png", "sharp", "A01"), ("A01.tif", "defocused", "A01"), ("x.png", "defocused", "x")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a.png,blurred,,0,,,1,first\n", r"line 2: label must be one of sharp, .*, got 'blurred'"),
        ("a.png,sharp,,0,,,1,first\nb.png,sharp\n", r"line 3: 8 values needed, one a column, got 2"),
        ("a.png,plane,,0,,,1,first\n", r"line 2: plane must be a whole number from 0, got ''"),
        ("a.png,plane,-1,,,,1,first\n", r"line 2: plane must be a whole number from 0, got '-1'"),
        ("a.png,sharp,2,,,,1,first\n", r"line 2: plane must be empty where the label is sharp, got '2'"),
        ("a.png,sharp,,,,,0,first\n", r"line 2: shown must be a whole number from 1, got '0'"),
        ("a.png,sharp,,,,,1,once\n", r"line 2: occasion must be one of first, repeat, suspect, got 'once'"),
        (",sharp,,0,,,1,first\n", r"line 2: file is empty"),
        ('a.png,"sha"rp,,0,,,1,first\n', r"line 2: "),
    ],
)
def test_damaged_rows_are_refused_with_their_line(rows, message, tmp_path):
    (tmp_path / "labels.csv").write_text(HEADER + rows)
    with pytest.raises(ValueError, match=message):
        read_labels(tmp_path / "labels.csv")


@pytest.mark.parametrize(("text", "there"), [("file;label\na;sharp\n", "file;label"), ("", "none"), ("file\n", "file")])
def test_missing_columns_are_named(text, there, tmp_path):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"must have the columns file, label: .*label missing, has {there}"):
        read_labels(tmp_path / "labels.csv")


def test_the_rest_of_a_write_that_was_cut_off_is_left_out(tmp_path):
    table, row = tmp_path / "labels.csv", "b.png,sharp,,0,2026-01-02T03:04:05+00:00,ada,1,first\n"
    for length in range(1, len(row) - 1):
        table.write_text(HEADER + "a.png,sharp,,0,,,1,first\n" + row[:length])
        assert [found.file for found in read_labels(table)] == ["a.png"]
    table.write_text(HEADER + "a.png,sharp,,0,,,1,first\n" + row[:-1])
    assert [found.file for found in read_labels(table)] == ["a.png", "b.png"]


def test_labelled_files_that_are_gone_and_folders_without_labels_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        labels_of_folder(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"no labels in .* needs labels.csv .* sharp, defocused, unusable"):
        labels_of_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such table of labels"):
        labels_of_folder(tmp_path, tmp_path / "nowhere.csv")
    write_images(tmp_path, ["a.png"])
    (tmp_path / "labels.csv").write_text("file,label\na.png,sharp\nb.png,sharp\n")
    with pytest.raises(FileNotFoundError, match="1 of 2 files of .* are gone, such as .*b.png"):
        labels_of_folder(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label\na.png,withdrawn\n")
    with pytest.raises(ValueError, match="holds no label yet"):
        labels_of_folder(tmp_path)
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not text in UTF-8"):
        labels_of_folder(tmp_path)
