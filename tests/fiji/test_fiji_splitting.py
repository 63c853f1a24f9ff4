"""A stack split into sharp and defocused planes, by macros and by the slider."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from test_fiji_images import BLURRED, NUCLEI

from parfocal import flag_defocused
from parfocal.sorting.preview import COLORS, DEFOCUSED, NO_ANSWER, SHARP, ThresholdPreview

ITEM = "Split Sharp and Defocused..."
PIXELS = np.stack([BLURRED, NUCLEI, np.full_like(NUCLEI, 7), NUCLEI[::-1]])
LABELS = ["far below", "in focus", "empty", "mirrored"]


def write_mixed(folder):
    """Path of the planes as ImageJ writes them."""
    path = folder / "mixed.tif"
    step = {"spacing": 2.0, "unit": "um", "axes": "ZYX", "Labels": LABELS, "Info": "by hand"}
    tifffile.imwrite(path, PIXELS, imagej=True, resolution=(1 / 0.65, 1 / 0.65), metadata=step)
    return str(path)


def expected_preview():
    return ThresholdPreview.of(flag_defocused(PIXELS, pixel_size_um=0.65))


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    return write_mixed(tmp_path_factory.mktemp("split"))


@pytest.fixture(scope="module")
def expected():
    return expected_preview()


@pytest.fixture(autouse=True)
def closed(request):
    """All images are closed after a test."""
    yield
    for name in {"headless", "window"} & set(request.fixturenames):
        request.getfixturevalue(name).run_macro("while (nImages > 0) close();")


def test_a_macro_splits_by_the_threshold_and_keeps_calibration_labels_and_info(headless, stack, expected, tmp_path):
    assert expected.kinds(0.5) == [DEFOCUSED, SHARP, NO_ANSWER, SHARP]
    headless.run_macro(f'open("{stack}"); setMinAndMax(10, 200); run("{ITEM}", "threshold=0.5");')
    for kind, indices in (("Sharp", [1, 3]), ("Defocused", [0])):
        told = headless.save_pixels(f"{kind} of mixed.tif", str(tmp_path / "part.npy"))
        np.testing.assert_array_equal(np.load(tmp_path / "part.npy").view(np.uint16), PIXELS[indices])
        assert told["labels"] == [LABELS[index] for index in indices]
        assert told["calibration"] == [pytest.approx(0.65), 2.0, "\u00b5m"]
        assert told["range"] == [10, 200]
        assert told["info"].strip() == "by hand"
    assert "mixed.tif, threshold 0.5: 2 sharp, 1 defocused, 1 no answer" in headless.log_text()


def test_a_part_without_planes_is_no_image(headless, stack):
    headless.run_macro(f'open("{stack}"); run("{ITEM}", "threshold=1");')
    assert headless.titles() == ["mixed.tif", "Sharp of mixed.tif"]


def test_without_any_answer_it_says_why(headless):
    code = f'newImage("dark", "16-bit black", 99, 99, 3); run("{ITEM}"); return "went on";'
    assert headless.run_macro(code) != "went on"
    assert "Split Sharp and Defocused: dark: " in headless.log_text()


def test_escape_ends_it_while_it_measures(headless, stack):
    headless.run_macro(f'open("{stack}");')
    assert headless.run_with_escape("run_macro", f'run("{ITEM}"); return "went on";') != "went on"
    assert headless.titles() == ["mixed.tif"]


def test_as_a_module_it_gives_both_stacks(headless):
    kinds = headless.outputs_of("split_defocused")
    assert kinds == {"sharp": "ImagePlus", "defocused": "ImagePlus"}


def test_the_slider_splits_while_it_moves_and_the_recorder_has_the_threshold(window, stack, expected, tmp_path):
    window.open_image(stack)
    window.start_recording()
    window.click_menu(ITEM)
    window.fill_in("Split Sharp and Defocused", [])
    shown = window.threshold_window()
    assert shown["told"] == expected.told(0.5) == "2 sharp, 1 defocused, 1 no answer"
    assert shown["places"] == [1, 2, 3, 4]
    for threshold in (0.0, 1.0, 0.3):
        colors = [list(COLORS[kind]) for kind in expected.kinds(threshold)]
        window.move_slider(threshold, expected.told(threshold), colors)
    assert window.click_bar(0.9) == 4
    assert window.click_bar(0.1) == 1
    window.press_in_threshold_window("Enter")
    window.wait_for_image("Defocused of mixed.tif")
    window.save_pixels("Sharp of mixed.tif", str(tmp_path / "part.npy"))
    assert np.load(tmp_path / "part.npy").shape[0] == len(expected.split(0.3)[SHARP])
    line = next(line for line in window.recorded().split("\n") if ITEM in line)
    assert "threshold=0.3" in line
    window.close_all()
    window.open_image(stack)
    window.start_macro(line)
    window.wait_for_image("Defocused of mixed.tif")
    window.close_all()


def test_closing_the_window_splits_nothing_and_takes_the_frames_away(window, stack):
    window.open_image(stack)
    window.run_macro("makeRectangle(3, 3, 90, 90); Overlay.addSelection; run('Select None');")
    window.click_menu(ITEM)
    window.fill_in("Split Sharp and Defocused", [])
    window.wait_for_frames(5)
    window.press_in_threshold_window("Escape")
    window.wait_for_frames(1)
    assert window.titles() == ["mixed.tif"]
    window.close_all()
