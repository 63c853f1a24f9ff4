"""Training and calibration of focal-position networks: runs of a few steps, and what is refused."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tifffile

from parfocal import calibrate_focal_position, estimate_focal_position
from parfocal.cli import main
from parfocal.focal_position.calibrate import SEEN
from parfocal.focal_position.errors import PositionErrors
from parfocal.focal_position.export import write_onnx
from parfocal.focal_position.fit import distributions
from parfocal.focal_position.labelled import LabelledPlanes, split_by_stack
from parfocal.focal_position.likeness import known_features
from parfocal.focal_position.network import build_network, pooled, softmax
from parfocal.focal_position.sampler import PlaneSampler
from parfocal.focal_position.settings import learning_rate_at, training_settings
from parfocal.focal_position.stacks import LabelledStack, read_labelled_stacks
from parfocal.focal_position.training import labelled_planes, stack_settings, train_focal_position
from parfocal.focus_control.model_estimator import ModelEstimator, model_estimator

pytestmark = pytest.mark.current_python

Z_UM = np.arange(-4.0, 4.1, 1.0)


def discs(defocus, seed=0, size=140):
    """Discs that grow above focus and shrink below, so that the sign shows."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    image = rng.normal(100, 2, (size, size))
    for cy, cx in rng.uniform(0, size, (8, 2)):
        image += 200 * (np.hypot(y - cy, x - cx) < 8 + 1.2 * defocus)
    return image.astype(np.uint16)


def stack(seed, focal_z_um=0.0, name="stack"):
    return LabelledStack(np.stack([discs(z, seed) for z in Z_UM]), Z_UM + focal_z_um, focal_z_um, name)


def write_stacks(folder, count):
    folder.mkdir(parents=True)
    for number in range(count):
        tifffile.imwrite(folder / f"s{number}.tif", stack(number).stack_zyx)
        with (folder / f"s{number}_planes.csv").open("w") as out:
            out.write("plane,z_um\n" + "".join(f"{i},{z + number}\n" for i, z in enumerate(Z_UM)))
    listed = "file,focal_z_um\n" + "".join(f"s{number}.tif,{number}\n" for number in range(count))
    (folder / "focal_planes.csv").write_text(listed)
    return folder


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A model that was adapted to six stacks, judged on another field."""
    folder = tmp_path_factory.mktemp("run") / "model"
    return calibrate_focal_position(
        [stack(seed) for seed in range(10, 16)],
        str(folder),
        start_from="new",
        second_field=stack(3),
        steps=120,
        depth_of_field_um=2.0,
    )


def test_calibration_learns_the_signed_distance_of_another_field(calibrated):
    assert calibrated.second_field and calibrated.stacks == 6
    told = calibrated.errors.summary()
    assert told["planes"] == 9
    other = [estimate_focal_position(discs(z, 4), model=str(calibrated.output)) for z in Z_UM]
    middles = [float(told.probability @ told.positions_um) for told in other]
    assert np.corrcoef(middles, Z_UM)[0, 1] > 0.9
    assert "another field" in calibrated.text and calibrated.text in (calibrated.output / "card.md").read_text()


def test_a_calibrated_model_states_what_it_is(calibrated):
    config = json.loads((calibrated.output / "config.json").read_text())
    assert (config["unit"], config["sign"], config["zoom"], config["stacks"]) == ("um", "trained", 1.0, 6)
    assert config["bins"]["half_range"] == 4.0
    rows = list(csv.DictReader((calibrated.output / "training_log.csv").open()))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_a_calibrated_model_keeps_its_errors(calibrated):
    summary = calibrated.errors.summary()
    told = [
        pytest.approx(summary[name], abs=1e-3) if np.isfinite(summary[name]) else None
        for name in ("median_um", "p95_um")
    ]
    kept = model_estimator(model=str(calibrated.output)).calibration
    assert kept == {"median_error_um": told[0], "p95_error_um": told[1], "second_field": True}


@pytest.mark.parametrize(
    ("calibration", "told"),
    [
        ({}, ""),
        ({"median_error_um": 0.2, "p95_error_um": 0.5, "second_field": True}, ""),
        (
            {"median_error_um": 0.4, "p95_error_um": 0.9, "second_field": True},
            "was off by 0.4 um in the median, 0.9 um at the 95th percentile, on another field",
        ),
        (
            {"median_error_um": None, "p95_error_um": None, "second_field": False},
            "answered no plane on a field that it had been adapted to",
        ),
    ],
)
def test_whoever_holds_focus_is_told_where_a_calibration_was_worse_than_the_tolerance(calibration, told):
    doubt = ModelEstimator({}, (-4.0, 4.0), calibration).doubt(0.5)
    assert told in doubt
    assert bool(doubt) == bool(told)


def test_calibration_goes_on_with_further_stacks_and_keeps_the_earlier_ones(calibrated, tmp_path):
    more = calibrate_focal_position([stack(5, 2.0)], str(tmp_path / "more"), start_from=str(calibrated.output), steps=2)
    assert more.stacks == 7 and not more.second_field
    assert "no second field" in more.text
    with np.load(more.output / SEEN) as held:
        assert len(held["defocus"]) == 63 and sorted(set(held["stack_index"])) == list(range(7))
        assert held["defocus"][-9:].tolist() == Z_UM.tolist()


def test_of_three_stacks_the_last_is_kept_back(tmp_path):
    made = calibrate_focal_position(
        [stack(1), stack(2), stack(3, name="last")], str(tmp_path / "m"), start_from="new", steps=1
    )
    assert made.second_field and made.stacks == 2
    assert {row["stack"] for row in made.errors.rows} == {"last"}


def test_calibration_overwrites_nothing(calibrated):
    with pytest.raises(FileExistsError, match="not empty"):
        calibrate_focal_position([stack(1)], str(calibrated.output), start_from="new")


def test_training_from_files_writes_a_model_and_goes_on_where_it_stopped(tmp_path, capsys):
    folder = write_stacks(tmp_path / "stacks", 3)
    out = tmp_path / "model"
    assert main(["train", "focal-position", str(folder), "-o", str(out), "--steps", "2", "--batch-size", "2"]) == 0
    assert "written" in capsys.readouterr().out
    told = estimate_focal_position(discs(0.0, 9), model=str(out))
    assert len(told.positions_um) == 41 and told.positions_um[-1] == 4.0
    train_focal_position(str(out), stacks=str(folder), steps=4, batch_size=2, resume=True)
    assert [row["step"] for row in csv.DictReader((out / "training_log.csv").open())] == ["2", "4"]
    with pytest.raises(FileExistsError, match="not empty"):
        train_focal_position(str(out), stacks=str(folder))


def test_the_network_of_the_paper_trains_and_estimates(tmp_path):
    folder = write_stacks(tmp_path / "stacks", 2)
    out = train_focal_position(
        str(tmp_path / "model"),
        stacks=str(folder),
        config="wei2018",
        crop_px=100,
        steps=1,
        batch_size=2,
        half_range=4.0,
    )
    told = estimate_focal_position(discs(0.0, 9), model=str(out))
    assert len(told.probability) == 9 and told.positions_um.tolist() == list(range(-4, 5))
    assert estimate_focal_position(discs(0.0, 9, size=90), model=str(out)).status == "too_small"


@pytest.mark.parametrize("name", ["default", "wei2018"])
def test_the_model_that_is_written_gives_the_numbers_of_the_network(name, tmp_path):
    import onnxruntime

    network = build_network(name, 9, seed=3, input_px=25)
    write_onnx(network, 25, tmp_path / "weights.onnx")
    side = 130 if name == "default" else 25
    inputs = np.random.default_rng(1).normal(size=(2, side, side, 1)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "weights.onnx"), providers=["CPUExecutionProvider"])
    maps = session.run(None, {"images": inputs})[0]
    told = pooled(maps, 9)[0] if name == "default" else softmax(maps)
    assert told == pytest.approx(distributions(network, inputs, 9), abs=2e-5)


def test_the_network_of_the_paper_is_as_large_as_the_paper_says():
    assert build_network("wei2018", 41).count_params() == pytest.approx(6.8e6, rel=0.01)


def test_the_recipe_of_the_paper():
    settings = training_settings("wei2018")
    assert (settings.crop_px, settings.downsampling, settings.steps, settings.batch_size) == (1000, 4, 100_000, 50)
    assert settings.bins.count == 41 and settings.input_px == 250
    assert learning_rate_at(90_000, settings) == 1e-4
    assert training_settings("wei2018", half_range=300.0, bin_width=12.0).bins.count == 51
    assert training_settings("wei2018", bin_width=5.0).bins.count == 9


def test_batches_repeat_and_hold_the_targets_of_their_planes():
    settings = stack_settings([stack(1)], "default")
    planes = labelled_planes([stack(1)], settings, 1.0)
    sampler = PlaneSampler(planes, seed=4)
    (one, targets), (again, _) = sampler.batch(3, 6), sampler.batch(3, 6)
    assert one.shape == (6, 160, 160, 1) and (one == again).all()
    assert {round(float(t @ settings.bins.positions)) for t in targets} <= set(Z_UM)


def test_targets_of_neighbouring_planes_meet_where_these_are_farther_apart_than_the_bins():
    settings = stack_settings([stack(1)], "default")
    targets = labelled_planes([stack(1)], settings, 1.0).targets
    between = targets[3:5].sum(axis=0)[15:21]  # from -1 um to 0
    assert settings.bins.positions[[15, 20]].tolist() == [-1.0, 0.0]
    assert between.min() > 0.8 * between.max()


def test_planes_beyond_the_range_take_no_part():
    settings = stack_settings([stack(1)], "default", half_range=2.0)
    assert labelled_planes([stack(1)], settings, 1.0).defocus.tolist() == [-2.0, -1.0, 0.0, 1.0, 2.0]


def test_whole_stacks_are_kept_back():
    index = np.repeat(np.arange(10), 3)
    planes = LabelledPlanes([np.zeros((2, 2))] * 30, np.zeros((30, 3)), np.zeros(30), index, False)
    train, held = split_by_stack(planes, 0.2, 1)
    assert len(held) == 6 and not set(train.stack_index) & set(held.stack_index)
    assert split_by_stack(planes.of_stacks([1]), 0.2, 1)[1].stack_index.tolist() == [1, 1, 1]


def test_features_far_from_all_known_ones_lie_beyond_the_limit():
    rng = np.random.default_rng(5)
    known = known_features(rng.normal(size=(400, 48)), rng.normal(size=(200, 48)))
    assert (known.distance(rng.normal(size=(200, 48))) < known.limit).mean() > 0.97
    assert (known.distance(rng.normal(size=(50, 48)) + 4) > known.limit).all()


def test_errors_are_of_answered_planes_and_count_wrong_signs():
    told = [(-4.0, -4.5), (-2.0, 2.0), (0.0, 0.1), (2.0, np.nan), (4.0, 4.2)]
    rows = [
        {"true_um": true, "told_um": z, "nearest_um": z, "status": "ok", "deviation_um": 1.0, "certainty": 1.0}
        for true, z in told
    ]
    found = PositionErrors(rows, 2.0).summary()
    assert found["answered"] == 0.8
    assert found["sign_errors"] == pytest.approx(1 / 3)
    assert found["within_1um"] == 0.75
    assert found["median_um"] == pytest.approx(0.35) and found["median_dof"] == pytest.approx(0.175)


def test_what_cannot_be_trained_from_is_named(tmp_path):
    with pytest.raises(ValueError, match="either stacks or simulated"):
        train_focal_position(str(tmp_path / "m"))
    with pytest.raises(ValueError, match="must be default for simulated stacks"):
        train_focal_position(str(tmp_path / "m"), simulated=2, config="wei2018")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"focal_planes\.json or focal_planes\.csv"):
        read_labelled_stacks(tmp_path / "empty")
    folder = write_stacks(tmp_path / "stacks", 1)
    (folder / "s0_planes.csv").unlink()
    with pytest.raises(ValueError, match=r"positions of the 9 planes are not known: s0_planes\.csv"):
        read_labelled_stacks(folder)
    with pytest.raises(ValueError, match="2 planes or more"):
        LabelledStack(discs(0), [0.0], 0.0)
    with pytest.raises(ValueError, match="9 finite positions"):
        LabelledStack(stack(1).stack_zyx, [0.0, 1.0], 0.0)
    with pytest.raises(ValueError, match="whole number of bin widths"):
        training_settings("wei2018", bin_width=3.0)
