"""`parfocal calibrate-beads` on simulated TIFF files, with a tiny network in place of the real ones."""

from __future__ import annotations

import json
from dataclasses import replace

import bead_files as bf
import numpy as np
import pandas as pd
import pytest
import tifffile
from tiny_bead_network import tiny_network

from parfocal import measure_bead_focal_plane
from parfocal.beads.calibrate import CalibrationSettings, calibrate_beads
from parfocal.beads.calibrate.study import calibration_study
from parfocal.beads.distance import fit, read_labelled_crops, settings, signed_distance
from parfocal.cli import main

pytestmark = pytest.mark.cellprofiler_python

ARGUMENTS = [*bf.KNOWN, "--z-step-um", str(bf.STEP_UM), "--members", "1"]


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        tiny = {name: replace(c, validation_steps=10, batch_size=8) for name, c in settings.CONFIGS.items()}
        patch.setattr(settings, "CONFIGS", tiny)
        patch.setattr(fit, "build_network", tiny_network)
        yield


def calibrate(*arguments):
    return main(["calibrate-beads", *map(str, arguments)])


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    """Four stacks of other fields and exposures, the last one as a folder of planes in which one is damaged."""
    folder = tmp_path_factory.mktemp("stacks")
    files = [bf.write_stack(folder / f"s{i}.tif", bf.bead_stack(i, 3.0 + 4 * i)) for i in range(3)]
    dim = (bf.bead_stack(3, -5.0) * 0.6).astype(np.uint8)
    planes = bf.write_planes(folder / "planes", dim)
    (planes / "z_3.tif").write_bytes(b"no image")
    return [*files, planes]


@pytest.fixture(scope="module")
def model(stacks, tmp_path_factory):
    """Model folder from three good stacks, a folder of planes, a file that is none, and a stack that misses focus."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "broken.tif").write_bytes(b"no image")
    high = bf.write_stack(folder / "high.tif", bf.bead_stack(0)[13:])
    given = [*stacks, folder / "broken.tif", high, *ARGUMENTS, "--steps", "20", "--start-from", "new"]
    optics = ["--numerical-aperture", "0.13", "--wavelength-um", "0.55"]
    assert calibrate(*given, *optics, "-o", folder / "model") == 0
    return folder / "model"


def test_model_folder_answers_at_once(model):
    config = json.loads((model / "config.json").read_text())
    assert (config["crop_px"], config["pixel_size_um"], config["members"]) == (64, 1.5, 1)
    crops = read_labelled_crops(model / "calibration" / "kept_back")
    found = signed_distance(crops.crops_nyx[:4], bf.PIXEL_UM, bf.DIAMETER_UM, model)
    assert len(found.bead_status) == 4
    single = measure_bead_focal_plane(bf.bead_stack()[5], bf.PIXEL_UM, bf.DIAMETER_UM, distance_model=str(model))
    assert len(single.plane_distances) == 1
    assert not (model / "checkpoints").exists()


def test_every_stack_has_its_role_or_a_reason(model):
    table = pd.read_csv(model / "calibration" / "stacks.csv").set_index("stack")
    assert sorted(table["role"]) == ["kept back", "left out", "left out", "limits", "training", "training"]
    assert table["role"].tolist()[4:] == ["left out"] * 2
    assert table["reason"].notna().tolist() == [False] * 4 + [True] * 2
    assert table["planes"].tolist() == [21, 21, 21, 20, 0, 0]
    np.testing.assert_allclose(table["refp_um"].iloc[:3], 100 + np.array([3.0, 7.0, 11.0]), atol=2.5)
    assert table["background"].iloc[3] == pytest.approx(0.6 * table["background"].iloc[0], rel=0.03)


def test_stacks_kept_back_are_not_trained_from(model):
    trained, kept = (read_labelled_crops(model / "calibration" / name) for name in ("training", "kept_back"))
    assert not set(trained.stack_index) & set(kept.stack_index)
    assert len(np.unique(trained.stack_index)) == 3
    assert len(np.unique(kept.stack_index)) == 1
    rows = pd.read_csv(model / "calibration" / "crops.csv")
    assert rows["kept"].sum() == len(trained) + len(kept)
    low, high = json.loads((model / "config.json").read_text())["trained_range_um"]
    assert (low, high) == pytest.approx((trained.distance_um.min(), trained.distance_um.max()))


def test_report_holds_the_figures_of_the_tables(model):
    details = model / "calibration"
    by_beads = pd.read_csv(details / "by_beads.csv")
    assert by_beads["beads"].tolist() == ["1", "2", "3", "all 4"]
    text = (details / "report.md").read_text()
    for part in ("broken.tif", "high.tif", "One depth of field is 32.5 um", "new networks, as asked for"):
        assert part in text
    assert "kept back" in (model / "card.md").read_text()
    for picture in ("read_distance.png", "number_of_beads.png"):
        assert picture in text
        assert (details / picture).stat().st_size > 5000
    readings = pd.read_csv(details / "readings.csv")
    whole = readings[readings["group"] == 0]
    accuracy = pd.read_csv(details / "accuracy.csv").iloc[0]
    assert accuracy["images"] == len(whole)
    assert accuracy["answered"] == pytest.approx(whole["answered"].mean())


def test_another_model_is_begun_from_and_compared_with(model, stacks, tmp_path):
    made = calibrate_beads(
        stacks[:2],
        tmp_path / "tuned",
        bf.DIAMETER_UM,
        bf.PIXEL_UM,
        z_step_um=bf.STEP_UM,
        start_from=str(model),
        members=1,
        steps=2,
    )
    assert made.tables["accuracy"]["model"].tolist() == ["model as it was", "calibrated"]
    assert "fine-tuned from `model`, as asked for" in made.start
    assert sorted(made.roles) == ["kept back", "training"]
    assert "too narrow" in (made.details / "report.md").read_text()


def test_one_stack_is_not_enough_unless_no_error_is_asked_for(stacks, tmp_path, capsys):
    one = [stacks[0], *ARGUMENTS, "--start-from", "new", "--steps", "1", "-o", tmp_path / "m"]
    assert calibrate(*one) == 2
    assert (
        "2 stacks or more are needed, got 1 that can be used: a stack that was trained from" in capsys.readouterr().err
    )
    assert not (tmp_path / "m").exists()
    assert calibrate(*one, "--keep-back", "0") == 0
    assert "the error is not known" in capsys.readouterr().out
    assert "the error is not known" in (tmp_path / "m" / "calibration" / "report.md").read_text()


def test_repeated_and_unsorted_planes_are_taken_as_they_are(tmp_path):
    order = np.random.default_rng(1).permutation(np.append(np.arange(21), [4, 9]))
    for seed in (0, 1):
        bf.write_stack(tmp_path / f"s{seed}.tif", bf.bead_stack(seed, 3.0 + 4 * seed)[order])
    table = bf.write_positions(tmp_path / "z.csv", bf.Z_UM[order])
    given = [tmp_path / "s0.tif", tmp_path / "s1.tif", *bf.KNOWN, "--z-csv", table, "--members", "1"]
    assert calibrate(*given, "--steps", "1", "--start-from", "new", "-o", tmp_path / "m") == 0
    crops = read_labelled_crops(tmp_path / "m" / "calibration" / "training")
    _, counts = np.unique(crops.distance_um, return_counts=True)
    assert sorted(counts) == [4] * 19 + [8] * 2


def test_a_used_output_folder_is_not_touched(stacks, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert calibrate(*stacks[:2], *ARGUMENTS, "-o", tmp_path) == 2
    assert "is not empty: choose another output folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["nowhere.tif"], "no such file or folder: nowhere.tif"),
        (["--start-from", "nothing"], "no model 'nothing' for bead_distance"),
        (["--start-from", "nikon_like"], "does not fit: pixels must be 0.52 to 0.8125 um wide, they are 1.5"),
        (["--numerical-aperture", "1.4", "--wavelength-um", "0.55"], "immersion_index=1.0"),
        (["--keep-back", "-1"], "keep_back must be at least 0"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(stacks, tmp_path, capsys, change, message):
    assert calibrate(*stacks[:1], *change, *ARGUMENTS, "-o", tmp_path / "m") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_stacks_without_beads_are_all_listed(tmp_path, capsys):
    noise = np.random.default_rng(1).integers(90, 110, (6, 120, 120)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", noise, photometric="minisblack")
    assert calibrate(tmp_path / "a.tif", *ARGUMENTS, "-o", tmp_path / "m") == 2
    told = capsys.readouterr().err
    assert "none of the 1 stacks can be used: a.tif: no_content" in told


def test_study_compares_the_shipped_model_with_calibrated_ones():
    quick = CalibrationSettings(start_from="new", members=1, steps=1)
    table = calibration_study(cases=({"bead_diameter_um": 20.0},), trained_stacks=(1,), settings=quick, n_planes=17)
    assert table["optics"].tolist() == ["bead_diameter_um 20"] * 2
    assert table["stacks"].tolist() == [0, 1]
    assert table["answered"].iloc[0] == 0
    assert table["median_error_none_refused_um"].iloc[0] > 20
    assert table["images"].tolist() == [2 * 14] * 2
