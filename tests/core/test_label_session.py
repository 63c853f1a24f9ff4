"""A session of labelling: order, answers, undo, stacks, tables that are there already."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from labelling import answer_all, write_images

from parfocal.labels.command import label_images
from parfocal.labels.order import LEAST_DISTANCE
from parfocal.labels.pictures import grey_picture
from parfocal.labels.rows import counting_rows
from parfocal.labels.table import labels_of_folder, read_labels

HEADER = "file,label,plane,channel,labelled_at,person,shown,occasion\n"


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
