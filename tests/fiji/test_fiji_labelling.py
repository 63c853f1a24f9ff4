"""Labelling in ImageJ's own window, by real keys."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal.labels.command import label_images
from parfocal.labels.pictures import grey_picture
from parfocal.labels.table import labels_of_folder, read_labels

DATA = Path(__file__).parents[1] / "data" / "core"
ITEM = "Label Images..."
NUCLEI = iio.imread(DATA / "dsb2018_4ff152d76db095f7.png")
STACK_ZYX = tifffile.imread(DATA / "nucleus_widefield.tif")


@pytest.fixture
def images(tmp_path):
    """Folder with an image of each kind and a file that is none."""
    folder = tmp_path / "images of all kinds"
    folder.mkdir()
    iio.imwrite(folder / "a8.png", NUCLEI)
    tifffile.imwrite(folder / "b16.tif", NUCLEI.astype(np.uint16) * 40)
    tifffile.imwrite(folder / "c32.tif", NUCLEI[::-1].astype(np.float32) / 255)
    tifffile.imwrite(folder / "rgb.tif", np.stack([NUCLEI] * 3, axis=-1), photometric="rgb")
    tifffile.imwrite(folder / "stack.tif", STACK_ZYX)
    (folder / "broken.tif").write_text("no image")
    return folder


def write_turned(folder):
    """The folder, with three images."""
    for turns in range(3):
        iio.imwrite(folder / f"n{turns}.png", np.rot90(NUCLEI, turns))
    return folder


@pytest.fixture
def small(tmp_path):
    return write_turned(tmp_path)


def order(folder, **given):
    """Files in the order in which every front shows them."""
    session = label_images(str(folder), **given)
    session.pictures.close()
    return [showing.file for showing in session.showings]


def test_the_menu_has_the_command(window):
    sorting = ["Flag Defocused...", "Split Sharp and Defocused...", "Restore Defocus..."]
    measuring = ["Measure Image Focus...", *sorting, "Estimate Focal Position...", "Measure Bead Focal Plane..."]
    folders = ["Measure Folder...", "Flag Folder...", "Restore Folder..."]
    assert window.menu() == ["Parfocal", [*measuring, *folders, ITEM, "Hold Focus..."]]


def test_images_of_every_kind_are_labelled_by_the_keys_of_the_browser(window, images, tmp_path):
    window.click_menu(ITEM)
    window.fill_in("Label Images", [str(images), "", "ada", "0", "0", "0"])
    shown = window.first_shown()
    answers = {"a8.png": "s", "b16.tif": "d", "c32.tif": "u", "rgb.tif": "s", "stack.tif": "Enter"}
    for file in [name for name in order(images, repeat_share=0.0) if name != "broken.tif"]:
        assert file in shown["lines"][0]
        window.picture(str(tmp_path / "seen.npy"))
        pixels = STACK_ZYX[4] if file == "stack.tif" else iio.imread(images / file)
        expected = grey_picture(pixels.mean(axis=-1) if pixels.ndim == 3 else pixels, 0.7)
        np.testing.assert_array_equal(np.load(tmp_path / "seen.npy"), expected)
        if file == "stack.tif":
            assert window.press("s")["lines"][1].startswith("A stack: go to its sharp plane")
            assert "plane 6 of 9" in window.press("ArrowUp")["lines"][0]
            window.drag_bar(2)
        shown = window.press(answers[file])
    assert shown["lines"][1].startswith("1 file was left out, the last broken.tif: the name says TIFF")
    window.press_key("Escape")
    # The log may hold what was done before.
    assert window.ended()[-4:] == [
        "Label Images: Every image that can be read has an answer or was shown.",
        "left out: broken.tif: the name says TIFF, the content is something else",
        "5 images have a label: 2 sharp, 1 defocused, 1 unusable, 1 with a sharp plane",
        f"labels in {images / 'labels.csv'}",
    ]
    labels = {image.path.name: (image.label, image.plane) for image in labels_of_folder(images)}
    assert labels == {
        "a8.png": ("sharp", None),
        "b16.tif": ("defocused", None),
        "c32.tif": ("unusable", None),
        "rgb.tif": ("sharp", None),
        "stack.tif": ("plane", 2),
    }
    assert {row.person for row in read_labels(images / "labels.csv")} == {"ada"}
    assert {path.name for path in images.iterdir()} == {*answers, "broken.tif", "labels.csv"}


def test_closing_the_window_keeps_what_was_answered_and_the_next_session_goes_on(window, small):
    first, second, third = order(small, repeat_share=0.0)
    window.run_command(ITEM, f"folder=[{small}] repeat_share=0")
    assert first in window.first_shown()["lines"][0]
    assert second in window.press("d")["lines"][0]
    assert window.close_window() == [
        "Label Images: 1 images have a label: 0 sharp, 1 defocused, 0 unusable",
        f"labels in {small / 'labels.csv'}",
    ]
    window.run_command("Label Images", f"folder=[{small}] repeat_share=0")
    assert second in window.first_shown()["lines"][0]
    assert third in window.press(" ")["lines"][0]
    shown = window.press("ArrowLeft")
    assert second in shown["lines"][0]
    window.press("s")
    assert window.press("Backspace")["lines"][0].endswith(second)
    window.press_key("Escape")
    window.ended()
    rows = [(row.file, row.label) for row in read_labels(small / "labels.csv")]
    assert rows == [(first, "defocused"), (second, "sharp"), (second, "withdrawn")]


def test_images_shown_twice_are_compared_at_the_end(window, small):
    window.run_command(ITEM, f"folder=[{small}] repeat_share=1")
    window.first_shown()
    for key in "sdssds":
        window.press(key)
    window.press_key("Escape")
    told = window.ended()
    assert told[-2].startswith("images shown twice: 3, ")
    assert told[-3].startswith("3 images have a label: ")
    # Nothing is left: it says so, and opens no window.
    window.run_command(ITEM, f"folder=[{small}] repeat_share=1")
    title, text = window.message()
    assert title == "Label Images"
    assert text.startswith("Every image that can be read has an answer")
    window.taken_log()


def test_a_key_that_is_held_goes_through_planes_and_labels_one_image(window, small, tmp_path):
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    tifffile.imwrite(stacks / "stack.tif", STACK_ZYX)
    window.run_command(ITEM, f"folder=[{stacks}] repeat_share=0")
    assert "plane 5 of 9" in window.first_shown()["lines"][0]
    assert "plane 9 of 9" in window.hold("ArrowUp", 4.0)["lines"][0]  # so the key is repeated
    window.close_window()
    window.run_command(ITEM, f"folder=[{small}] repeat_share=0")
    window.first_shown()
    window.hold("d", 4.0)
    window.close_window()
    assert [row.label for row in read_labels(small / "labels.csv")] == ["defocused"]


def test_one_to_one_shows_a_part_of_a_large_image_that_arrows_move_and_stays_on_the_screen(window, tmp_path):
    iio.imwrite(tmp_path / "large.png", np.tile(NUCLEI, (6, 8)))
    window.run_command(ITEM, f"folder=[{tmp_path}] repeat_share=0")
    shown = window.first_shown()
    assert shown["part_xywh"] == [0, 0, 2048, 1536]
    shown = window.press("1")
    assert shown["magnification"] == 1.0
    x, y, width, height = shown["part_xywh"]
    assert (2 * x + width, 2 * y + height) == (2048, 1536)
    assert window.press("Shift ArrowRight")["part_xywh"] == [x + 80, y, width, height]
    assert window.press("Shift ArrowUp")["part_xywh"] == [x + 80, y - 80, width, height]
    left, top, wide, high = shown["frame"]
    assert left >= 0 and top >= 0 and left + wide <= 1280 and top + high <= 1000
    assert window.press("1")["part_xywh"] == [0, 0, 2048, 1536]
    window.close_window()


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("missing", "no such folder: "),
        ("empty", "no image below the folder "),
        ("", "Folder of images must be given"),
    ],
)
def test_what_cannot_be_labelled_is_told_in_a_dialog(folder, message, window, tmp_path):
    (tmp_path / "empty").mkdir()
    window.click_menu(ITEM)
    window.fill_in("Label Images", [str(tmp_path / folder) if folder else ""])
    title, text = window.message()
    assert title == "Label Images"
    assert text.startswith(message)


def test_the_recorder_writes_a_line_that_runs(window, small):
    window.start_recording()
    window.click_menu(ITEM)
    window.fill_in("Label Images", [str(small), "", "bob", "0", "0", "0"])
    window.first_shown()
    window.press_key("Escape")
    window.taken_log()
    line = next(line for line in window.recorded().split("\n") if ITEM in line)
    assert line.startswith(f'run("{ITEM}", "folder={small} labels=[] person=bob channel=0 ')
    window.start_macro(line)
    window.first_shown()
    window.press("s")
    window.close_window()
    assert [row.person for row in read_labels(small / "labels.csv")] == ["bob"]
