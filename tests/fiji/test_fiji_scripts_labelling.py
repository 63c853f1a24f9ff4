"""Labelling in an ordinary Fiji, by real keys: the worker has the session, and the table is that of every front."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from test_fiji_labelling import ITEM, NUCLEI, STACK_ZYX, order, write_turned

from parfocal.labels.pictures import grey_picture
from parfocal.labels.table import labels_of_folder, read_labels


@pytest.fixture
def small(tmp_path):
    return write_turned(tmp_path)


def begin(fiji, folder, **given):
    """Begin a session; what is shown first."""
    answer = fiji.run(ITEM, {"folder": str(folder), **given})
    assert not answer["thrown"], answer["thrown"]
    return fiji.labelling()


def test_images_are_labelled_by_the_keys_of_the_browser(ordinary_window, tmp_path):
    folder = tmp_path / "images of all kinds"
    folder.mkdir()
    iio.imwrite(folder / "a8.png", NUCLEI)
    tifffile.imwrite(folder / "b16.tif", NUCLEI.astype(np.uint16) * 40)
    tifffile.imwrite(folder / "stack.tif", STACK_ZYX)
    (folder / "broken.tif").write_text("no image")
    shown = begin(ordinary_window, folder, person="ada", repeat_share=0.0)
    answers = {"a8.png": "s", "b16.tif": "d", "stack.tif": "enter"}
    for file in [name for name in order(folder, repeat_share=0.0) if name != "broken.tif"]:
        assert file in shown["lines"][0] and shown["title"] == file
        ordinary_window.labelled_picture(str(tmp_path / "seen.tif"))
        pixels = STACK_ZYX[4] if file == "stack.tif" else iio.imread(folder / file)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "seen.tif"), grey_picture(pixels, 0.7))
        if file == "stack.tif":
            assert ordinary_window.press_in_labelling("s")["lines"][1].startswith("A stack: go to its sharp plane")
            assert "plane 6 of 9" in ordinary_window.press_in_labelling("up")["lines"][0]
            assert "plane 3 of 9" in ordinary_window.drag_bar(2)["lines"][0]
        shown = ordinary_window.press_in_labelling(answers[file])
    assert shown["lines"][1].startswith("1 file was left out, the last broken.tif: the name says TIFF")
    ordinary_window.press_key("escape")
    assert ordinary_window.labelling_ended("labels in")[-4:] == [
        "Label Images: Every image that can be read has an answer or was shown.",
        "left out: broken.tif: the name says TIFF, the content is something else",
        "3 images have a label: 1 sharp, 1 defocused, 0 unusable, 1 with a sharp plane",
        f"labels in {folder / 'labels.csv'}",
    ]
    labels = {image.path.name: (image.label, image.plane) for image in labels_of_folder(folder)}
    assert labels == {"a8.png": ("sharp", None), "b16.tif": ("defocused", None), "stack.tif": ("plane", 2)}
    assert {row.person for row in read_labels(folder / "labels.csv")} == {"ada"}


def test_a_closed_window_keeps_the_answers_the_next_session_goes_on_and_undo_takes_back(ordinary_window, small):
    first, second, third = order(small, repeat_share=0.0)
    assert first in begin(ordinary_window, small, repeat_share=0.0)["lines"][0]
    assert second in ordinary_window.press_in_labelling("d")["lines"][0]
    ordinary_window.close_labelling()
    assert ordinary_window.labelling_ended("labels in") == [
        "Label Images: 1 images have a label: 0 sharp, 1 defocused, 0 unusable",
        f"labels in {small / 'labels.csv'}",
    ]
    assert second in begin(ordinary_window, small, repeat_share=0.0)["lines"][0]
    assert third in ordinary_window.press_in_labelling("space")["lines"][0]
    assert second in ordinary_window.press_in_labelling("left")["lines"][0]
    ordinary_window.press_in_labelling("s")
    assert ordinary_window.press_in_labelling("back_space")["lines"][0].endswith(second)
    ordinary_window.press_key("escape")
    ordinary_window.labelling_ended("labels in")
    rows = [(row.file, row.label) for row in read_labels(small / "labels.csv")]
    assert rows == [(first, "defocused"), (second, "sharp"), (second, "withdrawn")]


def test_images_shown_twice_are_compared_at_the_end_and_with_nothing_left_no_window_opens(ordinary_window, small):
    begin(ordinary_window, small, repeat_share=1.0)
    for key in "sdssds":
        ordinary_window.press_in_labelling(key)
    ordinary_window.press_key("escape")
    told = ordinary_window.labelling_ended("labels in")
    assert told[-2].startswith("images shown twice: 3, ")
    assert told[-3].startswith("3 images have a label: ")
    title, text = ordinary_window.message(ITEM, {"folder": str(small), "repeat_share": 1.0})
    assert title == "Label Images" and text.startswith("Every image that can be read has an answer")
    ordinary_window.labelling_ended("labels in")


def test_a_key_that_is_held_labels_one_image_and_one_to_one_shows_a_part_that_arrows_move(ordinary_window, tmp_path):
    for name in ("large1", "large2"):
        iio.imwrite(tmp_path / f"{name}.png", np.tile(NUCLEI, (6, 8)))
    assert begin(ordinary_window, tmp_path, repeat_share=0.0)["part_xywh"] == [0, 0, 2048, 1536]
    shown = ordinary_window.press_in_labelling("1")
    assert shown["magnification"] == 1.0
    x, y, width, height = shown["part_xywh"]
    assert (2 * x + width, 2 * y + height) == (2048, 1536)
    assert ordinary_window.press_in_labelling("shift right")["part_xywh"] == [x + 80, y, width, height]
    ordinary_window.hold_in_labelling("d", 3000)
    ordinary_window.close_labelling()
    ordinary_window.labelling_ended("labels in")
    assert [row.label for row in read_labels(tmp_path / "labels.csv")] == ["defocused"]


def test_a_worker_that_is_killed_meanwhile_is_told_and_the_answers_stay(ordinary_window, fiji, small):
    first, second, _ = order(small, repeat_share=0.0)
    begin(ordinary_window, small, repeat_share=0.0)
    ordinary_window.press_in_labelling("s")
    fiji.kill_worker()
    ordinary_window.press_key("d")
    title, text = ordinary_window.close_message()
    assert title == "Label Images" and "worker has ended" in text
    assert [(row.file, row.label) for row in read_labels(small / "labels.csv")] == [(first, "sharp")]
    assert second in begin(ordinary_window, small, repeat_share=0.0)["lines"][0]
    ordinary_window.close_labelling()
    ordinary_window.labelling_ended("labels in")


def test_what_cannot_be_labelled_is_told_in_a_dialog(ordinary_window, tmp_path):
    for folder, message in ((tmp_path / "missing", "no such folder: "), (tmp_path, "no image below the folder ")):
        title, text = ordinary_window.message(ITEM, {"folder": str(folder)})
        assert title == "Label Images" and text.startswith(message)


def test_without_a_window_it_says_what_to_do(ordinary, small):
    assert "use parfocal label" in ordinary.run(ITEM, {"folder": str(small)})["thrown"]
