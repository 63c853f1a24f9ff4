"""Batches, rates and the loop of training sorters."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sorting_pictures import discs, shown

from parfocal.sorting import fit
from parfocal.sorting.examples import Example
from parfocal.sorting.fit import Fit, run_fit
from parfocal.sorting.inputs import paper_inputs
from parfocal.sorting.sampler import CROP_PX, ExampleSampler
from parfocal.sorting.settings import learning_rate_at, training_settings

# Passes that are one step.
ONE_STEP = 0.01


def test_batches_are_the_same_for_the_same_step_and_halved_between_the_classes():
    examples = shown(4, defocused=lambda i: i == 3) + shown(9, source="b", defocused=lambda i: False)
    sampler = ExampleSampler(examples, "default", 1)
    one, again, other = (ExampleSampler(examples, "default", seed).batch(5, 8) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[0], again[0])
    assert not np.array_equal(one[0], other[0])
    assert one[0].shape == (8, CROP_PX, CROP_PX, 1) and one[0].dtype == np.float32
    assert sampler.weights[3] == pytest.approx(0.5)
    assert sampler.weights.sum() == pytest.approx(1)
    # 9 sharp ones of b against 3 of a: a source of n weighs sqrt(n), counted over all of its examples.
    assert sampler.weights[4:].sum() / sampler.weights[:3].sum() == pytest.approx((9 / 3) / (3 / 2))


def test_the_paper_s_batches_go_through_all_squares_once_in_each_pass():
    examples = [Example(discs(i, 90 + 30 * (i == 2)) / 255, i > 2, "a", str(i), "n") for i in range(5)]
    wide = Example(np.concatenate([discs(7), discs(8), discs(9)], axis=1) / 255, True, "a", "w", "n")
    sampler = ExampleSampler([*examples, wide], "xue2021", 1, turned=False)
    assert sampler.count == 8
    seen = np.concatenate([sampler.batch(step, 4)[0] for step in range(2)])
    expected = np.concatenate([paper_inputs(example.pixels) for example in (*examples, wide)])
    order = [int(np.argmin(np.abs(expected - square).sum(axis=(1, 2, 3)))) for square in seen]
    assert sorted(order) == list(range(8))
    later = np.concatenate([sampler.batch(step, 4)[0] for step in (2, 3)])
    assert not np.array_equal(seen, later)
    truth = np.array([i in (3, 4, 5, 6, 7) for i in order], np.float32)
    np.testing.assert_array_equal(np.concatenate([sampler.batch(step, 4)[1] for step in range(2)]), truth)


def test_targets_between_are_what_is_to_be_learned():
    soft = replace(shown(1)[0], target=0.25)
    sampler = ExampleSampler([soft, shown(2)[1]], "default", 1)
    assert set(sampler.batch(0, 16)[1]) == {0.25, 1.0}


@pytest.mark.parametrize("name", ["sharp", "defocused"])
def test_a_sampler_without_a_class_names_it(name):
    with pytest.raises(ValueError, match=f"there is none that is {name}"):
        ExampleSampler(shown(3, defocused=lambda i: name == "sharp"), "default", 1)


def test_learning_rates_by_hand():
    paper = training_settings("xue2021")
    rates = [learning_rate_at(step, paper, 500, 10) for step in (0, 49, 50, 99, 100, 499)]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4, 1e-3 / 2**9])
    transfer = training_settings("xue2021", True)
    rates = [learning_rate_at(step, transfer, 500, 10) for step in (0, 249, 250, 499)]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 1e-4])
    usual = training_settings("default")
    rates = [learning_rate_at(step, usual, 1000, 10) for step in (0, 49, 500, 999)]
    cosine = [(1 + math.cos(math.pi * step / 1000)) / 2 for step in (0, 49, 500, 999)]
    by_hand = [2e-3 * start * (0.01 + 0.99 * c) for start, c in zip((0.01, 0.5, 1, 1), cosine)]
    assert rates == pytest.approx(by_hand)
    assert rates[-1] == pytest.approx(2e-5, rel=0.01)


def test_what_is_given_replaces_the_config_and_none_leaves_it():
    changed = training_settings("xue2021", epochs=3.0, learning_rate=None, seed=9)
    assert (changed.epochs, changed.learning_rate, changed.seed) == (3.0, 1e-3, 9)


@pytest.mark.parametrize("keep_best", [True, False])
def test_the_weights_of_the_lowest_validation_loss_are_kept_where_that_is_asked_for(keep_best, monkeypatch):
    losses = [0.5, 0.2, 0.4]

    def rows(network, optimizer, run, title):
        for number, loss in enumerate(losses):
            network.set_weights([np.full_like(w, number) for w in network.get_weights()])
            yield {"step": number, "loss": 1.0, "validation_loss": loss, "accuracy": 1.0}

    monkeypatch.setattr(fit, "_rows", rows)
    settings = replace(training_settings("default"), keep_best=keep_best)
    network, history = run_fit(Fit(settings, [], []))
    assert float(network.get_weights()[0].flat[0]) == (1 if keep_best else 2)
    assert [row["validation_loss"] for row in history] == losses


@pytest.mark.current_python
def test_runs_with_the_same_seed_give_the_same_weights():
    def weights(seed):
        settings = replace(training_settings("default", epochs=0.5, seed=seed), batch_size=2)
        return run_fit(Fit(settings, shown(4), shown(2)))[0].get_weights()

    one, again, other = weights(1), weights(1), weights(2)
    for a, b in zip(one, again):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
    assert not np.allclose(one[0], other[0], atol=1e-3)
