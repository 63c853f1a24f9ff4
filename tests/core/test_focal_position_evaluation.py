"""Evaluation of focal positions, on models made by hand and on few small stacks."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import tifffile
from tiny_focal_position import peak, write_told

from parfocal.cli import main
from parfocal.focal_position.errors import PositionErrors
from parfocal.focal_position.evaluation import (
    bin_width,
    evaluate_focal_position,
    few_images,
    learning_curve,
    real,
    simulated,
    small_networks,
)
from parfocal.focal_position.evaluation.plan import Plan
from parfocal.focal_position.evaluation.small_networks import Trained, settings_of
from parfocal.focal_position.evaluation.tables import certainty_table, sweep_table
from parfocal.focal_position.simulation import simulate_stack
from parfocal.focal_position.stacks import LabelledStack, read_list
from parfocal.registry import ModelError, shipped_file

pytestmark = pytest.mark.current_python


def plan(tmp_path, **changes):
    given = {"images": None, "listed": None, "model": "default", "stacks": 2, "steps": 1, "seed": 0, **changes}
    return Plan(tmp_path / "report", **given)


def test_a_network_that_always_tells_the_same_is_found_out_on_simulated_stacks(tmp_path, capsys):
    model = write_told(tmp_path / "model", peak(3.0))
    out = tmp_path / "report"
    assert main(["evaluate", "focal-position", "-o", str(out), "--model", model, "--stacks", "2"]) == 0
    report = (out / "report.md").read_text()
    for heading in ("Simulated stacks", "Error against certainty", "By kind", "Sweeps"):
        assert f"## {heading}" in report
    assert "sign_unknown" in report and "no_content" in report
    assert "Brenner" in report and "MarrHildreth" in report and "IQA" in report
    with pytest.raises(FileExistsError, match="not empty"):
        evaluate_focal_position(str(out), model=model)


def test_a_few_images_find_the_focal_plane_of_simulated_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(few_images, "KINDS", ("cells",))
    monkeypatch.setattr(few_images, "ABERRATIONS_WAVES", (0.0,))
    found = few_images.sections(plan(tmp_path, stacks=3))
    summary = found.sections[0].tables[0].iloc[0]
    assert (summary["runs"], summary["found"]) == (3, 1.0)
    assert 3 <= summary["images"] <= 6 and summary["median error um"] < 0.5
    assert (found.rows["error um"].abs() < 1.0).all()
    assert (found.rows["start um"].abs() <= few_images.START_UM).all()


def test_simulated_stacks_say_nothing_of_a_model_of_real_ones(tmp_path):
    model = write_told(tmp_path / "model", peak(3.0), unit="um", sign="trained")
    with pytest.raises(ModelError, match="trained on real stacks"):
        simulated.sections(plan(tmp_path, model=model))


def test_sweeps_find_the_focal_plane_of_a_clean_stack():
    made = simulate_stack(np.arange(-8.0, 8.1, 4.0), kind="beads", size_px=128, photons=5000.0)
    table = sweep_table([LabelledStack(made.stack_zyx, made.z_um, 0.0)]).set_index("method")
    assert table.loc["Brenner", "median um"] == 0
    assert (table["images of a sweep"] == 5).all()


def test_errors_are_sorted_by_certainty():
    rows = [
        {"told_um": error, "true_um": 0.0, "certainty": certainty, "deviation_um": 1.0}
        for error, certainty in ((5.0, 0.7), (1.0, 0.97), (3.0, 0.97), (0.1, 1.0), (math.nan, 1.0))
    ]
    table = certainty_table(PositionErrors(rows))
    assert table["planes"].tolist() == [1, 0, 0, 2, 1]
    assert table["median um"].dropna().tolist() == [5.0, 2.0, 0.1]
    assert table["within 2 deviations"].dropna().tolist() == [0.0, 0.5, 1.0]


def test_real_samples_are_calibrated_on_one_field_and_judged_on_the_other(tmp_path):
    z_um = np.arange(-6.0, 6.1, 3.0)
    for number in range(2):
        made = simulate_stack(z_um, seed=number, size_px=100)
        tifffile.imwrite(tmp_path / f"f{number}.tif", made.stack_zyx)
        (tmp_path / f"f{number}_planes.csv").write_text("z_um\n" + "".join(f"{z}\n" for z in z_um))
    sides = {side: [{"path": f"f{number}.tif", "focal_plane": 2}] for number, side in enumerate(("first", "second"))}
    listed = tmp_path / "listed.json"
    listed.write_text(json.dumps({"stacks": [{"name": "pair", **sides}]}))
    found = real.sections(plan(tmp_path, images=str(tmp_path), listed=str(listed), model="new"))
    assert found.rows["true_um"].tolist() == z_um.tolist()
    assert set(found.rows["stack"]) == {"f1"}


def test_real_stacks_need_a_folder(tmp_path):
    with pytest.raises(ValueError, match="images must name the folder"):
        real.sections(plan(tmp_path))


def test_the_listed_real_samples_have_two_fields_that_differ():
    for sample in read_list(shipped_file("focal_position_stacks.json")):
        first, second = ({stack["path"] for stack in sample[side]} for side in ("first", "second"))
        assert first and second and not first & second


def test_the_matrix_of_inferred_against_true_has_a_row_for_each_true_bin(tmp_path):
    settings = settings_of(plan(tmp_path), half_range=2.0)
    probability = np.eye(5)[[0, 2, 3, 4]]
    found = Trained(np.array([-2.0, 0.1, 0.9, 5.0]), np.zeros(4), probability, 0.0)
    matrix = bin_width.inferred_matrix(settings, found)
    assert np.isnan(matrix[1]).all()
    assert matrix[[0, 2, 3, 4]].tolist() == probability.tolist()
    bin_width.draw_matrix(tmp_path / "matrix.png", settings, found)
    assert (tmp_path / "matrix.png").stat().st_size > 1000


def test_errors_of_a_study_are_those_of_the_paper():
    found = Trained(np.array([0.0, 2.0]), np.array([1.0, 5.0]), np.zeros((2, 3)), 0.5)
    row = found.row()
    assert (row["mean error um"], row["deviation um"], row["mean squared error um2"]) == (2.0, 1.0, 5.0)


@pytest.mark.parametrize(("network", "downsampling"), [("default", 1), ("default", 2), ("wei2018", 4)])
def test_a_study_trains_either_network_and_infers_every_plane(tmp_path, monkeypatch, network, downsampling):
    monkeypatch.setattr(small_networks, "CROP_PX", 128)
    monkeypatch.setattr(small_networks, "_PLANES", 5)
    asked = plan(tmp_path, network=network, steps=2)
    train, test = small_networks.study_stacks(2, 1), small_networks.study_stacks(1, 2)
    found = small_networks.trained(settings_of(asked, downsampling=downsampling), train, test)
    assert found.true_um.tolist() == [-20.0, -10.0, 0.0, 10.0, 20.0]
    assert found.probability.shape == (5, 41) and np.allclose(found.probability.sum(axis=1), 1)
    assert np.isfinite(found.row()["median um"]) and f"`{network}` on" in small_networks.budget(asked, 2)


def test_the_learning_curve_trains_on_ever_more_stacks(tmp_path, monkeypatch):
    asked = []

    def fake(settings, train, test):
        asked.append(len(train))
        return Trained(np.zeros(1), np.ones(1), np.zeros((1, 3)), 0.0)

    monkeypatch.setattr(learning_curve, "trained", fake)
    monkeypatch.setattr(learning_curve, "study_stacks", lambda count, seed: list(range(count)))
    found = learning_curve.sections(plan(tmp_path, stacks=16))
    assert asked == [2, 4, 8, 16] == found.rows["stacks"].tolist()
