"""Evaluation of sorters: every part on a few small images, with networks that are trained for a step or two."""

from __future__ import annotations

import json

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from parfocal.focus_quality.classical import METRICS
from parfocal.sorting import cross_validation
from parfocal.sorting.evaluation import evaluate_sorting, left_out, left_out_tables, runs, studies, transfer
from parfocal.sorting.evaluation.evaluate import Plan
from parfocal.sorting.evaluation.runs import KeptRows
from parfocal.sorting.examples import synthetic_examples
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.scores import accuracy, roc_auc
from parfocal.sorting.settings import learning_rate_at
from parfocal.sorting.training import train_sorter

NAN = float("nan")
SMALL_PX, LARGE_PX = 100, 140


def discs(seed, size):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    centres = rng.uniform(0, size, (12, 2))
    nearest = np.min([np.hypot(y - cy, x - cx) for cy, cx in centres], axis=0)
    return rng.poisson(gaussian_filter(np.where(nearest < 8, 2000.0, 200.0), 0.8)).astype(np.uint16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sources `small` and `large` (two stains a field) to train on, `foreign` and `single` (one field) left out."""
    top = tmp_path_factory.mktemp("images")
    names = [f"small/{i}.png" for i in range(6)] + [f"large/{i}_{stain}.png" for i in range(4) for stain in "DG"]
    names += [f"foreign/{i}.png" for i in range(8)] + [f"single/a_{stain}.png" for stain in "DG"]
    for number, name in enumerate(names):
        (top / name).parent.mkdir(exist_ok=True)
        iio.imwrite(top / name, discs(number, LARGE_PX if name.startswith("large") else SMALL_PX))
    rules = [
        {"source": "small", "pattern": "small/(?P<field>.+)[.]png", "stain": "DNA", "train": True},
        {"source": "large", "pattern": "large/(?P<field>.+)_(?P<stain>.)[.]png", "train": True},
        {"source": "foreign", "pattern": "foreign/(?P<field>.+)[.]png", "stain": "DNA", "train": False},
        {"source": "single", "pattern": "single/(?P<field>.+)_(?P<stain>.)[.]png", "train": False},
    ]
    (top / "sources.json").write_text(json.dumps({"sources": rules}))
    return top


@pytest.fixture(scope="module")
def model(folder, tmp_path_factory):
    """A sorter after one step."""
    output = tmp_path_factory.mktemp("model") / "sorter"
    sources = str(folder / "sources.json")
    return str(train_sorter(str(folder), str(output), synthetic=True, sources=sources, epochs=0.1, exposures=1))


@pytest.fixture(scope="module")
def arguments(folder, model):
    """Arguments of an evaluation with the smallest budget."""
    sources = str(folder / "sources.json")
    return {"images": str(folder), "sources": sources, "model": model, "exposures": 1, "epochs": 0.1, "folds": 2}


@pytest.fixture
def evaluate(arguments, tmp_path):
    """Evaluate one part in a folder of its own."""

    def run(part, **changes):
        return evaluate_sorting(**{"output": str(tmp_path / "report"), **arguments, "part": part, **changes})

    return run


class Spy:
    """Notes what networks are trained on, and what they judge."""

    def __init__(self, patch):
        self.fits, self.networks, self.judged = [], [], []
        for module in (runs, cross_validation):
            patch.setattr(module, "run_fit", self._watched_fit(module.run_fit))
            patch.setattr(module, "probabilities", self._watched_judging(module.probabilities))

    def _watched_fit(self, run_fit):
        def watched(fit, *arguments):
            network, history = run_fit(fit, *arguments)
            self.fits.append(fit)
            self.networks.append(network)
            return network, history

        return watched

    def _watched_judging(self, probabilities):
        def watched(network, examples):
            self.judged.append((network, examples))
            return probabilities(network, examples)

        return watched

    def pairs(self):
        """Fields that each network was trained on, and those that it judged."""
        by_network = {id(network): fit for network, fit in zip(self.networks, self.fits)}
        known = [(by_network[id(n)], examples) for n, examples in self.judged if id(n) in by_network]
        return [(fields(fit.train), fields(examples)) for fit, examples in known]


def fields(examples):
    return {(example.source, example.field) for example in examples}


def watched_run(arguments, output, **changes):
    """Evaluate, and tell what was trained on and judged; steps are not compiled, since there are few of each."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for owner, values in (
                (transfer, {"SIZES": (3, 5, 10), "REPEATS": 1}),
                (studies, {"SIDES_PX": (67,), "SMALLEST_PX": LARGE_PX, "SHARES": (0.5, 1.0)}),
            ):
                for name, value in values.items():
                    patch.setattr(owner, name, value)
            spy = Spy(patch)
            return evaluate_sorting(output=str(output), **{**arguments, **changes}), spy
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def cross_validated(arguments, tmp_path_factory):
    return watched_run(arguments, tmp_path_factory.mktemp("report"), part="cross_validation")


@pytest.fixture(scope="module")
def transferred(arguments, tmp_path_factory):
    return watched_run(arguments, tmp_path_factory.mktemp("report"), part="transfer")


@pytest.fixture(scope="module")
def resolutions(arguments, tmp_path_factory):
    return watched_run(arguments, tmp_path_factory.mktemp("report"), part="resolution")


@pytest.fixture(scope="module")
def sizes(arguments, tmp_path_factory):
    return watched_run(arguments, tmp_path_factory.mktemp("report"), part="training_size", epochs=0.6)


@pytest.fixture
def no_training(monkeypatch):
    """Call it, and whoever trains or sorts from then on fails."""

    def forbid():
        def fail(*arguments, **named):
            raise AssertionError("made again, although it was kept")

        for module in (runs, cross_validation):
            monkeypatch.setattr(module, "run_fit", fail)
        monkeypatch.setattr(left_out, "flag_defocused", fail)

    return forbid


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


def exposures(**columns):
    """Rows of four sharp and four defocused exposures in two halves."""
    found = {
        "source": "a",
        "image": list("ppqqrrss"),
        "level": [0.0, 5.0] * 4,
        "defocused": [False, True] * 4,
        "threshold": 0.5,
        "status": "ok",
        "half": [0, 0, 0, 0, 1, 1, 1, 1],
        **columns,
    }
    return pd.DataFrame(found)


def test_figures_of_the_sorter_alone_on_numbers_worked_by_hand():
    found = left_out_tables.alone(exposures(probability=[0.1, 0.9, 0.6, 0.8, 0.2, 0.4, NAN, 0.7]))
    assert (found["images"], found["exposures"]) == (4, 8)
    # Of 16 pairs those with the missing sharp one (4) and 0.6 above 0.4 are ranked wrongly.
    assert found["AUC"] == pytest.approx(11 / 16)
    assert found["accuracy"] == pytest.approx(5 / 8)
    assert (found["sharp flagged"], found["defocused flagged"]) == (0.25, 0.75)


def test_figures_of_the_command_are_over_what_it_answered():
    status = ["ok", "ok", "disagreement", "ok", "ok", "blank", "ok", "ok"]
    answer = [0.1, 0.9, NAN, 0.8, 0.7, NAN, 0.2, 0.3]
    found = left_out_tables.command(exposures(answer=answer, status=status))
    assert (found["sharp answered"], found["defocused answered"], found["contradicted"]) == (0.75, 0.75, 0.125)
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["AUC"] == pytest.approx(8 / 9)
    assert (found["sharp flagged"], found["defocused flagged"]) == pytest.approx((1 / 3, 2 / 3))


def test_a_threshold_comes_from_sharp_images_of_the_other_half_alone():
    found = left_out_tables.own_threshold(exposures(answer=[0.1, 0.9, 0.3, 0.6, 0.2, 0.25, 0.7, 0.8]))
    # Half 0 gives 0.3: of the other 0.7 is a false alarm, 0.25 is missed. Half 1 gives 0.7: only 0.9 is above it.
    assert found["thresholds"] == "0.300, 0.700"
    assert (found["sharp exposures"], found["promised"]) == (4, pytest.approx(1 / 3))
    assert (found["sharp flagged"], found["defocused flagged"]) == (0.25, 0.5)


def test_no_answer_at_all_leaves_figures_missing():
    part = exposures(answer=NAN, status="blank")
    own, command = left_out_tables.own_threshold(part), left_out_tables.command(part)
    assert np.isnan([own["promised"], own["sharp flagged"], command["accuracy"], command["AUC"]]).all()
    assert (own["sharp exposures"], command["sharp answered"]) == (0, 0.0)


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


def test_rows_are_kept_by_all_that_they_depend_on(tmp_path):
    calls = []

    def make():
        calls.append(1)
        return [{"AUC": 0.3, "name": "a"}, {"AUC": NAN, "name": "b"}]

    for seed in (1, 1, 2):
        rows = KeptRows(tmp_path / "kept.csv").rows({"seed": seed, "epochs": None}, make)
        assert rows["AUC"].iloc[0] == pytest.approx(0.3, rel=1e-12)
        assert np.isnan(rows["AUC"].iloc[1])
        assert list(rows["name"]) == ["a", "b"]
    assert len(calls) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]
