from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal.labels.agreement import cohen_kappa, summary_lines
from parfocal.labels.command import label_images
from parfocal.labels.order import LEAST_DISTANCE
from parfocal.labels.pictures import grey_picture
from parfocal.labels.rows import LabelRow, counting_rows, standing_rows
from parfocal.labels.suspects import Suspect, suspected_mislabels, write_suspects
from parfocal.labels.table import labels_of_folder, read_labels

HEADER = "file,label,plane,channel,labelled_at,person,shown,occasion\n"


def write_images(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        iio.imwrite(folder / name, np.arange(64, dtype=np.uint8).reshape(8, 8))


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


def answer_all(session, label):
    """Answer every showing alike; gives the files in the order they were shown."""
    seen = []
    while (view := session.view()) is not None:
        seen.append(view.file)
        session.answer(view.number, label)
    return seen


@pytest.fixture
def folder(tmp_path):
    write_images(tmp_path / "images", [f"{number:02d}.png" for number in range(20)])
    return tmp_path / "images"


def test_a_session_shows_all_images_shuffled_and_a_share_twice_with_others_between(folder):
    seen = answer_all(label_images(str(folder), repeat_share=0.2), "sharp")
    assert len(seen) == 24
    assert sorted(set(seen)) == [f"{number:02d}.png" for number in range(20)]
    firsts = list(dict.fromkeys(seen))
    assert firsts != sorted(firsts)
    twice = [file for file in firsts if seen.count(file) == 2]
    assert len(twice) == 4
    assert all(len(seen) - 1 - seen[::-1].index(file) - seen.index(file) > LEAST_DISTANCE for file in twice)
    others = answer_all(label_images(str(folder), labels=str(folder / "other.csv"), seed=1), "sharp")
    assert list(dict.fromkeys(others)) != firsts


@pytest.mark.parametrize("stop", range(0, 25, 4))
def test_a_session_goes_on_where_another_ended_and_still_shows_the_repeats_that_are_due(stop, folder):
    whole = answer_all(label_images(str(folder), labels=str(folder / "whole.csv"), repeat_share=0.2), "sharp")
    first = label_images(str(folder), repeat_share=0.2)
    begun = []
    while len(begun) < stop:
        begun.append(first.view().file)
        first.answer(first.view().number, "sharp")
    assert begun + answer_all(label_images(str(folder), repeat_share=0.2), "sharp") == whole
    rows = read_labels(folder / "labels.csv")
    assert sorted(row.shown for row in rows) == [1] * 20 + [2] * 4
    assert {(row.shown, row.occasion) for row in rows} == {(1, "first"), (2, "repeat")}


def test_each_person_is_shown_all_images(folder):
    answer_all(label_images(str(folder), person="ada", repeat_share=0), "sharp")
    assert label_images(str(folder), person="ada", repeat_share=0).view() is None
    assert label_images(str(folder), person="bob", repeat_share=0).view().total == 20


def test_every_answer_is_on_disk_at_once_and_undo_takes_it_back_by_a_row(folder):
    session = label_images(str(folder), repeat_share=0)
    table = folder / "labels.csv"
    assert not table.exists()
    first = session.view()
    session.answer(first.number, "sharp")
    assert [row.label for row in read_labels(table)] == ["sharp"]
    assert session.undo()
    assert [row.label for row in read_labels(table)] == ["sharp", "withdrawn"]
    assert counting_rows(read_labels(table)) == {}
    assert session.view() == first
    assert not session.undo()
    session.answer(first.number, "unusable")
    assert counting_rows(read_labels(table))[first.file].label == "unusable"


def test_looking_back_shows_the_answer_and_a_change_of_it_can_be_undone(folder):
    session = label_images(str(folder), repeat_share=0)
    first = session.view()
    session.answer(first.number, "sharp")
    second = session.view()
    session.skip(second.number)
    third = session.view()
    session.move(1)
    assert session.view() == third  # nothing further was shown yet
    session.move(-1)
    session.move(-1)
    assert (session.view().file, session.view().label) == (first.file, "sharp")
    session.move(-1)
    session.answer(first.number, "defocused")
    assert counting_rows(session.rows)[first.file].label == "defocused"
    assert session.view().number == second.number
    session.undo()
    assert session.view().label == "sharp"
    assert counting_rows(session.rows)[first.file].label == "sharp"
    session.undo()  # the image that was skipped
    assert session.view() == second
    session.undo()
    assert session.view() == first
    assert counting_rows(session.rows) == {}
    with pytest.raises(ValueError, match="step must be -1 or 1, got 5"):
        session.move(5)


def test_a_repeat_of_an_image_that_was_skipped_is_left_out(folder):
    session = label_images(str(folder), repeat_share=1.0)
    seen = []
    while (view := session.view()) is not None:
        seen.append(view.file)
        if view.file == "07.png":
            session.skip(view.number)
        else:
            session.answer(view.number, "sharp")
    assert seen.count("07.png") == 1
    assert len(seen) == 39
    assert label_images(str(folder)).view().file == "07.png"


def test_an_answer_to_another_image_or_with_another_label_changes_nothing(folder):
    session = label_images(str(folder))
    shown = session.view()
    with pytest.raises(ValueError, match="another image is shown by now: 0, the answer was to 1"):
        session.answer(1, "sharp")
    with pytest.raises(ValueError, match="must be one of sharp, defocused, unusable, got 'blurred'"):
        session.answer(shown.number, "blurred")
    with pytest.raises(ValueError, match="must be one of sharp, defocused, unusable, got 'plane'"):
        session.answer(shown.number, "plane", 0)
    assert session.view() == shown
    assert not (folder / "labels.csv").exists()


def test_the_sharp_plane_of_a_stack_is_marked(tmp_path, nucleus_stack):
    tifffile.imwrite(tmp_path / "stack.tif", nucleus_stack)
    session = label_images(str(tmp_path))
    view = session.view()
    assert (view.n_planes, view.plane) == (9, 4)
    for label, plane, message in (
        ("sharp", None, "stack must be one of plane, unusable"),
        ("plane", 9, r"in \[0, 8\], got 9"),
        ("plane", None, "got None"),
        ("plane", True, "got True"),
    ):
        with pytest.raises(ValueError, match=message):
            session.answer(0, label, plane)
    session.answer(0, "plane", 5)
    session.move(-1)
    assert (session.view().plane, session.view().label) == (5, "plane")
    assert [(image.label, image.plane) for image in labels_of_folder(tmp_path)] == [("plane", 5)]


def test_files_that_cannot_be_read_are_passed_over_with_the_reason(tmp_path, nuclei):
    iio.imwrite(tmp_path / "good.png", nuclei)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "bad.tif").write_text("no image")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:2000])
    np_file = np.zeros((2, 3, 40, 50, 60), np.uint8)
    tifffile.imwrite(tmp_path / "axes.tif", np_file, metadata={"axes": "QQZYX"}, ome=False)
    session = label_images(str(tmp_path))
    assert answer_all(session, "sharp") == ["good.png"]
    assert set(session.unreadable) == {"empty.png", "bad.tif", "cut.png", "axes.tif"}
    assert session.unreadable["empty.png"] == "the file is empty (0 bytes)"


def test_a_channel_is_chosen_and_labels_of_two_channels_are_not_mixed(tmp_path):
    channels = np.stack([np.zeros((32, 32), np.uint8), np.arange(1024, dtype=np.uint8).reshape(32, 32)])
    tifffile.imwrite(tmp_path / "two.ome.tif", channels, metadata={"axes": "CYX"})
    iio.imwrite(tmp_path / "one.png", channels[1])
    session = label_images(str(tmp_path), channel=1)
    assert iio.imread(session.pictures.png(tmp_path / "two.ome.tif", 0, 1.0)).max() == 255
    assert answer_all(session, "sharp") == ["two.ome.tif"]
    assert session.unreadable == {"one.png": "the file has no image of channel 1"}
    assert labels_of_folder(tmp_path)[0].channel == 1
    with pytest.raises(ValueError, match="holds labels of channel 1, got channel 0"):
        label_images(str(tmp_path))


def test_a_table_of_ones_own_is_added_to_where_its_columns_allow_and_keeps_what_is_in_it(folder):
    table = folder / "labels.csv"
    kept = "file,label,plane,channel,labelled_at,person,shown,field,note,occasion\n00.png,sharp,,,,,1,left,mine,first"
    table.write_text(kept)
    session = label_images(str(folder), repeat_share=0)
    answer_all(session, "defocused")
    assert table.read_text().startswith(kept + "\n")
    assert len(read_labels(table)) == 20
    table.write_text("file,label\n00.png,sharp\n")
    with pytest.raises(ValueError, match="lacks the columns plane, channel, labelled_at, person, shown, occasion"):
        label_images(str(folder))


def test_the_rest_of_a_write_that_was_cut_off_is_removed_before_the_next_answer(folder):
    table = folder / "labels.csv"
    table.write_text(HEADER + "00.png,sharp,,0,,,1,first\n01.png,defoc")
    session = label_images(str(folder), repeat_share=0)
    assert table.read_text().endswith("01.png,defoc")  # nothing is changed by looking
    answer_all(session, "unusable")
    assert {row.file: row.label for row in read_labels(table)} == {
        "00.png": "sharp",
        **{f"{number:02d}.png": "unusable" for number in range(1, 20)},
    }


def test_names_with_commas_quotes_and_umlauts_come_back(tmp_path):
    names = ['a,"b".png', "zwölf µm.png", " blank.png"]
    write_images(tmp_path, names)
    answer_all(label_images(str(tmp_path), person='Ada, "A"'), "sharp")
    assert sorted(image.path.name for image in labels_of_folder(tmp_path)) == sorted(names)
    assert {row.person for row in read_labels(tmp_path / "labels.csv")} == {'Ada, "A"'}


def test_pictures_are_stretched_by_percentiles_and_survive_nan_and_constant_planes():
    ramp = np.arange(10000, dtype=np.float64).reshape(100, 100)
    grey = grey_picture(ramp, 1.0)
    assert (grey.min(), grey.max()) == (0, 255)
    assert grey[50, 0] == round(255 * (5000 - 49.995) / (9989.001 - 49.995))
    assert (grey_picture(ramp, 0.5) >= grey).all()
    ramp[:2] = np.nan
    assert (grey_picture(ramp, 1.0)[:2] == 0).all()
    for blank in (np.full((9, 9), 7.0), np.full((9, 9), np.nan), np.full((9, 9), np.inf)):
        assert not grey_picture(blank, 0.7).any()
    hot = np.zeros((100, 100), np.uint16)
    hot[3, 4] = 65535
    assert np.flatnonzero(grey_picture(hot, 1.0)).tolist() == [304]


def test_kappa_is_that_of_an_example_worked_by_hand():
    # 20 + 15 of 50 agree: 0.7; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5; (0.7 - 0.5) / (1 - 0.5) = 0.4.
    first = ["sharp"] * 25 + ["defocused"] * 25
    second = ["sharp"] * 20 + ["defocused"] * 5 + ["sharp"] * 10 + ["defocused"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4, abs=1e-12)
    assert cohen_kappa(first, first) == 1.0
    assert np.isnan(cohen_kappa([], []))
    assert np.isnan(cohen_kappa(["sharp"] * 3, ["sharp"] * 3))


def test_agreement_is_told_of_repeats_and_between_persons_and_second_looks_do_not_count():
    rows = [
        LabelRow("a", "sharp", person="ada"),
        LabelRow("b", "defocused", person="ada"),
        LabelRow("s", "plane", 3, person="ada"),
        LabelRow("a", "sharp", person="ada", shown=2, occasion="repeat"),
        LabelRow("b", "sharp", person="ada", shown=2, occasion="repeat"),
        LabelRow("s", "plane", 5, person="ada", shown=2, occasion="repeat"),
        LabelRow("a", "unusable", person="ada", shown=3, occasion="suspect"),
        LabelRow("a", "sharp", person="bob"),
        LabelRow("b", "defocused", person="bob"),
        LabelRow("c", "sharp", person="bob"),
    ]
    assert summary_lines(rows) == [
        "4 images have a label: 2 sharp, 1 defocused, 0 unusable, 1 with a sharp plane",
        "images shown twice to ada: 2, 50% equal, Cohen's kappa 0.00",
        "stacks shown twice to ada: 1, 0% the same plane, median distance 2 planes",
        "images labelled by ada and by bob: 2, 100% equal, Cohen's kappa 1.00",
    ]


def test_suspects_are_those_that_the_model_puts_into_the_other_class_as_surely_as_its_own():
    files = ["a", "b", "c", "d", "e", "f", "g", "h"]
    labels = ["sharp", "sharp", "sharp", "defocused", "defocused", "defocused", "unusable", "sharp"]
    probabilities = [0.1, 0.75, 0.97, 0.9, 0.8, 0.05, 0.9, float("nan")]
    # Mean confidence: defocused (0.9 + 0.8 + 0.05) / 3 = 0.583, sharp (0.9 + 0.25 + 0.03) / 3 = 0.393.
    found = suspected_mislabels(files, labels, probabilities)
    assert found == (
        Suspect("c", "sharp", 0.97),
        Suspect("f", "defocused", 0.05),
        Suspect("b", "sharp", 0.75),
    )
    # A model that is sure of the defocused ones has to be as sure before it doubts a sharp one.
    sure = suspected_mislabels(["a", "b", "d", "e"], ["sharp", "sharp", "defocused", "defocused"], [0, 0.75, 0.9, 0.8])
    assert sure == ()
    assert suspected_mislabels(["a"], ["sharp"], [0.99]) == ()
    with pytest.raises(ValueError, match="of one length, got 1, 1 and 2"):
        suspected_mislabels(["a"], ["sharp"], [0.1, 0.2])
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 1.5"):
        suspected_mislabels(["a"], ["sharp"], [1.5])


def test_suspects_alone_are_shown_again_and_once_only(folder, tmp_path):
    answer_all(label_images(str(folder), repeat_share=0), "sharp")
    suspects = tmp_path / "suspects.csv"
    write_suspects(suspects, [Suspect("03.png", "sharp", 0.9), Suspect(str(folder / "05.png"), "sharp", 0.8)])
    session = label_images(str(folder), suspects=str(suspects))
    assert session.view().total == 2
    session.answer(session.view().number, "defocused")
    assert len(answer_all(label_images(str(folder), suspects=str(suspects)), "defocused")) == 1
    last = read_labels(folder / "labels.csv")[20:]
    assert sorted(row.file for row in last) == ["03.png", "05.png"]
    assert {(row.shown, row.occasion) for row in last} == {(2, "suspect")}
    assert sum(image.label == "defocused" for image in labels_of_folder(folder)) == 2
    write_suspects(suspects, [Suspect("gone.png", "sharp", 0.9)])
    session = label_images(str(folder), suspects=str(suspects))
    assert session.view() is None
    assert "but it is not in" in session.unreadable["gone.png"]
    suspects.write_text("name\nx\n")
    with pytest.raises(ValueError, match="must have the column file, has name"):
        label_images(str(folder), suspects=str(suspects))


def test_a_folder_that_is_not_there_or_holds_no_image_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        label_images(str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="no image below"):
        label_images(str(tmp_path))
    with pytest.raises(ValueError, match=r"repeat_share must be in \[0.0, 1.0\]"):
        label_images(str(tmp_path), repeat_share=1.5)
