"""A stack split into sharp and defocused planes in an ordinary Fiji, by a threshold that is given and by the slider."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from test_fiji_images import NUCLEI
from test_fiji_splitting import ITEM, LABELS, PIXELS, expected_preview, write_mixed

from parfocal.restoration.result import MARK
from parfocal.sorting.preview import COLORS, DEFOCUSED, NO_ANSWER, SHARP


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    return write_mixed(tmp_path_factory.mktemp("split"))


@pytest.fixture(scope="module")
def expected():
    return expected_preview()


def run_split(fiji, given):
    answer = fiji.run(ITEM, given)
    assert not answer["thrown"], answer["thrown"]
    assert answer["rows"] == []


def test_a_given_threshold_splits_and_keeps_calibration_labels_and_info(ordinary, stack, expected, tmp_path):
    assert expected.kinds(0.5) == [DEFOCUSED, SHARP, NO_ANSWER, SHARP]
    ordinary.open(stack, "image.setDisplayRange(10, 200)")
    run_split(ordinary, {"threshold": "0.5"})
    assert ordinary.titles() == ["mixed.tif", "Sharp of mixed.tif", "Defocused of mixed.tif"]
    for kind, indices in (("Sharp", [1, 3]), ("Defocused", [0])):
        ordinary.front(f"{kind} of mixed.tif")
        told = ordinary.save(str(tmp_path / "part.tif"))
        np.testing.assert_array_equal(
            tifffile.imread(tmp_path / "part.tif").reshape(-1, *NUCLEI.shape), PIXELS[indices]
        )
        assert told["labels"] == [LABELS[index] for index in indices]
        assert (told["width"], told["unit"], told["shown"]) == (pytest.approx(0.65), "\u00b5m", [10, 200])
        assert told["info"].strip() == "by hand"
    assert "mixed.tif, threshold 0.5: 2 sharp, 1 defocused, 1 no answer" in ordinary.log_text()


def test_a_part_without_planes_is_no_image_and_without_a_window_the_threshold_is_the_model_s(ordinary, stack):
    ordinary.open(stack, None)
    run_split(ordinary, {"threshold": "1"})
    assert ordinary.titles() == ["mixed.tif", "Sharp of mixed.tif"]
    ordinary.open(stack, None)
    run_split(ordinary, {})
    assert len(ordinary.titles()) == 3


def test_what_cannot_be_split_is_told(ordinary, stack, tmp_path):
    ordinary.closeAll()
    assert "Split Sharp and Defocused: no image is open" in ordinary.run(ITEM, {})["thrown"]
    ordinary.open(stack, None)
    assert "threshold must be in [0.0, 1.0], got 2.0" in ordinary.run(ITEM, {"threshold": "2"})["thrown"]
    assert ordinary.titles() == ["mixed.tif"] and ordinary.is_free()
    tifffile.imwrite(tmp_path / "dark.tif", np.zeros((3, 99, 99), np.uint16), imagej=True)
    ordinary.open(str(tmp_path / "dark.tif"), None)
    assert "Split Sharp and Defocused: dark.tif: " in ordinary.run(ITEM, {})["thrown"]


def test_what_was_restored_is_not_split(ordinary, stack):
    ordinary.open(stack, f'image.setProperty("Info", "{MARK}")')
    told = "Split Sharp and Defocused: mixed.tif was restored by Parfocal, and is not sorted: split the original image"
    assert told in ordinary.run(ITEM, {})["thrown"]


def test_the_threshold_is_no_question_of_the_dialog(ordinary):
    shown = ordinary.inputs(ITEM)
    assert shown["threshold"][8] == "INVISIBLE" and shown["pixel_size_um"][8] == "NORMAL"


def test_the_slider_splits_while_it_moves_and_keeps_the_worker_out_of_it(
    ordinary_window, stack, expected, fiji, tmp_path
):
    ordinary_window.open(stack, "image.setOverlay(new ij.gui.Overlay(new ij.gui.Roi(3, 3, 90, 90)))")
    ordinary_window.start(ITEM, {})
    shown = ordinary_window.threshold_window()
    assert shown["told"] == expected.told(0.5) == "2 sharp, 1 defocused, 1 no answer"
    assert (shown["places"], shown["title"]) == ([1, 2, 3, 4], "Threshold for mixed.tif")
    fiji.kill_worker()
    for threshold in (0.0, 1.0, 0.3):
        shown = ordinary_window.move_slider(threshold)
        assert shown["told"] == expected.told(threshold)
        assert shown["colors"] == [list(COLORS[kind]) for kind in expected.kinds(threshold)]
        drawn = expected.picture(threshold, 0, (128, 480))
        for row in (20, 118):
            changes = np.flatnonzero(np.diff(drawn[row].astype(int), axis=0).any(axis=1))
            assert ordinary_window.bars(row) == drawn[row][[0, *(changes + 1)]].tolist()
    assert ordinary_window.click_bar(0.9) == 4
    assert ordinary_window.click_bar(0.1) == 1
    ordinary_window.end_threshold_window("enter")
    assert not ordinary_window.started_end()["thrown"]
    assert set(ordinary_window.titles()) == {"mixed.tif", "Sharp of mixed.tif", "Defocused of mixed.tif"}
    ordinary_window.front("Sharp of mixed.tif")
    ordinary_window.save(str(tmp_path / "part.tif"))
    assert len(tifffile.imread(tmp_path / "part.tif")) == len(expected.split(0.3)[SHARP])
    ordinary_window.front("mixed.tif")
    assert [part["name"] for part in ordinary_window.overlay()] == [None]
    ordinary_window.closeAll()


def test_closing_the_window_splits_nothing_and_takes_the_frames_away(ordinary_window, stack):
    ordinary_window.open(stack, None)
    ordinary_window.start(ITEM, {})
    assert len(ordinary_window.threshold_window()["colors"]) == 4
    ordinary_window.end_threshold_window("escape")
    assert not ordinary_window.started_end()["thrown"]
    assert ordinary_window.titles() == ["mixed.tif"]
    assert ordinary_window.overlay() == []
    ordinary_window.closeAll()


def test_an_image_that_is_closed_while_the_threshold_is_chosen_is_told(ordinary_window, stack):
    ordinary_window.open(stack, None)
    ordinary_window.start(ITEM, {})
    ordinary_window.threshold_window()
    ordinary_window.closeAll()
    ordinary_window.end_threshold_window("enter")
    assert ordinary_window.close_message() == [
        "Split Sharp and Defocused",
        "mixed.tif must have planes, it has none: it was closed or is empty, open it again",
    ]
    ordinary_window.started_end()
