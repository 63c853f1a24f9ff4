"""Evaluation of bead focal planes: two small cases, and real stacks taken twice."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from parfocal.beads.evaluation import evaluate, real, simulated
from parfocal.beads.evaluation.evaluate import evaluate_bead_focal_plane

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
    found = evaluate_bead_focal_plane(str(tmp_path / "out"), str(folder), str(listed), stacks_per_case=2)
    table = found.tables["simulated"].set_index("case")
    assert table["stacks"].to_dict() == {"coarse": 2, "dim": 2, "all": 4}
    assert (table["median error, steps"] < 0.25).all()
    assert found.tables["repeatability"]["acquisitions"].tolist() == [2]
    report = (tmp_path / "out" / "report.md").read_text()
    assert "## Simulated stacks" in report
    assert "## Real stacks" in report
    written = pd.read_csv(tmp_path / "out" / "simulated_stacks.csv")
    assert len(written) == 4


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
