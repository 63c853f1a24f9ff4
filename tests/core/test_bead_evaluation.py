"""Evaluation of bead focal planes: two small cases, and real stacks taken twice."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from parfocal.beads.distance import evaluation, scenes
from parfocal.beads.evaluation import distance, evaluate, images, real, simulated
from parfocal.beads.evaluation.evaluate import evaluate_bead_focal_plane

pytestmark = pytest.mark.cellprofiler_python

REAL = Path(__file__).parents[1] / "data" / "beads"


@pytest.fixture
def few_cases(monkeypatch):
    coarse = replace(simulated.CASES[0], name="coarse", z_step_um=15.0, n_beads=3)
    cases = (coarse, replace(coarse, name="dim", light=1 / 9))
    for module in (simulated, evaluate):
        monkeypatch.setattr(module, "CASES", cases)


@pytest.fixture
def repeats(tmp_path):
    """Both acquisitions of the real field, with tables of their planes, and a list that names them and a third."""
    entries = []
    for number in (1, 2):
        name = f"fluorescent_beads_acq{number}"
        shutil.copy(REAL / f"{name}.tif", tmp_path)
        rows = [f"{plane},{5.0 * plane}" for plane in range(10)]
        (tmp_path / f"{name}_planes.csv").write_text("\n".join(["plane,z_um", *rows]))
        entries.append({"name": name, "repeat_of": "field", "path": f"{name}.tif", "pixel_size_um": 1.3668})
    entries.append({**entries[0], "path": "absent.tif"})
    stacks = [{**entry, "bead_diameter_um": 18.0, "contrast": "fluorescence"} for entry in entries]
    listed = tmp_path / "stacks.json"
    listed.write_text(json.dumps({"stacks": stacks}))
    return tmp_path, listed


def test_report_holds_simulated_and_real_stacks(few_cases, repeats, tmp_path):
    folder, listed = repeats
    found = evaluate_bead_focal_plane(
        str(tmp_path / "out"), str(folder), str(listed), part="focal_plane", stacks_per_case=2
    )
    table = found.tables["simulated"].set_index("case")
    assert table["stacks"].to_dict() == {"coarse": 2, "dim": 2, "all": 4}
    assert (table["median error, steps"] < 0.25).all()
    assert found.tables["repeatability"]["acquisitions"].tolist() == [2]
    report = (tmp_path / "out" / "report.md").read_text()
    assert "## Simulated stacks" in report
    assert "## Real stacks" in report
    written = pd.read_csv(tmp_path / "out" / "simulated_stacks.csv")
    assert len(written) == 4


@pytest.fixture
def few_optics(monkeypatch):
    """One model, one bead diameter, one thing that is untrained, one that is no bead."""
    monkeypatch.setattr(distance, "OPTICS", {"a2k_like": distance.OPTICS["a2k_like"]})
    monkeypatch.setattr(evaluation, "UNTRAINED", {"a2k_like": ({}, {"bead_diameter_um": 35.0})})
    empty = np.random.default_rng(0).normal(120, 2, (4, 64, 64)).astype(np.float32)
    monkeypatch.setattr(evaluation, "outside_scenes", lambda name, n, seed: {"empty": (empty, np.full(4, np.nan))})
    for module in (scenes, images):
        monkeypatch.setattr(module, "_DIAMETERS", 1)


def test_report_holds_the_distance_of_crops_and_of_whole_images(few_optics, tmp_path):
    found = evaluate_bead_focal_plane(str(tmp_path / "out"), part="distance", fields=4)
    tables = {name.replace("distance_", ""): table for name, table in found.tables.items()}
    assert tables["goals"].loc[0, "reached"]
    assert tables["beads"]["beads"].tolist() == ["1", "2", "3", "6", "10", "20", "guess of 0"]
    assert tables["beads"]["means"].tolist()[:6] == [80, 40, 24, 12, 8, 4]
    assert tables["networks"]["networks"].tolist() == ["1", "2", "3", "4"] * 2
    assert tables["refused"][["crops of", "refused"]].to_numpy().tolist() == [["empty", 1.0]]
    untrained = tables["untrained"].set_index("optics")["answered"]
    assert untrained.to_dict() == {"as trained": 1.0, "bead_diameter_um 35": 0.0}
    whole = tables["images"]
    assert whole.loc[whole["distance um"] == "all", "images"].tolist() == [2, 2]
    assert (whole.loc[whole["distance um"] == "all", "beads found"] == 1).all()
    report = (tmp_path / "out" / "report.md").read_text()
    assert "98.4% within 10 um over -300 to 300 um; 100.0%: reached" in report
    assert "Simulated stacks" not in report
    for plot in ("distance_by_beads.png", "distance_by_networks.png"):
        assert f"]({plot})" in report
        assert (tmp_path / "out" / plot).read_bytes().startswith(b"\x89PNG")


def test_goals_are_held_against_what_was_answered_too():
    figures = {"answered": 0.98, "within 10 um": 1.0, "median error um": 6.2}
    far, fine = (distance._goal(name, figures) for name in ("a2k_like", "nikon_like"))
    assert (far["found"], far["reached"]) == ("98.0%", False)
    assert "one depth of field (6.11 um)" in fine["goal"]
    assert not fine["reached"]
    assert distance._goal("nikon_like", {**figures, "median error um": 6.1})["reached"]


def test_things_taken_for_beads_are_counted():
    rows = pd.DataFrame(
        {
            "scene": "a",
            "distance_um": [-5.0, 5.0, 6.0],
            "found": [8, 4, 0],
            "false": [0, 1, 0],
            "status": ["ok", "ok", "no_content"],
            "error_um": [1.0, -20.0, np.nan],
            "covered": [True, False, None],
        }
    )
    found = images.summarise_images(rows, (-12.0, 12.0), 2).set_index("distance um")
    assert found.loc["all", "beads found"] == 0.5
    assert found.loc["0 to 12", "taken for beads"] == 0.5
    assert found["answered"].tolist() == pytest.approx([2 / 3, 1, 0.5])
    assert found["within 10 um"].tolist() == [0.5, 1, 0]
    assert found.loc["all", "largest error um"] == 20


def test_same_seed_gives_the_same_numbers(few_cases, monkeypatch):
    monkeypatch.setattr(simulated, "CASES", simulated.CASES[:1])
    first, again = ([row["error_um"] for row in simulated.run_simulated(1, 5)] for _ in range(2))
    assert first == again


def test_summary_counts_errors_in_steps():
    rows = pd.DataFrame(
        {
            "case": "a",
            "status": ["ok", "ok", "ok", "no_content"],
            "error_um": [1.0, -3.0, 12.0, np.nan],
            "error_steps": [0.1, 0.3, 1.2, np.nan],
            "half_interval_um": [2.0, 2.0, 2.0, np.nan],
            "covered": [True, False, False, None],
        }
    )
    found = simulated.summarise(rows).set_index("case").loc["a"]
    assert found["answered"] == 0.75
    assert found["median error, steps"] == 0.3
    assert found["within a quarter"] == pytest.approx(1 / 3)
    assert found["within one"] == pytest.approx(2 / 3)
    assert found["covered"] == pytest.approx(1 / 3)


def test_parabola_finds_a_vertex_between_planes():
    z = np.arange(-20.0, 21.0, 5.0)
    contrast = np.sqrt(np.maximum(400.0 - (z - 1.7) ** 2, 0))
    stack = 100.0 + contrast[:, None, None] * np.tile([[1.0, -1.0], [-1.0, 1.0]], (4, 4))
    assert real.parabola_of_variance(stack, z) == pytest.approx(1.7, abs=1e-6)


def test_output_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        evaluate_bead_focal_plane(str(tmp_path))


def test_absent_real_stacks_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none of the stacks"):
        evaluate_bead_focal_plane(str(tmp_path / "out"), images=str(tmp_path))
