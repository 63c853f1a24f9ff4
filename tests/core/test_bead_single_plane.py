"""Single planes of beads: how far they lie from the reference focal plane, by a distance model."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import tifffile

from parfocal import measure_bead_focal_plane, status
from parfocal.beads.distance.plane import plane_distance
from parfocal.beads.simulation import A2K_LIKE, Sample, simulate_bead_stack
from parfocal.cli import main
from parfocal.registry import ModelError

SIZES = {"pixel_size_um": 1.5, "bead_diameter_um": 28.5}
DISTANCES = np.array([-220.0, -70.0, 25.0, 150.0])


def simulate(z_um=DISTANCES, **settings):
    options = {"n_beads": 8, "camera": A2K_LIKE.camera, "reference_focal_plane_um": 0.0, **settings}
    rng = np.random.default_rng(4)
    return simulate_bead_stack(A2K_LIKE.appearance(), 1.5, (500, 500), np.asarray(z_um), rng, **options)


@pytest.fixture(scope="module")
def planes():
    return simulate().stack_zyx


def measure(plane, **settings):
    return measure_bead_focal_plane(plane, **{**SIZES, "distance_model": "a2k_like", **settings})


@pytest.mark.parametrize("index", range(len(DISTANCES)))
def test_single_plane_tells_its_distance_and_side(planes, index):
    found = measure(planes[index])
    assert found.status == status.OK
    assert found.distance_um == pytest.approx(DISTANCES[index], abs=5.0)
    assert found.reference_focal_plane_um == -found.distance_um
    low, high = found.interval_um
    assert low < found.reference_focal_plane_um < high < low + 10.0
    assert found.n_beads >= 4


def test_position_of_the_plane_moves_the_reference_plane_and_not_the_distance(planes):
    at_zero, at_stage = measure(planes[2]), measure(planes[2], z_um=[1000.0])
    assert at_stage.reference_focal_plane_um == pytest.approx(at_zero.reference_focal_plane_um + 1000.0)
    assert at_stage.distance_um == pytest.approx(at_zero.distance_um)


def test_target_lies_above_the_reference_plane(planes):
    found = measure(planes[2], target_offset_um=12.0)
    assert found.target_um == found.reference_focal_plane_um + 12.0


def test_interval_follows_its_level_and_the_stage(planes):
    def width(**settings):
        low, high = measure(planes[1], **settings).interval_um
        return high - low

    assert width(interval_level=0.99) > width() > width(interval_level=0.5)
    assert width(z_error_um=50.0) == pytest.approx(2 * 1.96 * 50.0, rel=0.01)


def test_stack_has_the_distance_of_each_plane_beside_its_own_answer():
    z = np.arange(-90.0, 91.0, 15.0)
    found = measure(simulate(z).stack_zyx, z_um=z)
    read = np.array([distance.distance_um for distance in found.plane_distances])
    np.testing.assert_allclose(read, z - found.reference_focal_plane_um, atol=6.0)
    assert np.isnan(found.distance_um)


def test_tilt_shows_in_a_single_plane():
    tilted = simulate([60.0], sample=Sample(tilt_yx_um_per_mm=(0.0, 60.0))).stack_zyx[0]
    shape = measure(tilted).field_shape
    assert shape.tilt_x_um_per_mm == pytest.approx(60.0, abs=15.0)


def test_beads_whose_crop_the_border_cuts_are_listed(planes):
    centres = [(20.0, 250.0), (250.0, 250.0)]
    found = plane_distance(planes[2], centres, 1.5, 28.5, "a2k_like")
    assert found.bead_status[0] == "border"
    assert np.isnan(found.bead_distance_um[0])
    small = plane_distance(planes[2][:60, :60], [(30.0, 30.0)], 1.5, 28.5, "a2k_like")
    assert small.status == status.NO_CONTENT
    assert "the border cuts the crops of 64 px about all 1 beads" in small.reason


@pytest.mark.parametrize(
    ("plane", "expected"),
    [
        (np.full((300, 300), 128, np.uint8), status.NO_CONTENT),
        (np.full((300, 300), np.nan), status.NO_CONTENT),
        (np.random.default_rng(0).normal(200, 20, (300, 300)), status.NO_CONTENT),
    ],
    ids=["blank", "nan", "noise"],
)
def test_plane_without_beads_gets_no_answer(plane, expected):
    found = measure(plane)
    assert found.status == expected
    assert found.reason
    assert np.isnan([found.distance_um, *found.interval_um]).all()


def test_other_beads_and_pixels_are_refused(planes):
    assert measure(planes[2], bead_diameter_um=40.0).status in (status.OUT_OF_RANGE, status.NO_CONTENT)
    assert measure(planes[2][::2, ::2], pixel_size_um=3.0).status == status.OUT_OF_RANGE


def test_single_plane_without_a_model_says_what_would_help(planes):
    found = measure_bead_focal_plane(planes[2], **SIZES)
    assert found.status == status.TOO_SMALL
    assert found.reason.endswith("a distance model tells how far a single plane is off")


def test_unknown_model_is_named(planes):
    with pytest.raises(ModelError, match="no model 'mine' for bead_distance: give one of"):
        measure(planes[2], distance_model="mine")


@pytest.fixture(scope="module")
def folder(planes, tmp_path_factory):
    home = tmp_path_factory.mktemp("planes")
    for plane, distance in zip(planes, DISTANCES):
        tifffile.imwrite(home / f"at_{distance:g}.tif", plane)
    tifffile.imwrite(home / "blank.tif", np.full((300, 300), 200, np.uint8))
    return home


OPTIONS = ["--bead-diameter-um", "28.5", "--pixel-size-um", "1.5"]


def test_command_line_measures_each_file_by_itself(folder, tmp_path, capsys):
    options = ["--single-planes", "--distance-model", "a2k_like", "--limit-distance-um", "30", "--target", "cells=+12"]
    assert main(["beads", str(folder), *OPTIONS, *options, "-o", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "um above the REFP +-" in shown
    assert "target cells=+12: move z by" in shown
    with (tmp_path / "summary.csv").open() as file:
        rows = {row["stack"]: row for row in csv.DictReader(file)}
    assert float(rows["at_-70.tif"]["distance_um"]) == pytest.approx(-70.0, abs=5.0)
    assert [rows[name]["verdict"] for name in ("at_25.tif", "at_150.tif", "blank.tif")] == ["pass", "fail", "fail"]
    assert rows["blank.tif"]["status"] == status.NO_CONTENT
    assert (tmp_path / "pictures" / "at_25.tif_distances.png").stat().st_size > 5000
    assert "The plane lies <b>" in (tmp_path / "report.html").read_text()


def test_every_plane_of_a_stack_is_an_image_too(planes, tmp_path, capsys):
    tifffile.imwrite(tmp_path / "stack.tif", planes[1:3])
    options = ["--single-planes", "--distance-model", "a2k_like", "-o", str(tmp_path / "out")]
    assert main(["beads", str(tmp_path / "stack.tif"), *OPTIONS, *options]) == 0
    shown = capsys.readouterr().out
    assert "stack.tif z0: " in shown
    assert "stack.tif z1: " in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--single-planes"], "single planes need a distance model"),
        (["--single-planes", "--distance-model", "a2k_like", "--repeats"], "no z table and no repeats"),
        (["--distance-model", "mine"], "no model 'mine' for bead_distance"),
    ],
)
def test_command_line_names_what_is_wrong_before_it_writes(folder, tmp_path, capsys, options, message):
    assert main(["beads", str(folder), *OPTIONS, *options, "-o", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
