"""Evaluation of sorters: transfer, and the studies of the paper."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sorting_evaluations import (
    LARGE_PX,
    fields,
    watched_run,
)

from parfocal.sorting.evaluation import studies, transfer
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.scores import accuracy, roc_auc
from parfocal.sorting.settings import learning_rate_at

pytestmark = pytest.mark.current_python


@pytest.fixture(scope="module")
def transferred(arguments, tmp_path_factory):
    return watched_run(arguments, tmp_path_factory.mktemp("report"), part="transfer")


@pytest.fixture(scope="module")
def resolutions(arguments, tmp_path_factory):
    return watched_run(arguments, tmp_path_factory.mktemp("report"), part="resolution")


@pytest.fixture(scope="module")
def sizes(arguments, tmp_path_factory):
    return watched_run(arguments, tmp_path_factory.mktemp("report"), part="training_size", epochs=0.6)


def test_transfer_is_judged_on_fields_that_no_training_of_the_repeat_saw(transferred):
    found, spy = transferred
    # Of 8 fields 10 are too many; `single` has but one field.
    assert [len(trained) for trained, _ in spy.pairs()] == [3, 3, 5, 5]
    for trained, judged in spy.pairs():
        assert {source for source, _ in trained | judged} == {"foreign"}
        assert trained.isdisjoint(judged)
    assert {frozenset(fields(examples)) for _, examples in spy.judged} == {frozenset(spy.pairs()[0][1])}
    assert spy.pairs()[0][0] < spy.pairs()[2][0]
    table = found.sections[0].tables[0]
    assert list(table["fields"]) == [3, 5]
    assert list(table["test exposures"]) == [6, 6]
    assert "Too few fields for this: single (1)." in found.sections[0].text
    assert (found.output / "transfer_foreign.png").exists()


def test_transfer_begins_with_the_models_weights_and_scratch_does_not(transferred):
    found, spy = transferred
    table = found.sections[0].tables[0]
    trained_on, scratch = spy.fits[2:]
    assert trained_on.start is not None
    assert scratch.start is None
    assert (trained_on.settings.learning_rate, scratch.settings.learning_rate) == (2e-4, 2e-3)
    assert trained_on.settings.epochs == scratch.settings.epochs
    assert [example.defocused for example in trained_on.train] == [False, True] * 5
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(trained_on.train, scratch.train))
    names = [f"{score}, {method}" for score in ("AUC", "accuracy") for method in transfer.METHODS]
    assert list(table.columns) == ["source", "fields", "steps", "test exposures", *names]
    kept = pd.read_csv(found.output / "transfer.csv")
    by_method = kept[kept["fields"] == 5].set_index("method")["AUC"]
    assert table["AUC, transfer"].iloc[1] == pytest.approx(by_method["transfer"], abs=1e-9)
    assert table["AUC, from scratch"].iloc[1] == pytest.approx(by_method["from scratch"], abs=1e-9)


def test_without_transfer_the_figures_are_those_of_the_model_itself(transferred, model):
    found, spy = transferred
    test = spy.judged[0][1]
    told = np.array([flag_defocused(e.pixels, check_level=False, model=model).probability for e in test])
    defocused = np.array([example.defocused for example in test])
    table = found.sections[0].tables[0]
    assert table["AUC, no transfer"].iloc[0] == pytest.approx(roc_auc(told, defocused), abs=1e-9)
    assert table["accuracy, no transfer"].iloc[0] == pytest.approx(accuracy(told, defocused), abs=1e-9)


def test_transfer_needs_a_source_with_enough_fields(evaluate, monkeypatch):
    monkeypatch.setattr(transfer, "FEWEST_FIELDS", 9)
    with pytest.raises(ValueError, match=r"of 9 fields or more, got \{'foreign': 8, 'single': 1\}"):
        evaluate("transfer")


def test_resolutions_are_compared_on_cut_and_on_resized_images(resolutions):
    found, spy = resolutions
    table = found.sections[0].tables[0]
    assert list(table["approach"]) == ["crop", "resize"]
    assert list(table["side in px"]) == [67, 67]
    assert [network.input_shape[1] for network in spy.networks] == [67, 67]
    cut, whole = (fit.train[0].pixels for fit in spy.fits)
    assert whole.shape == (LARGE_PX, LARGE_PX)
    assert np.array_equal(cut, whole[36:103, 36:103])
    for trained, judged in spy.pairs():
        assert {source for source, _ in trained | judged} == {"large"}
        assert trained.isdisjoint(judged)
        assert len(trained | judged) == 4
    assert "8 exposures of 2 fields to train on, 8 of other fields" in " ".join(found.sections[0].text.split())
    assert (found.output / "resolution.png").exists()


def test_a_resumed_study_takes_what_is_kept(resolutions, evaluate, no_training, monkeypatch):
    found, _ = resolutions
    monkeypatch.setattr(studies, "SIDES_PX", (67,))
    monkeypatch.setattr(studies, "SMALLEST_PX", LARGE_PX)
    no_training()
    again = evaluate("resolution", resume=True, output=str(found.output))
    pd.testing.assert_frame_equal(again.sections[0].tables[0], found.sections[0].tables[0])
    with pytest.raises(AssertionError, match="made again"):
        evaluate("resolution", resume=True, output=str(found.output), epochs=0.2)


def test_the_resolution_study_needs_large_images(evaluate):
    with pytest.raises(ValueError, match="needs images of 512 px or more in both directions, got none"):
        evaluate("resolution")


def test_parts_of_the_fields_are_trained_on_for_as_many_steps(sizes):
    found, spy = sizes
    table = found.sections[0].tables[0]
    assert list(table["network"]) == ["xue2021", "xue2021", "default", "default"]
    # Five of the ten fields are those of the first fold.
    assert list(table["fields"]) == [2, 5, 2, 5]
    for name, own in table.groupby("network"):
        assert own["steps"].nunique() == 1, name
    for trained, judged in spy.pairs():
        assert trained.isdisjoint(judged)
        assert len(judged) == 5
    for part, whole in (spy.fits[:2], spy.fits[2:]):
        assert fields(part.train) < fields(whole.train)


def test_parts_of_the_fields_are_trained_on_at_the_same_rates(sizes):
    _, spy = sizes
    rates = []
    for fit in spy.fits[:2]:
        per_pass = -(-len(fit.train) // fit.settings.batch_size)
        rates.append([learning_rate_at(step, fit.settings, 100, per_pass) for step in range(60)])
    assert rates[0] == rates[1]
    assert len(set(rates[0])) > 1


def test_only_the_default_network_is_trained_between_sharp_and_defocused(sizes):
    _, spy = sizes
    assert [any(example.between for example in fit.train) for fit in spy.fits] == [False, False, True, True]
    assert not any(example.between for _, examples in spy.judged for example in examples)
