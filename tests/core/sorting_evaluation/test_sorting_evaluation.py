"""Evaluation of sorters: cross-validation and left-out sources."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sorting_evaluations import (
    watched_run,
)

from parfocal.focus_quality.classical import METRICS
from parfocal.sorting import cross_validation
from parfocal.sorting.evaluation import evaluate_sorting, left_out
from parfocal.sorting.evaluation.evaluate import Plan
from parfocal.sorting.examples import synthetic_examples
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.scores import accuracy, roc_auc

pytestmark = pytest.mark.current_python


@pytest.fixture(scope="module")
def cross_validated(arguments, tmp_path_factory):
    return watched_run(arguments, tmp_path_factory.mktemp("report"), part="cross_validation")


def test_cross_validation_judges_every_field_once_by_a_network_that_never_saw_it(cross_validated):
    found, spy = cross_validated
    assert len(spy.pairs()) == 2
    for trained, judged in spy.pairs():
        assert trained
        assert trained.isdisjoint(judged)
    first, second = (judged for _, judged in spy.pairs())
    assert first.isdisjoint(second)
    assert len(first | second) == 10
    assert found.output.joinpath("report.md").read_text().startswith("# Sorting")


def test_cross_validation_tells_networks_and_classical_metrics_in_one_table(cross_validated):
    found, _ = cross_validated
    methods = found.sections[0].tables[0].set_index("method")
    assert list(methods.index) == ["default", "default, best threshold", *METRICS]
    scores = pd.read_csv(found.output / "scores.csv")
    judged = scores[(scores["level"] <= 0.5) | (scores["level"] >= 3)]
    # 14 images, once sharp and once defocused; what lies between is trained on, but not judged.
    assert (len(scores), len(judged)) == (42, 28)
    areas = [roc_auc(part["default"], part["defocused"]) for _, part in judged.groupby("fold")]
    assert methods.loc["default", "AUC"] == pytest.approx(np.mean(areas), abs=1e-9)
    areas = [roc_auc(part["VollathF4"], part["defocused"]) for _, part in judged.groupby("fold")]
    assert methods.loc["VollathF4", "AUC"] == pytest.approx(np.mean(areas), abs=1e-9)


def test_of_several_folds_the_first_alone_can_be_judged(evaluate, monkeypatch):
    trained = []

    def fit_of_nothing(fit, title):
        trained.append(title)
        return None, []

    monkeypatch.setattr(cross_validation, "run_fit", fit_of_nothing)
    monkeypatch.setattr(cross_validation, "probabilities", lambda network, examples: np.linspace(0, 1, len(examples)))
    found = evaluate("cross_validation", folds=3, judged_folds=2)
    assert trained == ["default, fold 1 of 3", "default, fold 2 of 3"]
    scores = pd.read_csv(found.output / "scores.csv")
    assert sorted(scores["fold"].unique()) == [0, 1]
    assert np.isfinite(scores["default"]).all()
    assert "3 folds, of which the first 2 are judged" in found.sections[0].text
    with pytest.raises(ValueError, match="judged_folds must be at most folds=2, got 3"):
        evaluate("cross_validation", folds=2, judged_folds=3)


def test_a_resumed_cross_validation_takes_the_scores_that_are_there(cross_validated, evaluate, no_training):
    found, _ = cross_validated
    no_training()
    again = evaluate("cross_validation", resume=True, output=str(found.output))
    pd.testing.assert_frame_equal(again.sections[0].tables[0], found.sections[0].tables[0])
    with pytest.raises(FileExistsError, match="is not empty: choose another output folder, or resume"):
        evaluate("cross_validation", output=str(found.output))


def test_left_out_sources_are_judged_alone_and_as_the_whole_command(evaluate, model, folder):
    found = evaluate("held_out", exposures=2)
    rows = pd.read_csv(found.output / "held_out.csv")
    assert rows.groupby("source")["image"].nunique().to_dict() == {"foreign": 8, "single": 2}
    assert len(rows) == 10 * 2 * 2
    assert not rows["level"].between(0.5, 3, inclusive="neither").any()
    alone = found.sections[0].tables[0].set_index("source")
    assert list(alone.index) == ["foreign", "single", "all"]
    assert alone["exposures"].to_dict() == {"foreign": 32, "single": 8, "all": 40}
    assert alone.loc["all", "AUC"] == pytest.approx(roc_auc(rows["probability"], rows["defocused"]), abs=1e-9)
    right = accuracy(rows["probability"], rows["defocused"], 0.5)
    assert alone.loc["all", "accuracy"] == pytest.approx(right, abs=1e-9)


def test_the_rows_of_left_out_sources_are_those_of_the_public_command(evaluate, model, folder):
    found = evaluate("held_out")
    row = pd.read_csv(found.output / "held_out.csv").iloc[0]
    images = left_out.left_out_images(plan_of(found, folder, model))["foreign"]
    counts = left_out.as_counts(synthetic_examples(images, 1, 5)[0].pixels)
    assert counts.dtype == np.uint16
    flag = flag_defocused(counts, model=model)
    assert (row["status"], row["image"]) == (flag.status, images[0].path.name)
    assert row["answer"] == pytest.approx(flag.probability, nan_ok=True, abs=1e-12)
    assert row["measured_level"] == pytest.approx(flag.planes[0].defocus_level, nan_ok=True, abs=1e-12)
    assert row["probability"] == pytest.approx(flag_defocused(counts, check_level=False, model=model).probability)


def plan_of(found, folder, model):
    from parfocal.training.images import find_training_images

    images = [i for i in find_training_images(folder, folder / "sources.json") if not i.train]
    return Plan({"trained": [], "left_out": images}, found.output, (), model, 1, 0.1, 2, 5)


def test_left_out_sources_stand_beside_level_and_the_best_metric(evaluate):
    found = evaluate("held_out")
    rows = pd.read_csv(found.output / "held_out.csv")
    beside, levels = found.sections[1].tables
    own = beside.set_index("source").loc["foreign"]
    part = rows[rows["source"] == "foreign"]
    areas = {name: roc_auc(-part[name].to_numpy(), part["defocused"]) for name in METRICS}
    assert own["metric"] == pytest.approx(max(areas.values()))
    assert areas[own["best metric"]] == own["metric"]
    assert own["level"] == pytest.approx(roc_auc(part["measured_level"].to_numpy(), part["defocused"]))
    assert [int(name) for name in levels.columns[1:]] == sorted(set(np.floor(rows["level"]).astype(int)))
    assert "Left out, since all is one field: single." in found.sections[2].text


def test_resumed_left_out_sources_are_not_sorted_again_but_for_other_settings(evaluate, no_training):
    first = evaluate("held_out")
    no_training()
    again = evaluate("held_out", resume=True)
    for before, after in zip(first.sections, again.sections):
        assert before.text == after.text
        for one, other in zip(before.tables, after.tables):
            pd.testing.assert_frame_equal(one, other)
    with pytest.raises(AssertionError, match="made again"):
        evaluate("held_out", resume=True, seed=6)


def test_left_out_images_that_cannot_be_read_are_listed_and_counted(folder, model, tmp_path):
    broken = tmp_path / "images"
    for source in ("foreign", "small"):
        (broken / source).mkdir(parents=True)
        (broken / source / "0.png").write_bytes((folder / source / "0.png").read_bytes())
    (broken / "foreign" / "1.png").write_bytes(b"no picture")
    sources = str(folder / "sources.json")
    found = evaluate_sorting(str(broken), str(tmp_path / "out"), sources, "held_out", model=model, exposures=1)
    assert "1 more cannot be read or are not in focus" in found.sections[0].text
    assert '1.png,foreign,"cannot be read' in (found.output / "refused_left_out.csv").read_text()


@pytest.mark.parametrize("part", ["held_out", "transfer"])
def test_parts_on_left_out_sources_say_that_there_is_none(evaluate, folder, part):
    with pytest.raises(ValueError, match='sources must name one with "train": false'):
        evaluate_sorting(str(folder / "small"), str(folder / f"none_{part}"), part=part)
