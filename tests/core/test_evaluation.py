import json

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from parfocal.focus_quality.classical import METRICS
from parfocal.focus_quality.evaluation import evaluate_focus_quality, scores
from parfocal.focus_quality.evaluation.held_out import Exposure, find_held_out
from parfocal.focus_quality.evaluation.stack_scores import measure_planes, summarise_stack
from parfocal.focus_quality.evaluation.stacks import find_stacks, read_stack
from parfocal.focus_quality.evaluation.tables import FLAG_ALL
from parfocal.registry import ModelError
from parfocal.training.images import find_training_images, split_by_field

pytestmark = pytest.mark.current_python

NAN = float("nan")
OPTICS = {"emission_wavelength_um": 0.5, "numerical_aperture": 0.5, "immersion_index": 1.0, "pixel_size_um": 0.65}


def discs(seed, blur=0.8, size=100):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    centres = rng.uniform(0, size, (12, 2))
    nearest = np.min([np.hypot(y - cy, x - cx) for cy, cx in centres], axis=0)
    clean = gaussian_filter(np.where(nearest < 8, 2000.0, 200.0), blur)
    return rng.poisson(clean).astype(np.uint16)


def write_images(folder, source, count, blur=0.8):
    (folder / source).mkdir(parents=True)
    for i in range(count):
        iio.imwrite(folder / source / f"field{i}.png", discs(i, blur))


@pytest.fixture
def images(tmp_path):
    """Two sources of in-focus images, one trained on and one left out, with the JSON that says so."""
    folder = tmp_path / "images"
    write_images(folder, "trained", 10)
    write_images(folder, "foreign", 2)
    rules = [
        {"source": name, "pattern": f"{name}/(?P<field>.+)[.]png", "stain": "DNA", "train": name == "trained"}
        for name in ("trained", "foreign")
    ]
    sources = tmp_path / "sources.json"
    sources.write_text(json.dumps({"sources": rules}))
    return folder, sources


@pytest.fixture
def stack_list(images, tmp_path):
    """A stack of 7 planes, sharp at plane 2, 2 um apart; and an entry for a stack that is not there."""
    folder, _ = images
    planes = np.stack([discs(1, 0.8 + 1.5 * abs(z - 2)) for z in range(7)])
    tifffile.imwrite(folder / "stack.tif", planes)
    rows = "".join(f"{z},{10 + 2.0 * z},a\n" for z in range(7))
    (folder / "stack_planes.csv").write_text("plane,z_um,source_path\n" + rows)
    entry = {"name": "discs", "path": "stack.tif", "domain": "widefield", "kind": "made", "truth": "made"}
    found = {**entry, "focal_planes": [2, 2], "optics": OPTICS}
    path = tmp_path / "stacks.json"
    path.write_text(json.dumps({"stacks": [found, {**entry, "name": "absent", "path": "gone/stack.tif"}]}))
    return path


def test_level_errors_on_numbers_worked_by_hand():
    errors = scores.level_errors(np.array([0, 3, 5, 9]), np.array([0.4, 4.5, 4.0, NAN]))
    # Rounded: 0, 5, 4: errors 0, 2, 1 of three answered; raw errors 0.4, 1.5, -1.
    assert errors == pytest.approx(
        {"n": 4, "answered": 0.75, "exact": 1 / 3, "within_one": 2 / 3, "rmse": np.sqrt((0.16 + 2.25 + 1) / 3)}
    )


def test_level_errors_without_any_answer_are_nan():
    errors = scores.level_errors(np.array([1, 2]), np.array([NAN, NAN]))
    assert errors["answered"] == 0
    assert np.isnan([errors["exact"], errors["within_one"], errors["rmse"]]).all()


def test_the_confusion_matrix_has_true_levels_in_rows_and_leaves_out_missing_answers():
    matrix = scores.confusion_matrix(np.array([2, 2, 10, 3]), np.array([2.0, 3.4, 9.6, NAN]))
    assert matrix.shape == (11, 11)
    assert matrix.sum() == 3
    assert (matrix[2, 2], matrix[2, 3], matrix[10, 10]) == (1, 1, 1)


def test_f_score_on_numbers_worked_by_hand():
    positive = np.array([True, True, True, False, False])
    flagged = np.array([True, True, False, True, False])
    # Precision 2/3, recall 2/3.
    assert scores.f_score(positive, flagged) == pytest.approx(2 / 3)
    # Weighted alike: hits 2/6, missed 1/6, false alarms 1/4.
    weights = scores.balanced_weights(positive) / 5
    assert scores.f_score(positive, flagged, weights) == pytest.approx((2 / 3) / (2 / 3 + 1 / 6 + 1 / 4))


def test_the_best_threshold_separates_what_can_be_separated():
    positive = np.array([False, True, False, True])
    assert scores.best_threshold(np.array([1.0, 5.0, 2.0, 4.0]), positive) == pytest.approx(3.0)
    # With equal scores on both sides, flagging all is best: 2 hits, 2 false alarms, F 2/3.
    assert scores.best_threshold(np.array([1.0, 1.0, 1.0, 1.0]), positive) == -np.inf


def test_the_best_threshold_is_no_worse_than_any_other():
    rng = np.random.default_rng(4)
    score, positive = np.round(rng.normal(size=60), 1), rng.random(60) < 0.4
    best = scores.f_score(positive, score > scores.best_threshold(score, positive))
    assert best == max(scores.f_score(positive, score > t) for t in [-np.inf, *np.unique(score)])


def test_a_missing_score_counts_as_the_wrong_decision():
    positive = np.array([True, False, True, False])
    flagged = scores.decide(np.array([NAN, NAN, 2.0, 0.0]), 1.0, positive)
    assert flagged.tolist() == [False, True, True, False]


def test_thresholds_are_tested_on_other_fields_than_they_were_chosen_on():
    # In each field the score separates at another value: no threshold of one field suits the others.
    fields = np.repeat([f"f{i}" for i in range(10)], 2)
    positive = np.tile([False, True], 10)
    own_scale = np.arange(20.0)
    found = scores.split_f_scores({"own": own_scale, "same": positive + 0.0}, positive, fields, n_splits=8, seed=1)
    assert found["same"].tolist() == [1.0] * 8
    assert found["own"].max() < 0.9
    assert found["own"].shape == (8,)


def test_splits_of_a_single_field_are_refused():
    with pytest.raises(ValueError, match="at least 2 fields to split them, got 1"):
        scores.split_f_scores({"a": np.zeros(2)}, np.array([True, False]), ["f", "f"])


def test_calibration_error_on_numbers_worked_by_hand():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.25])
    correct = np.array([True, True, True, False, False])
    # Bin 0.9 to 1: |0.95 - 0.75|, 4 of 5; bin 0.2 to 0.3: |0.25 - 0|, 1 of 5.
    assert scores.expected_calibration_error(confidence, correct) == pytest.approx(0.8 * 0.2 + 0.2 * 0.25)
    assert scores.expected_calibration_error(np.ones(3), np.ones(3, bool)) == 0


def test_rank_correlation_leaves_out_missing_values_and_needs_three():
    assert scores.rank_correlation(np.array([1, 2, NAN, 30]), np.array([5, 6, -9, 7])) == pytest.approx(1)
    assert np.isnan(scores.rank_correlation(np.array([1, 2, NAN]), np.array([5, 6, 7])))
    assert np.isnan(scores.rank_correlation(np.ones(5), np.arange(5)))


def test_only_images_that_took_no_part_in_training_are_chosen(images):
    folder, sources = images
    held_out = find_held_out(folder, sources)
    parts = split_by_field(find_training_images(folder, sources))
    chosen = {held.image.path: held.part for held in held_out.images}
    expected = {image.path: part for part in ("test", "left_out") for image in parts[part]}
    assert chosen == expected
    assert len(parts["train"]) > 0
    assert held_out.warnings == ()


def test_the_cap_holds_for_each_source_and_the_choice_follows_the_seed(images):
    folder, sources = images
    choices = [find_held_out(folder, sources, images_per_source=1, seed=seed).images for seed in (0, 0, 1, 2, 3)]
    assert all(sorted(held.image.source for held in choice) == ["foreign", "trained"] for choice in choices)
    assert choices[0] == choices[1]
    assert len(set(choices)) > 1


def test_unusable_images_are_refused_and_listed_with_the_reason(images):
    folder, sources = images
    iio.imwrite(folder / "foreign" / "soft.png", discs(5, blur=6.0))
    iio.imwrite(folder / "foreign" / "blank.png", np.full((100, 100), 9, np.uint8))
    (folder / "foreign" / "broken.png").write_bytes(b"no picture")
    held_out = find_held_out(folder, sources)
    reasons = {path.name: reason.split(":")[0] for path, _, reason in held_out.refused}
    assert reasons == {"soft.png": "not in focus", "blank.png": "blank", "broken.png": "cannot be read as one plane"}
    assert not any(held.image.path.name in reasons for held in held_out.images)


def test_a_folder_that_nobody_knows_is_used_whole_with_a_warning(images):
    folder, _ = images
    held_out = find_held_out(folder)
    assert len(held_out.images) == 8 + 2
    assert {held.part for held in held_out.images} == {"unknown"}
    assert "nobody knows whether the model was trained on these images" in held_out.warnings[0]


def test_exposures_repeat_under_the_seed_and_have_the_stated_signal(images):
    held = find_held_out(*images).images[0]
    exposure = Exposure(peak_electrons=5000, background_share=0.1, read_noise_electrons=1.0)
    first, again, other = (list(held.exposures(exposure, seed)) for seed in (7, 7, 8))
    assert [level for level, _ in first] == list(range(11))
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, again))
    assert not np.array_equal(first[0][1], other[0][1])
    assert first[0][1].dtype == np.uint16
    # Background 500 electrons on a black level of 100; the peak 5000 above it.
    assert np.percentile(first[0][1], 5) == pytest.approx(600, abs=60)
    assert np.percentile(first[0][1], 99.5) == pytest.approx(5600, rel=0.05)


def test_distances_and_levels_of_a_stack_follow_from_its_focus_and_optics(images, stack_list):
    entries, missing = find_stacks(images[0], stack_list)
    assert missing == ["absent"]
    stack = read_stack(images[0], entries[0])
    assert stack.distance_planes().tolist() == [2, 1, 0, 1, 2, 3, 4]
    assert stack.distance_um() == pytest.approx([4, 2, 0, 2, 4, 6, 8])
    # Planes are one depth of field apart: 2 um at NA 0.5 and 500 nm.
    assert stack.expected_levels() == pytest.approx([2, 1, 0, 1, 2, 3, 4])
    assert stack.offset_um() == pytest.approx([-4, -2, 0, 2, 4, 6, 8])
    assert stack.um_per_level == pytest.approx(2)


def test_a_focus_given_as_positions_is_found_among_the_planes(images, stack_list):
    entry = {**find_stacks(images[0], stack_list)[0][0], "focal_z_um": [13.0, 14.0], "focal_planes": None}
    stack = read_stack(images[0], entry)
    assert stack.focal_range == pytest.approx((1.5, 2.0))
    assert stack.distance_um() == pytest.approx([3, 1, 0, 2, 4, 6, 8])


def test_a_stack_without_a_single_focal_plane_has_no_distances(images, stack_list):
    entry = {**find_stacks(images[0], stack_list)[0][0], "focal_planes": None}
    stack = read_stack(images[0], entry)
    assert np.isnan([*stack.distance_planes(), *stack.distance_um(), *stack.offset_um()]).all()
    assert np.isnan(stack.expected_levels()).all()


def test_an_unknown_domain_in_the_list_of_stacks_is_refused(tmp_path):
    path = tmp_path / "stacks.json"
    path.write_text(json.dumps({"stacks": [{"name": "a", "path": "b", "domain": "x-ray"}]}))
    with pytest.raises(ValueError, match=r"domain must be one of \['outside', 'rank', 'widefield'\], got 'x-ray'"):
        find_stacks(tmp_path, path)


def test_the_summary_of_a_stack_finds_its_sharpest_plane_for_every_metric(images, stack_list):
    stack = read_stack(images[0], find_stacks(images[0], stack_list)[0][0])
    summary = {row["scorer"]: row for row in summarise_stack(measure_planes(stack, ["default"]))}
    assert set(summary) == {"default", *METRICS}
    # Photon noise outweighs the structure in the Laplacian and the spectrum's slope of far planes, not in the others.
    for name in ("default", "Brenner", "Tenengrad", "NormalisedVariance", "VollathF4", "BandPower"):
        assert summary[name]["sharpest_plane"] == 2
        assert summary[name]["error_um"] == 0
        assert summary[name]["rank_correlation"] > 0.9


def test_the_worth_of_a_level_is_told_by_planes_within_the_scale_and_held_against_the_optics():
    distance = np.array([0.0, 1.0, 3.0, 6.0, 12.0, 40.0])
    level = np.array([0.2, 0.5, 2.0, 4.0, np.nan, 9.5])
    planes = pd.DataFrame({"plane": range(6), "distance_planes": distance, "distance_um": distance, "score": level})
    planes = planes.assign(stack="s", domain="widefield", scorer="m", predicted_level=level, defocus_level=level)
    (told,) = summarise_stack(planes.assign(expected_level=distance / 2, um_per_level_by_optics=2.0))
    assert told["um_per_level"] == pytest.approx(1.5)
    assert told["rmse_um"] == pytest.approx(np.sqrt(np.mean(np.array([0.4, 0.0, 1.0, 2.0]) ** 2)))
    (unknown,) = summarise_stack(planes.assign(expected_level=np.nan, um_per_level_by_optics=np.nan))
    assert unknown["um_per_level"] == pytest.approx(1.5)
    assert np.isnan(unknown["rmse_um"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"runs": "r"}, "runs must only be given with leave_one_source_out"),
        ({"config": "images_alone"}, "config must only be given with leave_one_source_out"),
        ({"compare": ("m",), "leave_one_source_out": True}, "compare must not be given with leave_one_source_out"),
    ],
)
def test_arguments_without_an_effect_are_refused(images, tmp_path, given, said):
    with pytest.raises(ValueError, match=said):
        evaluate_focus_quality(str(images[0]), str(tmp_path / "report"), **given)
    assert not (tmp_path / "report").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder: .*nowhere"):
        evaluate_focus_quality(str(tmp_path / "nowhere"), str(tmp_path / "report"))


def test_an_evaluation_reports_every_model_and_metric_on_held_out_images_alone(images, stack_list, tmp_path, capsys):
    folder, sources = images
    output = tmp_path / "report"
    found = evaluate_focus_quality(
        str(folder),
        str(output),
        sources=str(sources),
        stacks=str(stack_list),
        images_per_source=1,
        invariance_images_per_source=1,
    )
    everything = found.tables["scores"].query("part == 'all'")
    assert set(everything["scorer"]) == {"default", FLAG_ALL, *METRICS}
    assert everything[["f_score", "f_score_balanced"]].notna().all(axis=None)
    assert set(found.tables["stacks"]["scorer"]) == {"default", *METRICS}
    used = set(found.tables["exposures"]["field"])
    assert used == {held.field for held in found.images} and len(used) == 2
    assert len(found.tables["exposures"]) == 2 * 11
    assert len(found.tables["invariance_exposures"]) == 2 * 11 * 9
    assert {path.suffix for path in output.iterdir()} == {".md", ".csv", ".png"}
    report = found.report.read_text()
    assert all((output / name).is_file() for name in ("gallery.png", "stacks.png", "confusion.png", "scores.csv"))
    assert "Not found below the image folder: absent." in report
    assert "peak 1000 photoelectrons, background 5 percent" in report
    assert all(f"| {name} |" in report for name in ("default", *METRICS))
    assert "balanced F" in capsys.readouterr().out


def test_an_output_folder_that_holds_something_is_left_alone(images, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="is not empty: choose another output folder"):
        evaluate_focus_quality(str(images[0]), str(tmp_path), sources=str(images[1]))
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_an_unknown_model_is_told_before_anything_is_written(images, tmp_path):
    with pytest.raises(ModelError, match="no model 'better'"):
        evaluate_focus_quality(str(images[0]), str(tmp_path / "out"), compare=("better",), sources=str(images[1]))
    assert not (tmp_path / "out").exists()
