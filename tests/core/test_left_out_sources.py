"""Leave-one-source-out: each source is measured by a network that has not seen it, and runs are used again."""

from __future__ import annotations

from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

from parfocal.focus_quality import fit, settings
from parfocal.focus_quality.evaluation import evaluate_focus_quality, left_out_runs

pytestmark = pytest.mark.current_python


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory, nuclei):
    """Two sources of three fields each, and one that cannot be used."""
    folder = tmp_path_factory.mktemp("images")
    for source, first in (("red", 0), ("blue", 3)):
        (folder / source).mkdir()
        for i in range(3):
            x = 100 * (first + i) % (nuclei.shape[1] - 100)
            iio.imwrite(folder / source / f"field{i}.png", nuclei[:100, x : x + 100])
    (folder / "red" / "blank.png").write_bytes(iio.imwrite("<bytes>", np.full((90, 90), 7, np.uint8), extension=".png"))
    return folder


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Both may be trained on."""
    path = tmp_path_factory.mktemp("sources") / "sources.json"
    rules = ",".join(
        f'{{"source": "{name}", "pattern": "{name}/(?P<field>.+)[.]png", "stain": "DNA", "train": true}}'
        for name in ("red", "blue")
    )
    path.write_text(f'{{"sources": [{rules}]}}')
    return path


@pytest.fixture(scope="module")
def report(image_folder, sources, tmp_path_factory):
    """Report of runs of two steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "VALIDATION_BATCHES", 1)
        patch.setattr(
            settings, "CONFIGS", {"default": replace(settings.CONFIGS["default"], batch_size=8, simulated_pictures=2)}
        )
        output = tmp_path_factory.mktemp("report") / "report"
        yield evaluate_focus_quality(
            str(image_folder), str(output), sources=str(sources), leave_one_source_out=True, steps=2
        )


def test_each_source_is_measured_by_the_run_that_has_not_seen_it(report):
    table = report.tables["left_out"]
    assert list(table["source"]) == ["blue", "red", "all"]
    assert {"answered", "exact", "within_one", "rmse", "rank_correlation", "calibration_error"} <= set(table.columns)
    assert table["exposures"].iloc[-1] == table["exposures"].iloc[:-1].sum() == 6 * 11
    for source, other in (("blue", "red"), ("red", "blue")):
        card = (report.output / "runs" / source / "card.md").read_text()
        assert f"| {other} |" in card
        assert f"| {source} |" not in card
    assert [row[1] for row in report.refused] == ["red"]
    assert "Sources left out" in report.report.read_text()


def test_finished_runs_are_loaded_and_not_trained_again(report, image_folder, sources, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(left_out_runs, "fit_network", never)
    runs = str(report.output / "runs")
    again = evaluate_focus_quality(
        str(image_folder), str(tmp_path / "r"), sources=str(sources), leave_one_source_out=True, steps=2, runs=runs
    )
    pd.testing.assert_frame_equal(again.tables["left_out"], report.tables["left_out"])


def test_runs_of_another_budget_are_refused(report, image_folder, sources, tmp_path):
    with pytest.raises(ValueError, match=r"same settings, got \{'steps': 2\}"):
        evaluate_focus_quality(
            str(image_folder),
            str(tmp_path / "r"),
            sources=str(sources),
            leave_one_source_out=True,
            steps=3,
            runs=str(report.output / "runs"),
        )


def test_one_source_cannot_be_left_out(image_folder, tmp_path):
    with pytest.raises(ValueError, match="needs 2 sources that may be trained on, got "):
        evaluate_focus_quality(str(image_folder / "red"), str(tmp_path / "r"), leave_one_source_out=True)
