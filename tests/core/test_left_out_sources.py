"""Leave-one-source-out: each source is measured by a network that has not seen it, and runs are used again."""

from __future__ import annotations

import json
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

from parfocal.focus_quality import fit, settings
from parfocal.focus_quality.aggregate import sharpened
from parfocal.focus_quality.evaluation import evaluate_focus_quality, left_out_runs
from parfocal.focus_quality.evaluation.left_out_pooling import fitted_pooling, pooled_by_others
from parfocal.focus_quality.evaluation.synthetic import Gallery, SyntheticRun

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


def test_the_network_of_all_sources_lies_beside_the_report_with_the_fitted_pooling(report):
    table = report.tables["pooling"].set_index("patches")
    assert list(table.index) == ["averaged", "independence of the other sources"]
    config = json.loads((report.output / "model" / "config.json").read_text())
    assert config["pooling"]["independence"] == table["independence"].iloc[1]
    assert config["pooling"]["smallest_share_near"] == settings.SMALLEST_SHARE_NEAR
    assert json.loads((report.output / "runs" / "red" / "config.json").read_text())["pooling"]["independence"] == 0


def measured(rng, count=300):
    """Images of three sources whose patches count for n^0.4, and one without an answer."""
    middle, width = rng.uniform(0, 10, (count, 1)), rng.uniform(0.5, 1.5, (count, 1))
    exact = np.exp(-0.5 * ((np.arange(11) - middle) / width) ** 2)
    exact /= exact.sum(axis=1, keepdims=True)
    numbers = rng.uniform(1, 30, count)
    means = sharpened(exact, 1 / numbers, 0.4)
    means[-1] = np.nan
    rows = {
        "source": rng.choice(["a", "b", "c"], count),
        "true_level": [rng.choice(11, p=row) for row in exact],
        "model": "network",
        "status": ["ok"] * (count - 1) + ["no_content"],
        "effective_patches": numbers,
        "defocus_level": means @ np.arange(11.0),
        "mean_certainty": 0.5,
    }
    empty = dict.fromkeys(("predicted_level", "certainty", "confidence"), np.nan)
    return SyntheticRun(pd.DataFrame({**rows, **empty}), pd.DataFrame(), {}, Gallery(0), {"network": means})


def test_patches_are_summed_up_as_fits_the_other_sources(rng):
    run = measured(rng)
    found = pooled_by_others(run, "network")
    assert fitted_pooling(run, "network").independence == pytest.approx(0.4, abs=0.1)
    told = found.exposures["status"] == "ok"
    assert set(found.exposures["status"]) == {"ok", "out_of_domain", "no_content"}
    assert 0.2 < told.mean() < 1
    assert (found.exposures["defocus_level"].notna() == told).all()
    assert (np.isfinite(found.distributions["network"]).all(axis=1) == told).all()
    assert (found.exposures["confidence"][told] >= np.nanmax(run.distributions["network"], axis=1)[told] - 1e-9).all()
    assert (run.exposures["status"] == "ok").sum() == len(run.exposures) - 1


def test_without_an_answer_there_is_no_pooling_to_fit(rng):
    run = measured(rng)
    run.distributions["network"][:] = np.nan
    assert fitted_pooling(run, "network").independence == 0
    pd.testing.assert_frame_equal(pooled_by_others(run, "network").exposures, run.exposures)


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
