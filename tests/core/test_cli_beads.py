from __future__ import annotations

import csv
import json

import bead_files as bf
import numpy as np
import pandas as pd
import pytest

import parfocal.beads.batch.measure
from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.cli import main
from parfocal.commands import command_spec

pytestmark = pytest.mark.current_python

STEP = ["--z-step-um", "10"]


@pytest.fixture
def no_pictures(monkeypatch):
    """Save the time that pictures take, where it is the tables that matter."""
    monkeypatch.setattr(parfocal.beads.batch.measure, "_draw", lambda *_: [])


def beads(*arguments):
    return main(["beads", *map(str, arguments)])


def summary(output):
    return pd.read_csv(output / "summary.csv")


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """A stack in a TIFF file that says nothing of itself."""
    return bf.write_stack(tmp_path_factory.mktemp("stacks") / "beads.tif", bf.bead_stack())


@pytest.fixture(scope="module")
def measured(plain, tmp_path_factory):
    """Folder of a run with everything, and its history."""
    folder = tmp_path_factory.mktemp("run")
    limits = ["--limit-interval-um", "3", "--limit-tilt-um-per-mm", "20", "--fewest-beads", "4"]
    history = ["--history", folder / "history.csv", "--instrument", "<A&B>", "--date", "2024-11-20"]
    code = beads(plain, *bf.KNOWN, *STEP, *limits, *history, "--target", "cells=+12", "-o", folder / "out")
    assert code == 0
    return folder


def test_command_line_gives_the_numbers_of_the_command(measured):
    row = summary(measured / "out").iloc[0]
    result = measure_bead_focal_plane(bf.bead_stack(), bf.PIXEL_UM, bf.DIAMETER_UM, z_step_um=bf.STEP_UM)
    assert row["reference_focal_plane_um"] == pytest.approx(result.reference_focal_plane_um, rel=1e-12)
    assert (row["interval_low_um"], row["interval_high_um"]) == pytest.approx(result.interval_um, rel=1e-12)
    assert (row["n_beads"], row["n_planes"], row["z_origin"]) == (4, 21, "first_plane")
    assert abs(row["reference_focal_plane_um"] - 103.0) < 2.5


def test_tables_list_every_bead_and_every_plane(measured):
    table, planes = (pd.read_csv(measured / "out" / name) for name in ("beads.csv", "planes.csv"))
    found = table[table["used"]]
    np.testing.assert_allclose(found[["y_px", "x_px"]], bf.CENTRES_YX_PX[[1, 0, 2, 3]], atol=0.3)
    np.testing.assert_allclose(planes["z_um"], np.arange(21) * 10.0)
    assert planes["centre_intensity"].idxmax() == 10
    assert planes["steepest_slope"].idxmin() == 10
    assert (planes["centre_intensity_beads"] >= 3).all()
    assert (planes["saturated_share"] == 0).all()


def test_summary_as_json_holds_criteria_and_targets(measured):
    about = json.loads((measured / "out" / "summary.json").read_text())
    (stack,) = about["stacks"]
    assert about["limits"] == {"interval_um": 3.0, "tilt_um_per_mm": 20.0, "fewest_beads": 4}
    assert [criterion["passed"] for criterion in stack["criteria"]] == [True, True, True]
    assert stack["verdict"] == "pass"
    (target,) = stack["targets"]
    assert target["z_um"] == pytest.approx(stack["reference_focal_plane_um"] + 12, rel=1e-12)
    assert stack["curvature_um_per_mm2"] is None


def test_report_holds_its_pictures_and_escapes_names(measured):
    html = (measured / "out" / "report.html").read_text()
    assert html.count('src="data:image/png;base64,') == 4
    assert "http" not in html
    assert "&lt;A&amp;B&gt;" in html
    assert "<A&B>" not in html
    assert ">Pass</span>" in html
    assert len(list((measured / "out" / "pictures").glob("*.png"))) == 4


def test_history_has_the_row_of_the_run(measured):
    (row,) = csv.DictReader((measured / "history.csv").open())
    assert (row["date"], row["instrument"], row["verdict"], row["n_beads"]) == (
        "2024-11-20T00:00",
        "<A&B>",
        "pass",
        "4",
    )
    assert row["targets"] == "cells=+12"
    assert float(row["target_z_um"]) == pytest.approx(float(row["reference_focal_plane_um"]) + 12, abs=1e-3)


def test_options_are_those_of_the_command(capsys):
    assert main(["beads", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for parameter in command_spec(measure_bead_focal_plane).parameters:
        is_option = not parameter.param.array and parameter.name != "target_offset_um"
        assert (f"--{parameter.name.replace('_', '-')} " in text) is is_option


@pytest.mark.usefixtures("no_pictures")
def test_output_in_use_is_kept_unless_overwriting_is_allowed(plain, tmp_path, capsys):
    (tmp_path / "planes.csv").write_text("mine")
    assert beads(plain, *bf.KNOWN, *STEP, "-o", tmp_path) == 2
    assert "planes.csv exists" in capsys.readouterr().err
    assert (tmp_path / "planes.csv").read_text() == "mine"
    assert beads(plain, *bf.KNOWN, *STEP, "-o", tmp_path, "--overwrite") == 0
    assert len(pd.read_csv(tmp_path / "planes.csv")) == 21


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--z-step-um", "0"], r"z_step_um must be in [0.0001, 1000.0] um, got 0.0"),
        ([*STEP, "--target", "near"], "a target must be NAME=DISTANCE in um, such as cells=+12, got 'near'"),
        ([*STEP, "--target", "a=1", "--target", "a=2"], "targets must have different names, got 'a' twice"),
        ([*STEP, "--limit-interval-um", "0"], "the limit interval_um must be above 0 and finite, got 0.0"),
        ([*STEP, "--date", "20.11.2024"], "a date must be like 2024-11-21 or 2024-11-21T14:30, got '20.11.2024'"),
        ([*STEP, "--z-csv", "x.csv"], "give the z step or a table of positions, got both"),
        (["--z-csv", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_wrong_argument_is_one_line_and_writes_nothing(plain, tmp_path, capsys, arguments, message):
    assert beads(plain, *bf.KNOWN, *arguments, "-o", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_bead_diameter_is_required(plain, tmp_path, capsys):
    assert beads(plain, "-o", tmp_path / "out") == 2
    assert "--bead-diameter-um" in capsys.readouterr().err


@pytest.mark.usefixtures("no_pictures")
def test_limits_that_are_not_kept_fail_and_no_limit_gives_no_verdict(plain, tmp_path):
    assert beads(plain, *bf.KNOWN, *STEP, "-o", tmp_path / "a", "--fewest-beads", "5") == 0
    assert summary(tmp_path / "a").loc[0, "verdict"] == "fail"
    assert ">Fail</span>" in (tmp_path / "a" / "report.html").read_text()
    assert beads(plain, *bf.KNOWN, *STEP, "-o", tmp_path / "b") == 0
    assert summary(tmp_path / "b")["verdict"].isna().all()
    assert ">No verdict</span>" in (tmp_path / "b" / "report.html").read_text()


@pytest.mark.usefixtures("no_pictures")
def test_repeats_are_pooled_and_their_shift_is_found(plain, tmp_path):
    other = bf.write_stack(tmp_path / "other.tif", bf.bead_stack(1, 8.0))
    assert beads(plain, other, *bf.KNOWN, *STEP, "--repeats", "-o", tmp_path / "out") == 0
    table = summary(tmp_path / "out")
    assert table["pooled_is_reference"].sum() == 1
    first, second = table["pooled_reference_focal_plane_um"]
    assert second - first == pytest.approx(5.0, abs=1.0)
    assert abs(table["pooled_shift_um"]).max() == pytest.approx(second - first, rel=1e-6)
