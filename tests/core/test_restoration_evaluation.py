"""Evaluation of restoration: every part on tiny images with tiny models, and the figures that they rest on."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile
from tiny_restorer import write_untrained_restorer
from tiny_sorter import write_edge_sorter

from parfocal.commands import command_spec
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.restoration import fit, settings
from parfocal.restoration.dataset import Scene, find_pairs, read_pairs
from parfocal.restoration.evaluation import evaluate_restoration, losses, small_networks, training_size, transfer
from parfocal.restoration.evaluation.calibration import _figures
from parfocal.restoration.evaluation.directions import SIDES, aberrated_kernels
from parfocal.restoration.evaluation.evaluate import PARTS
from parfocal.restoration.evaluation.exposures import born_wolf_kernels, shown_through
from parfocal.restoration.evaluation.margins import margin_table, margin_text
from parfocal.restoration.evaluation.mosaic import grid_step, seam_step
from parfocal.restoration.evaluation.outlines import agreement, overlap_table
from parfocal.restoration.network import ARCHITECTURES, build_network
from parfocal.restoration.scores import score
from parfocal.training.images import TrainingImage

pytestmark = pytest.mark.current_python


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A default network with random weights: folder of a model."""
    return write_untrained_restorer(tmp_path_factory.mktemp("models") / "untrained")


@pytest.fixture(scope="module")
def images(nuclei, tmp_path_factory):
    """Three fields of a source, one of which is held out."""
    folder = tmp_path_factory.mktemp("images")
    for i in range(3):
        iio.imwrite(folder / f"field{i}.png", nuclei[:, i * 28 : i * 28 + 200])
    return str(folder)


@pytest.fixture
def evaluate(images, model, tmp_path):
    """Evaluate one part at one level, into `report`."""

    def run(part, **arguments):
        given = {"model": model, "levels": "5", "crop_px": 112, **arguments}
        return evaluate_restoration(given.pop("images", images), str(tmp_path / "report"), part=part, **given)

    return run


@pytest.fixture
def quick(monkeypatch):
    """Make every training tiny."""
    monkeypatch.setattr(fit, "VALIDATION_CROPS", 2)
    monkeypatch.setattr(small_networks, "CROP_PX", {"default": 64, "xue2021": 52, "unet": 52})
    tiny = {n: replace(c, validation_steps=1, batch_size=2, crop_px=64) for n, c in settings.CONFIGS.items()}
    monkeypatch.setattr(settings, "CONFIGS", tiny)


def report_of(done):
    return (done.output / "report.md").read_text()


def test_all_methods_are_compared_on_held_out_images(evaluate, tmp_path, model):
    done = evaluate("synthetic")
    scores = done.scores.set_index("method")
    assert list(scores["held_out"].unique()) == ["test"]
    assert set(scores.index) >= {"blurred", "untrained", "richardson_lucy", "richardson_lucy_gaussian", "wiener"}
    assert scores.loc["richardson_lucy_best", "ssim"] > scores.loc["blurred", "ssim"]
    assert "| SSIM at level |" in report_of(done)
    assert "Above Richardson-Lucy with the searched Gaussian: not at level 5, mean margin -0." in report_of(done)
    assert (tmp_path / "report" / "examples.png").stat().st_size > 10000
    with pytest.raises(FileExistsError, match="is not empty: choose another output folder, or resume"):
        evaluate("synthetic")


def scores_table(**means):
    keys = {"held_out": "test", "source": "a", "stain": "", "image": "b"}
    return pd.DataFrame(
        [
            {**keys, "level": level, "method": name, "ssim": value}
            for name, values in means.items()
            for level, value in zip((2, 3), values)
        ]
    )


def test_margins_are_over_the_better_baseline_and_level_by_level():
    baselines = {"richardson_lucy": (0.5, 0.8), "richardson_lucy_best": (0.75, 0.8)}
    scores = scores_table(net=(0.7, 0.7), unet=(0.5, 0.5), **baselines, richardson_lucy_gaussian=(0.65, 0.1))
    table = margin_table(scores, ["net", "unet"], "ssim").set_index("SSIM at level")
    assert table.loc["2", "over the better"] == pytest.approx(0.05)
    assert list(table["above both"]) == ["yes", "no", "no"]
    told = margin_text(table.reset_index(), ["net", "unet"], "ssim")
    assert "over the better of the two baselines -0.025" in told
    assert "Above Richardson-Lucy with the true PSF: not at level 3, mean margin +0.050" in told
    assert "and the searched number of iterations: not at levels 2, 3, mean margin -0.075" in told
    assert "Above `unet`: at every level, mean margin +0.200" in told


def test_images_that_the_network_leaves_out_are_counted_and_not_compared():
    scores = scores_table(net=(0.7,), richardson_lucy=(0.5, 0.9), richardson_lucy_best=(0.5, 0.9))
    scores = pd.concat([scores, scores_table(richardson_lucy_gaussian=(0.4, 0.9))])
    table = margin_table(scores, ["net"], "ssim").set_index("SSIM at level")
    assert list(table["restored"]) == [1, 0, 1]
    assert list(table["of"]) == [1, 1, 2]
    assert table.loc["all", "over the better"] == pytest.approx(0.2)
    assert np.isnan(table.loc["3", "over the better"])
    assert table.loc["3", "above both"] == "no"


def test_the_exposures_are_those_of_the_microscope(nuclei):
    focused, defocused = shown_through(np.pad(nuclei, 32, mode="symmetric"), born_wolf_kernels(4.0))
    assert focused == pytest.approx(defocus_image(nuclei.astype(np.float32), 0.0), abs=0.5)
    assert defocused == pytest.approx(defocus_image(nuclei.astype(np.float32), 8.0), abs=0.5)


def test_the_likeness_within_structures_leaves_the_background_out(rng):
    y, x = np.indices((128, 128))
    truth = np.where(np.hypot(y - 64, x - 64) < 24, 0.7 + 0.3 * np.sin(y) * np.sin(x), 0.0)
    flat = np.where(truth > 0, 0.7, 0.0)
    noisy = truth + np.where(truth > 0, 0, rng.normal(0, 0.02, truth.shape))
    assert score(flat, truth).ssim > score(noisy, truth).ssim
    assert score(flat, truth).ssim_inside < score(noisy, truth).ssim_inside - 0.2
    assert np.isnan(score(truth, np.zeros_like(truth)).ssim_inside)


@pytest.fixture
def stacks(nuclei, blurred, tmp_path):
    """A widefield stack and a light-sheet pair, and one that is not there."""
    folder = tmp_path / "stacks"
    (folder / "focus").mkdir(parents=True)
    sharp = nuclei.astype(np.uint16) * 8 + 100
    mild = np.rint(defocus_image(sharp, 2.0)).astype(np.uint16)
    tifffile.imwrite(folder / "stack.tif", np.stack([blurred, mild, sharp]), photometric="minisblack")
    tifffile.imwrite(folder / "bead.tif", np.stack([blurred, mild, sharp])[:, :60, :60], photometric="minisblack")
    for name, plane in (("in.png", sharp), ("out.png", blurred)):
        iio.imwrite(folder / "focus" / name, plane)
    pair = [["focus/in.png", 0.0], ["focus/out.png", 10.0]]
    made = {"kind": "made", "truth": "made", "focal_planes": [2, 2]}
    entries = [
        {"name": "nuclei", "path": "stack.tif", "domain": "widefield", **made},
        {"name": "light-sheet fields", "planes": pair, "domain": "rank", "modality": "light_sheet", **made},
        {"name": "bead", "path": "bead.tif", "domain": "widefield", **made},
        {"name": "lost", "path": "lost.tif", "domain": "widefield", **made},
    ]
    entries[1]["focal_planes"] = [0, 0]
    (folder / "stacks.json").write_text(json.dumps({"stacks": entries}))
    return {"images": str(folder), "stacks": str(folder / "stacks.json")}


def test_real_planes_are_restored_left_alone_or_refused_and_counted(evaluate, stacks):
    done = evaluate("real", **stacks)
    rows = done.scores.set_index(["stack", "plane"])
    assert list(rows.loc["nuclei", "outcome"]) == ["restored", "sharp"]
    sharp = rows.loc[("nuclei", 1)]
    assert sharp["ssim network"] == sharp["ssim blurred"]
    assert "in focus" in sharp["reason"]
    assert rows.loc[("light-sheet fields", 1), "declared"] == "out_of_domain"
    assert rows.loc[("nuclei", 0), "ssim richardson_lucy_gaussian"] > rows.loc[("nuclei", 0), "ssim blurred"]
    assert list(rows.loc["bead", "outcome"]) == ["too_small"] * 2
    assert "1 of 4 planes were restored" in report_of(done)
    assert "above the searched Gaussian" in report_of(done)
    assert "lost" in done.sections[-1].text
    assert {path.name for path in done.output.glob("*.png")} == {"widefield.png", "rank.png"}


def test_a_folder_without_a_known_stack_is_named(evaluate):
    with pytest.raises(FileNotFoundError, match=r"no z-stack of evaluation_stacks.json lies below"):
        evaluate("real")


def test_transfer_trains_on_one_half_and_tests_on_the_other(evaluate, stacks, model, monkeypatch):
    asked = []

    def train(focused, output, defocused, **arguments):
        asked.append((find_pairs(focused, defocused), arguments))
        shutil.copytree(model, output)

    monkeypatch.setattr(transfer, "train_restorer", train)
    done = evaluate("real", **stacks, transfer=True, steps=5)
    (((pair,), arguments),) = asked
    assert arguments == {"start_from": model, "steps": 5, "resume": False}
    assert tifffile.imread(pair.focused).shape == tifffile.imread(pair.defocused).shape == (256, 128)
    assert read_pairs([pair])[0].level == pytest.approx(5, abs=1)
    table = pd.read_csv(done.output / "transfer.csv")
    assert list(table["stack"]) == ["light-sheet fields"]
    assert (table["SSIM after"] == table["SSIM before"]).all()
    assert (table["SSIM richardson_lucy_gaussian"] > table["SSIM blurred"]).all()
    assert "over the model before" in report_of(done)


def test_honesty_compares_with_sharp_images_of_the_same_camera(evaluate, tmp_path):
    sorter = write_edge_sorter(tmp_path / "sorter")
    done = evaluate("honesty", sorter=sorter, levels="2,6")
    areas = done.sections[0].tables[0].set_index("AUC at level")
    assert list(areas.index) == ["2", "6", "all"]
    assert areas.loc["6", "blurred"] == 1.0
    assert set(areas) == {"blurred", "untrained", "richardson_lucy"}
    means = done.sections[0].tables[1]
    assert means["sharp"].max() < means["blurred"].max()


def test_calibration_is_that_of_the_stated_deviation(rng):
    stated = np.exp(rng.normal(-3, 0.5, (128, 128)))
    figures = _figures(stated, np.abs(stated * rng.standard_normal(stated.shape)))
    assert figures["within 1 sd"] == pytest.approx(0.683, abs=0.02)
    assert figures["within 2 sd"] == pytest.approx(0.954, abs=0.01)
    assert figures["stated over true"] == pytest.approx(1, abs=0.05)
    assert figures["rank correlation"] > 0.2


def test_calibration_reports_levels(evaluate):
    done = evaluate("calibration", levels="4,6")
    assert list(done.sections[0].tables[0]["level"]) == ["4", "6", "mean"]
    assert done.scores["within 1 sd"].between(0, 1).all()
    assert (done.output / "calibration.png").exists()


def test_mosaics_are_restored_whole_and_by_fields(evaluate):
    done = evaluate("mosaic")
    row = done.scores.iloc[0]
    assert row["method"] == "untrained"
    assert row["difference 0 to 8 px"] > 0
    assert row["difference 0 to 8 px"] > row["difference 32 to 96 px"]
    assert "seam step" in report_of(done)


def test_a_seam_is_seen_as_a_step(rng):
    smooth = np.add.outer(np.arange(64.0), np.arange(64.0))
    assert seam_step(smooth) == pytest.approx(1)
    stepped = smooth.copy()
    stepped[32:] += 5
    assert seam_step(stepped) == pytest.approx((6 + 1) / 2)


def test_the_grid_of_the_network_is_seen_as_steps(rng):
    smooth = np.add.outer(np.arange(64.0), np.arange(64.0))
    assert grid_step(smooth) == pytest.approx(1)
    assert grid_step(smooth + np.add.outer(*2 * [np.arange(64) // 4])) == pytest.approx(2)


def test_outlines_are_compared_with_those_of_the_sharp_image():
    sharp = np.zeros((20, 40), int)
    sharp[2:12, 2:12], sharp[2:12, 20:30] = 1, 2
    found = np.zeros_like(sharp)
    found[2:12, 2:10], found[14:18, 2:6] = 7, 3
    assert overlap_table(sharp, found) == pytest.approx(np.array([[0.0, 0.8], [0.0, 0.0]]))
    assert agreement(found, sharp) == pytest.approx((2, 2, 0.0, 0.4, 0.5))
    assert agreement(sharp, sharp)[2:] == (0.0, 1.0, 1.0)
    assert agreement(np.zeros_like(sharp), sharp)[2:] == (1.0, 0.0, 0.0)
    assert np.isnan(agreement(found, np.zeros_like(sharp)).count_error)


def test_nuclei_say_what_to_do_without_cellprofiler(evaluate, monkeypatch):
    monkeypatch.setitem(sys.modules, "cellprofiler.modules.identifyprimaryobjects", None)
    with pytest.raises(ImportError, match=r'runs on Python 3.9 alone: .*pip install -e "\.\[cellprofiler\]"'):
        evaluate("nuclei")


@pytest.fixture
def fits(monkeypatch):
    """Training that only notes what it was asked for, and gives a network that changes nothing (`default`: any)."""
    done = {}

    def note(asked):
        done[asked.output.name] = asked
        if asked.settings.architecture == "default":
            return build_network("default", first_filters=8), []
        return (lambda planes, training: planes[:, 92:-92, 92:-92]), []

    monkeypatch.setattr(small_networks, "run_fit", note)
    return done


STUDIES = {
    "losses": ["ssim", "l1", "l1_100ssim", "ssim_4l1"],
    "directions": ["both", "above", "below"],
    "magnification": ["low", "high", "both"],
    "training_size": ["share_1", "share_2"],
}


@pytest.mark.parametrize("part", list(STUDIES))
def test_studies_train_at_an_equal_and_stated_budget(part, evaluate, fits, monkeypatch):
    monkeypatch.setattr(training_size, "SHARES", (0.01, 1.0))
    done = evaluate(part, steps=7)
    assert list(fits) == STUDIES[part]
    assert len({replace(asked.settings, loss="any") for asked in fits.values()}) == 1
    assert {asked.settings.steps for asked in fits.values()} == {7}
    assert len(done.scores["method"].unique()) == len(fits) + 1
    for _, rows in done.scores.groupby(["image", "level", *({"side", "tested at"} & set(done.scores))]):
        # A network that changes nothing scores as the blurred image does.
        assert np.ptp(rows["ssim"]) < 1e-5
    assert "8 filters at the finest scale, trained for 7 steps of 2 crops of 132 px" in report_of(done)


def test_networks_of_all_architectures_stand_beside_the_model(evaluate, fits):
    done = evaluate("networks", steps=7)
    assert list(fits) == [asked.settings.architecture for asked in fits.values()] == list(ARCHITECTURES)
    assert {asked.settings.steps for asked in fits.values()} == {7}
    assert {asked.settings.loss for asked in fits.values()} == {"ssim_4l1"}
    trained = {f"{name}, from scratch" for name in ARCHITECTURES}
    assert set(done.scores["method"]) == {"blurred", "untrained, as it is", *trained}


def test_losses_differ_in_nothing_but_the_loss(evaluate, fits):
    evaluate("losses")
    assert [asked.settings.loss for asked in fits.values()] == list(fits)


def test_each_network_of_the_directions_sees_its_side(evaluate, fits, rng):
    evaluate("directions")
    seen = {}
    for name, asked in fits.items():
        drawn = [asked.train.draw(np.random.default_rng(i)) for i in range(30)]
        seen[name] = {
            sign
            for kernels in drawn
            for sign in (1, -1)
            if kernels.level > 2 and np.array_equal(kernels.defocused, aberrated_kernels(sign, kernels.level).defocused)
        }
    assert seen == {"both": {1, -1}, "above": {1}, "below": {-1}}


def test_a_study_takes_up_the_networks_of_an_earlier_run(evaluate, quick, monkeypatch):
    monkeypatch.setattr(losses, "LOSSES", ("l1",))
    arguments = {"network": "default", "steps": 1}
    done = evaluate("losses", **arguments)
    again = evaluate("losses", **arguments, resume=True)
    assert np.allclose(again.scores["ssim"], done.scores["ssim"], atol=1e-4)
    rows = (done.output / "networks" / "l1" / "log.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [1]
    with pytest.raises(ValueError, match="was trained with other settings: choose another output folder"):
        evaluate("losses", **{**arguments, "steps": 2}, resume=True)


def test_a_study_batch_is_what_the_network_takes(nuclei):
    scene = Scene((nuclei / 255.0)[..., None].astype(np.float16), "a")
    for name, shape in (("default", (2, 128, 128, 6)), ("xue2021", (2, 316, 316, 1))):
        sampler = small_networks.StudySampler([scene], name, 3, lambda rng: born_wolf_kernels(2.0))
        batch = sampler.batch(0, 2)
        assert batch.inputs.shape == shape
        assert batch.truth.shape == (2, small_networks.CROP_PX[name], small_networks.CROP_PX[name], 1)
        inside = (shape[1] - batch.truth.shape[1]) // 2
        shown = batch.inputs[:, inside : shape[1] - inside, inside : shape[1] - inside, 0]
        assert np.corrcoef(shown.ravel(), batch.truth.ravel())[0, 1] > 0.6


def test_aberration_makes_the_two_sides_of_focus_different():
    above, below = (aberrated_kernels(sign, 5.0) for sign in SIDES.values())
    assert np.corrcoef(above.defocused.ravel(), below.defocused.ravel())[0, 1] < 0.9
    assert above.focused.max() > 3 * max(above.defocused.max(), below.defocused.max())


def test_smaller_shares_of_the_training_set_are_parts_of_larger_ones(tmp_path):
    fields = [TrainingImage(tmp_path / f"{i}{s}", "a", s, str(i)) for i in range(20) for s in "xy"]
    shares = [training_size.share_of(fields, share) for share in (0.01, 0.3, 1.0)]
    assert [len(share) for share in shares] == [2, 12, 40]
    assert shares[0] < shares[1] < shares[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"part": "speed"}, "part must be one of synthetic, real, honesty"),
        ({"levels": "2,x"}, "levels must be numbers separated by commas, got '2,x'"),
        ({"levels": "0"}, r"levels must lie in \(0, 10\], got '0'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message, images, tmp_path):
    with pytest.raises(ValueError, match=message):
        evaluate_restoration(images, str(tmp_path / "report"), **arguments)
    assert not (tmp_path / "report").exists()


def test_a_folder_with_nothing_held_out_is_named(nuclei, tmp_path):
    iio.imwrite(tmp_path / "only.png", nuclei)
    with pytest.raises(FileNotFoundError, match="no image below .* is held out from training"):
        evaluate_restoration(str(tmp_path), str(tmp_path / "report"))
    assert not (tmp_path / "report").exists()


def test_every_part_and_parameter_is_explained():
    parameters = {parameter.name: parameter for parameter in command_spec(evaluate_restoration).parameters}
    assert all(parameter.help for parameter in parameters.values())
    assert all(f"`{part}`" in parameters["part"].help for part in PARTS)
