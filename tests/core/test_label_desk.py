"""What keys do in a session of labelling, whatever window takes them."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal.labels.command import label_images
from parfocal.labels.desk import LabelDesk
from parfocal.labels.pictures import grey_picture
from parfocal.labels.rows import counting_rows
from parfocal.labels.table import read_labels


@pytest.fixture
def images(tmp_path, nuclei):
    """Folder of four images that are told apart by how they lie."""
    for turns in range(4):
        iio.imwrite(tmp_path / f"n{turns}.png", np.rot90(nuclei, turns))
    return tmp_path


@pytest.fixture
def open_desk():
    """Opens desks of folders; closes their pictures at the end."""
    sessions = []

    def open_folder(folder, **given):
        sessions.append(label_images(str(folder), **{"repeat_share": 0.0, **given}))
        return LabelDesk(sessions[-1])

    yield open_folder
    for session in sessions:
        session.pictures.close()


def test_keys_label_skip_and_take_back_as_in_the_browser(images, open_desk):
    desk = open_desk(images)
    files = []
    for key, label in (("s", "sharp"), ("D", "defocused"), ("u", "unusable")):
        files.append(desk.seen.view.file)
        desk.press(key)
        assert counting_rows(read_labels(images / "labels.csv"))[files[-1]].label == label
    last = desk.seen.view.file
    assert desk.press(" ").view is None
    assert desk.seen.lines == (
        "Every image has been shown. Z takes the last answer back.",
        "3 images have a label: 1 sharp, 1 defocused, 1 unusable",
    )
    assert desk.press("Backspace").view.file == last
    assert desk.press("z").view.file == files[2]
    assert set(counting_rows(read_labels(images / "labels.csv"))) == set(files[:2])
    assert desk.press("ArrowLeft").view.file == files[1]
    assert desk.seen.note == "Your answer: defocused"
    assert desk.press("ArrowRight").view.file == files[2]


def test_keys_without_a_meaning_change_nothing(images, open_desk):
    desk = open_desk(images)
    before = desk.seen
    for key in ("x", "2", "Enter", "F1", "Tab", "ArrowUp"):
        assert desk.press(key) == before
    assert not (images / "labels.csv").exists()
    assert desk.press("z").note == "There is nothing to undo in this session."


def test_the_picture_is_that_of_the_browser_and_gamma_goes_in_steps_to_its_ends(images, open_desk):
    desk = open_desk(images)
    pixels = iio.imread(images / desk.seen.view.file)
    np.testing.assert_array_equal(desk.seen.picture_yx, grey_picture(pixels, 0.7))
    np.testing.assert_array_equal(desk.press("+").picture_yx, grey_picture(pixels, 0.5))
    for _ in range(9):
        desk.press("-")
    np.testing.assert_array_equal(desk.seen.picture_yx, grey_picture(pixels, 2.0))
    desk.press("s")
    np.testing.assert_array_equal(desk.seen.picture_yx, grey_picture(iio.imread(images / desk.seen.view.file), 2.0))
    assert desk.press("1").pixels
    assert desk.press("s").pixels
    assert not desk.press("1").pixels


def test_of_a_stack_the_plane_that_is_seen_is_marked(tmp_path, nucleus_stack, open_desk):
    tifffile.imwrite(tmp_path / "stack.tif", nucleus_stack)
    desk = open_desk(tmp_path)
    assert desk.seen.plane == 4
    assert desk.press("s").note.startswith("A stack: go to its sharp plane")
    assert not (tmp_path / "labels.csv").exists()
    for _ in range(7):
        desk.press("ArrowUp")
    assert (desk.seen.plane, desk.seen.note) == (8, "")
    desk.press("ArrowDown")
    np.testing.assert_array_equal(desk.seen.picture_yx, grey_picture(nucleus_stack[7], 0.7))
    assert desk.show_plane(99).plane == 8
    desk.show_plane(6)
    desk.press("Enter")
    assert [(row.label, row.plane) for row in read_labels(tmp_path / "labels.csv")] == [("plane", 6)]
    assert desk.press("ArrowLeft").note == "Your answer: sharp plane 7"


def test_a_plane_that_cannot_be_read_says_so_and_cannot_be_marked(tmp_path, nucleus_stack, open_desk):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, nucleus_stack, compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages[8].dataoffsets[0]
    damaged = bytearray(path.read_bytes())
    damaged[start : start + 60] = bytes(60)
    path.write_bytes(damaged)
    desk = open_desk(tmp_path)
    desk.show_plane(8)
    assert desk.seen.picture_yx is None
    assert desk.seen.lines[0] == "Plane 9 cannot be read."
    assert desk.press("Enter").note == "This plane cannot be read: choose another, or skip the image."
    assert not (tmp_path / "labels.csv").exists()


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "rgb"])
def test_images_of_every_kind_are_shown(kind, tmp_path, nuclei, open_desk):
    pixels = np.stack([nuclei] * 3, axis=-1) if kind == "rgb" else nuclei.astype(kind)
    tifffile.imwrite(tmp_path / "image.tif", pixels, photometric="rgb" if kind == "rgb" else "minisblack")
    seen = open_desk(tmp_path).seen
    assert (seen.picture_yx.dtype, seen.picture_yx.shape) == (np.uint8, nuclei.shape)
    assert (seen.picture_yx.min(), seen.picture_yx.max()) == (0, 255)


def test_an_answer_that_cannot_be_written_is_told_and_the_image_stays(images, open_desk):
    desk = open_desk(images)
    before = desk.seen.view
    (images / "labels.csv").mkdir()
    assert desk.press("s").note.startswith("The answer could not be written: ")
    assert desk.seen.view == before
