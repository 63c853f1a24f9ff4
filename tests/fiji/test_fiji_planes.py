"""Patches as an overlay, and rows of the slices and time points of a stack."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal import flag_defocused, measure_image_focus
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.report.overlay import border_width_px, level_colors

NUCLEI = iio.imread(Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png").astype(np.uint16)
BLURRED = defocus_image(NUCLEI.astype(np.float32), 10.0).astype(np.uint16)
EMPTY = np.full_like(NUCLEI, 7)


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    """Files of a z-stack, a time series, and a hyperstack of two channels, each with its pixels."""
    folder = tmp_path_factory.mktemp("stacks")
    kinds = {
        "z": ("ZYX", np.stack([BLURRED, NUCLEI, EMPTY])),
        "t": ("TYX", np.stack([BLURRED, NUCLEI])),
        "tzc": ("TZCYX", np.stack([np.stack([EMPTY, NUCLEI]), np.stack([EMPTY, BLURRED])])[:, None].repeat(2, 1)),
        "empty": ("ZYX", np.stack([EMPTY, EMPTY])),
    }
    for name, (axes, pixels) in kinds.items():
        tifffile.imwrite(folder / f"{name}.tif", pixels, imagej=True, metadata={"axes": axes})
    return {name: (str(folder / f"{name}.tif"), pixels) for name, (_, pixels) in kinds.items()}


@pytest.fixture
def opened(headless, stacks):
    """Opens one of the files in ImageJ, and closes it after the test."""
    headless.table_rows()
    yield lambda name: headless.run_macro(f'open("{stacks[name][0]}");')
    headless.run_macro("while (nImages > 0) close();")
    headless.table_rows()


def same_number(text, value):
    assert float(text) == pytest.approx(value, abs=1e-3, nan_ok=True)


def test_patches_lie_over_the_image_in_the_colours_of_core(headless, stacks, opened):
    opened("z")
    headless.run_macro('run("Measure Image Focus");')
    elements = headless.overlay()
    legend = [element for element in elements if element["name"] == "legend"]
    borders = [element for element in elements if element["name"] != "legend"]
    planes = measure_image_focus(stacks["z"][1]).planes
    expected = [
        (z + 1, corner, level, sure, plane.patches.size_px)
        for z, plane in enumerate(planes)
        if plane.patches is not None
        for corner, level, sure in zip(plane.patches.corners_yx, plane.patches.defocus_level, plane.patches.certainty)
    ]
    assert {z for z, *_ in expected} == {1, 2}  # of the plane without content there are none
    assert len(borders) == len(expected)
    for found, (z, (y, x), level, sure, size) in zip(borders, expected):
        width = border_width_px(size)
        np.testing.assert_allclose(found["rgb"], 255 * level_colors(level, sure), atol=0.51)
        assert found["xywh"] == [x + width / 2, y + width / 2, size - width, size - width]
        assert (found["width"], found["place"]) == (width, [1, z, 1])
        assert found["name"] == f"level {level:.1f}, certainty {sure:.2f}"
    boxes = [box["rgb"] for box in legend[1:12]]
    np.testing.assert_allclose(boxes, 255 * level_colors(np.arange(11)), atol=0.51)
    assert all(box["place"] == [0, 0, 0] for box in legend)  # on every plane


def test_a_second_measurement_replaces_the_patches_and_keeps_what_others_drew(headless, opened):
    opened("z")
    headless.run_macro("makeRectangle(3, 3, 20, 20); Overlay.addSelection; run('Select None');")
    headless.run_macro('run("Measure Image Focus");')
    first = headless.overlay()
    headless.run_macro('run("Measure Image Focus");')
    assert headless.overlay() == first
    assert first[0]["xywh"] == [3, 3, 20, 20]


def test_the_overlay_can_be_left_out(headless, opened):
    opened("z")
    headless.run_macro('run("Measure Image Focus", "overlay=no");')
    assert headless.overlay() == []
    assert len(headless.table_rows()) == 1


def test_each_slice_has_a_row_that_says_whether_it_is_the_sharpest(headless, stacks, opened):
    opened("z")
    headless.run_macro('run("Measure Image Focus", "each_plane");')
    rows = headless.table_rows()
    expected = measure_image_focus(stacks["z"][1])
    assert [row["Label"] for row in rows] == ["z.tif", "z.tif:z1", "z.tif:z2", "z.tif:z3"]
    assert [row["Slice"] for row in rows[1:]] == ["1", "2", "3"]
    assert [row["ImageFocus_Sharpest"] for row in rows] == ["NaN", "0", "1", "0"]
    same_number(rows[0]["ImageFocus_SharpestPlane"], 1)
    for row, plane in zip(rows[1:], expected.planes):
        same_number(row["ImageFocus_Score"], plane.estimate.defocus_level)
        assert row["ImageFocus_Status"] == plane.estimate.status
    assert rows[3]["ImageFocus_Score"] == "NaN"


def test_without_an_answer_no_slice_is_the_sharpest(headless, opened):
    opened("empty")
    headless.run_macro('run("Measure Image Focus", "each_plane");')
    assert [row["ImageFocus_Sharpest"] for row in headless.table_rows()] == ["NaN"] * 3
    assert headless.overlay() == []


def test_each_time_point_has_a_row_beside_that_of_all(headless, stacks, opened):
    opened("t")
    headless.run_macro('run("Flag Defocused", "each_plane");')
    rows = headless.table_rows()
    expected = flag_defocused(stacks["t"][1])
    assert [row["Label"] for row in rows] == ["t.tif", "t.tif:t1", "t.tif:t2"]
    assert [row["FlagDefocused_Sharpest"] for row in rows] == ["NaN", "0", "1"]
    for row, answer in zip(rows, (expected, *expected.planes)):
        same_number(row["FlagDefocused_Probability"], answer.probability)


def test_of_a_hyperstack_each_time_point_is_a_stack_of_the_channel_that_is_shown(headless, stacks, opened):
    opened("tzc")
    headless.run_macro('Stack.setChannel(2); run("Measure Image Focus", "each_plane");')
    rows = headless.table_rows()
    labels = [f"tzc.tif:c2:{rest}" for rest in ("t1", "z1:t1", "z2:t1", "t2", "z1:t2", "z2:t2")]
    assert [row["Label"] for row in rows] == labels
    for frame, row in ((0, rows[0]), (1, rows[3])):
        level = measure_image_focus(stacks["tzc"][1][frame, :, 1]).estimate.defocus_level
        same_number(row["ImageFocus_Score"], level)
    assert {tuple(e["place"]) for e in headless.overlay()} == {(0, 0, 0)} | {(2, z, t) for z in (1, 2) for t in (1, 2)}


def test_rows_of_other_commands_have_no_zeros_for_what_they_did_not_measure(headless, opened):
    opened("t")
    headless.run_macro('run("Measure Image Focus"); run("Flag Defocused");')
    first, second = headless.table_rows()
    assert (first["FlagDefocused_Probability"], second["ImageFocus_Score"]) == ("NaN", "NaN")
