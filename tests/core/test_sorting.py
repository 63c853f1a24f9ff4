"""Sorting: what the networks see, what moves a flag and what does not, stacks, and what cannot be answered."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_sorter import write_edge_sorter

from parfocal import DefocusFlag, flag_defocused, status
from parfocal.commands import command_spec
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.registry import ModelError, load_model
from parfocal.restoration.intensity import Intensity
from parfocal.sorting import inputs
from parfocal.sorting.members import Sorter, load_sorter, pooled
from parfocal.sorting.network import FIELD_PX, PAPER_INPUT_PX, STRIDE_PX
from parfocal.sorting.result import PlaneFlag


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Sorters made by hand, by architecture: folders of models."""
    top = tmp_path_factory.mktemp("models")
    return {name: write_edge_sorter(top / name, name) for name in ("default", "xue2021")}


@pytest.fixture(scope="session")
def model(models):
    return models["default"]


@pytest.fixture(scope="session")
def sharp(nuclei):
    """Real nuclei in focus, uint16."""
    return nuclei.astype(np.uint16) * 8 + 100


def test_sharp_and_defocused_are_told_apart_and_the_level_agrees(sharp, blurred, model):
    told = [flag_defocused(image, model=model) for image in (sharp, blurred)]
    assert [flag.status for flag in told] == [status.OK] * 2
    assert [flag.flagged for flag in told] == [False, True]
    assert told[0].probability < 0.05 and told[1].probability > 0.9
    for flag, image in zip(told, (sharp, blurred)):
        assert flag.main_plane.defocus_level == measure_image_focus(image).estimate.defocus_level


@pytest.mark.parametrize("shape", [(97, 97), (305, 209), (49, 177)])
def test_the_maps_of_tiles_are_the_map_of_the_whole(shape, model, rng, monkeypatch):
    monkeypatch.setattr(inputs, "TILE_STEPS", 4)
    network, seen = load_model(model, "sorting"), rng.random(shape, dtype=np.float32)
    whole = network.predict(seen[None, ..., None])[0]
    across = -(-whole.shape[1] // 4)
    maps = [network.predict(tile[None, ..., None])[0] for tile in inputs.default_tiles(seen)]
    rows = [np.concatenate(maps[i : i + across], axis=1) for i in range(0, len(maps), across)]
    assert whole.shape[:2] == tuple((length - FIELD_PX) // STRIDE_PX + 1 for length in shape)
    np.testing.assert_allclose(np.concatenate(rows), whole, rtol=0, atol=1e-6)


def test_an_image_of_several_tiles_gets_the_probability_of_the_whole(model, rng, monkeypatch):
    sorter = load_sorter(model)
    plane = rng.random((410, 330))
    whole = sorter.probability(plane)
    monkeypatch.setattr(inputs, "TILE_STEPS", 5)
    assert len(inputs.default_tiles(inputs.default_input(plane))) > 4
    assert sorter.probability(plane) == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("shape", [(84, 84), (85, 131), (97, 98), (100, 511), (300, 301)])
def test_the_default_input_fits_the_squares_at_any_size(shape, rng):
    seen = inputs.default_input(rng.random(shape))
    assert all(length >= FIELD_PX and (length - FIELD_PX) % STRIDE_PX == 0 for length in seen.shape)
    half = [-(-length // 2) for length in shape]
    assert all(length - STRIDE_PX < max(FIELD_PX, had) <= length for length, had in zip(seen.shape, half))


def test_the_default_input_is_means_of_four_pixels_on_the_scale_of_the_image(rng):
    image = rng.integers(100, 900, (98, 98)).astype(np.uint16)
    seen = inputs.default_input(image)
    scaled = Intensity.of(image).apply(image)
    np.testing.assert_allclose(seen[3, 5], scaled[6:8, 10:12].mean(), atol=1e-6)


def test_weights_of_places_count_and_large_ones_do_not_overflow():
    places = np.array([[2.0, 900.0], [-8.0, 900.0 + np.log(3.0)]], np.float32)
    assert pooled(places) == pytest.approx(0.25 * 2 - 0.75 * 8, rel=1e-4)


# TensorFlow reckons places with 24 bits, so that of white noise the last digits differ where the scale is no fraction
# of a power of two.
@pytest.mark.parametrize(("length", "tolerance"), [(536, 1e-6), (134, 1e-6), (90, 1e-5), (301, 4e-5)])
def test_resizing_is_that_of_tensorflow(length, tolerance, rng):
    import tensorflow as tf

    square = rng.random((length, length), dtype=np.float32)
    expected = tf.image.resize(square[..., None], (PAPER_INPUT_PX, PAPER_INPUT_PX), "bilinear").numpy()[..., 0]
    np.testing.assert_allclose(inputs.resized(square, PAPER_INPUT_PX), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("contrast", [1000.0, 1e-2, 1e-4])
def test_standardisation_is_that_of_tensorflow_also_of_faint_images(contrast, rng):
    import tensorflow as tf

    image = (1 + contrast * rng.random((134, 134))).astype(np.float32)
    expected = tf.image.per_image_standardization(image[..., None]).numpy()
    (found,) = inputs.paper_inputs(image)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("shape", "count"), [((536, 536), 1), ((300, 536), 2), ((1072, 1600), 6), ((560, 540), 1)])
def test_squares_cover_the_image(shape, count, rng):
    assert inputs.paper_inputs(rng.random(shape, dtype=np.float32)).shape == (count, 134, 134, 1)


@pytest.mark.parametrize("name", ["default", "xue2021"])
def test_the_flag_does_not_depend_on_gain_and_offset(name, models, blurred):
    base = blurred.astype(np.float64)
    shown = [blurred, base * 7 + 1000, base / 65535, base * 1e-9 - 3e-7, base * 1e300, base * 1e-300, base * 1e7 + 1e9]
    found = [flag_defocused(image, model=models[name]).probability for image in shown]
    assert found[0] > 0.9
    assert found == pytest.approx([found[0]] * len(shown), rel=1e-4)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int32", "float32", "float64", "rgb", "rgba"])
def test_every_type_gives_the_same_flag(kind, model, blurred):
    base = blurred.astype(np.float64)
    colours = [blurred, blurred, blurred, np.full_like(blurred, 3)]
    made = {
        "uint8": lambda: np.rint(base / base.max() * 255).astype(np.uint8),
        "rgb": lambda: np.stack(colours[:3], axis=-1),
        "rgba": lambda: np.stack(colours, axis=-1),
    }
    image = made[kind]() if kind in made else blurred.astype(kind)
    kept = image.copy()
    flag = flag_defocused(image, model=model)
    assert flag.status == status.OK and flag.flagged
    assert flag.probability == pytest.approx(flag_defocused(blurred, model=model).probability, abs=1e-3)
    assert np.array_equal(image, kept)


def test_of_colours_the_mean_of_red_green_and_blue_is_sorted(sharp, blurred, model):
    colours = np.stack([sharp, blurred, blurred[::-1], np.full_like(sharp, 60000)], axis=-1)
    expected = flag_defocused(colours[..., :3].mean(axis=-1), model=model)
    assert flag_defocused(colours, model=model).probability == pytest.approx(expected.probability, rel=1e-4)


@pytest.mark.parametrize("name", ["default", "xue2021"])
@pytest.mark.parametrize("size", [256, 128, 90])
def test_one_hot_pixel_over_a_dim_image_does_not_move_the_flag(size, name, models, sharp, blurred):
    for image, defocused in ((sharp, False), (blurred, True)):
        dim = image[20 : 20 + size, 20 : 20 + size] // 8
        hot = dim.copy()
        hot[40, 37] = 65535
        before, after = (flag_defocused(i, model=models[name]) for i in (dim, hot))
        assert after.flagged is before.flagged is defocused
        assert after.probability == pytest.approx(before.probability, abs=0.01)
        assert after.main_plane.defocus_level == pytest.approx(before.main_plane.defocus_level, abs=0.1)
        assert (before.warnings, after.warnings) == ((), ("hot_pixels",))


def test_the_sharpest_plane_stands_for_a_stack(sharp, blurred, model):
    planes = [blurred, blurred[::-1], sharp, blurred[:, ::-1]]
    flag = flag_defocused(np.stack(planes), model=model)
    assert flag.sharpest_plane_index == 2
    assert flag.flagged is False
    assert flag.probability == flag_defocused(sharp, model=model).probability
    alone = [flag_defocused(plane, model=model).probability for plane in planes]
    assert [plane.probability for plane in flag.planes] == pytest.approx(alone, rel=1e-6)
    without = flag_defocused(np.stack([planes[0], planes[1]]), model=model)
    assert without.flagged is True


def test_planes_without_an_answer_do_not_stand_for_a_stack(sharp, blurred, model):
    blank = np.full_like(sharp, 100)
    flag = flag_defocused(np.stack([blank, blurred, blank]), model=model)
    assert (flag.status, flag.sharpest_plane_index, flag.flagged) == (status.OK, 1, True)
    assert [plane.status for plane in flag.planes] == [status.BLANK, status.OK, status.BLANK]
    assert flag_defocused(np.stack([blank, blank]), model=model).flagged is None


@pytest.mark.parametrize("wrong", [True, False])
def test_an_answer_that_the_level_contradicts_is_withdrawn(wrong, sharp, blurred, model, monkeypatch):
    image, says = (sharp, 0.99) if wrong else (blurred, 0.01)
    monkeypatch.setattr(Sorter, "probability", lambda self, plane_yx: says)
    flag = flag_defocused(image, model=model)
    assert flag.status == status.DISAGREEMENT
    assert f"a probability of defocus of {says:.2f}, the measured level is" in flag.reason
    assert np.isnan(flag.probability) and flag.flagged is None and not flag.answered
    assert np.isfinite(flag.main_plane.defocus_level)
    unchecked = flag_defocused(image, model=model, check_level=False)
    assert (unchecked.status, unchecked.flagged, unchecked.warnings) == (status.OK, wrong, ("level_unchecked",))


def test_an_unsure_answer_stands_whatever_the_level(sharp, model, monkeypatch):
    monkeypatch.setattr(Sorter, "probability", lambda self, plane_yx: 0.85)
    assert flag_defocused(sharp, model=model).flagged is True


def test_a_stack_is_not_called_defocused_where_a_withdrawn_plane_may_be_sharp():
    unsure = PlaneFlag(status=status.DISAGREEMENT, reason="who knows")
    defocused, in_focus, blank = PlaneFlag(0.9), PlaneFlag(0.1), PlaneFlag(status=status.BLANK)
    assert DefocusFlag((defocused, unsure), 0.5).status == status.DISAGREEMENT
    assert DefocusFlag((defocused, unsure), 0.5).flagged is None
    assert DefocusFlag((in_focus, unsure), 0.5).flagged is False
    assert DefocusFlag((defocused, blank), 0.5).flagged is True
    assert DefocusFlag((blank, unsure), 0.5).reason == "who knows"
    assert DefocusFlag((blank, blank), 0.5).status == status.BLANK


def bad_images():
    noise = np.random.default_rng(1).integers(0, 900, (128, 128)).astype(np.uint16)
    holed = noise.astype(np.float32)
    holed[3, 4] = np.nan
    endless = noise.astype(np.float64)
    endless[3, 4] = np.inf
    full = noise.copy()
    full[:40] = 65535
    one_hot = np.full((128, 128), 7, np.uint16)
    one_hot[50, 50] = 65535
    return {
        "blank": (status.BLANK, np.full((128, 128), 7, np.uint16)),
        "one hot pixel over nothing": (status.NO_CONTENT, one_hot),
        "NaN": (status.NOT_FINITE, holed),
        "infinite": (status.NOT_FINITE, endless),
        "saturated": (status.SATURATED, full),
        "small": (status.TOO_SMALL, noise[:83, :120]),
        "one pixel": (status.TOO_SMALL, noise[:1, :1]),
        "no pixels": (status.TOO_SMALL, noise[:0]),
        "noise": (status.NO_CONTENT, noise),
    }


@pytest.mark.parametrize("kind", list(bad_images()))
@pytest.mark.parametrize("name", ["default", "xue2021"])
def test_what_cannot_be_sorted_says_why_and_gives_no_number(kind, name, models):
    found, image = bad_images()[kind]
    flag = flag_defocused(image, model=models[name])
    assert flag.status == found
    assert flag.reason and flag.flagged is None
    features = flag.features()
    assert np.isnan([features["Probability"], features["Defocused"], features["SharpestPlane"]]).all()
    assert features["Answered"] == 0


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", ["NaN", "infinite", "blank", "no pixels", "one hot pixel over nothing"])
def test_bad_images_are_refused_without_warnings_of_numpy(kind, model):
    assert not flag_defocused(bad_images()[kind][1], model=model).answered


def test_partly_saturated_images_are_answered_with_a_warning(blurred, model):
    image = np.minimum(blurred, np.percentile(blurred, 99.0)).astype(np.uint16)
    assert "partly_saturated" in flag_defocused(image, model=model).warnings


def test_a_model_that_is_for_fluorescence_refuses_others(tmp_path, sharp, model):
    narrow = write_edge_sorter(tmp_path / "narrow", modalities=["widefield_fluorescence"])
    flag = flag_defocused(sharp, model=narrow, modality="phase_contrast")
    assert flag.status == status.OUT_OF_DOMAIN
    assert flag.reason == "the model is for widefield fluorescence"
    assert flag_defocused(sharp, model=narrow).answered
    # One that a user trained is for what it was trained on; there is no level to hold it against.
    own = flag_defocused(sharp, model=model, modality="phase_contrast")
    assert (own.status, own.warnings) == (status.OK, ("level_unchecked",))


def test_optics_far_from_the_model_are_out_of_range(sharp, model):
    flag = flag_defocused(sharp, model=model, pixel_size_um=0.01, numerical_aperture=0.5, emission_wavelength_um=0.5)
    assert flag.status == status.OUT_OF_RANGE


def test_finer_pixels_are_brought_to_the_scale_of_the_model(nuclei, model):
    large = np.kron(nuclei, np.ones((4, 4), np.uint8))
    optics = {"numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    fine = flag_defocused(large, model=model, pixel_size_um=0.65 / 4, **optics)
    assert fine.flagged is False
    assert flag_defocused(large, model=model, check_level=False).probability > 0.5


def test_the_threshold_is_the_model_s_unless_given(tmp_path, blurred):
    strict = write_edge_sorter(tmp_path / "strict", threshold=0.999)
    assert flag_defocused(blurred, model=strict).flagged is False
    flag = flag_defocused(blurred, model=strict, threshold=0.5)
    assert flag.flagged is True
    assert flag.features()["Threshold"] == 0.5
    assert flag_defocused(blurred, model=strict, threshold=1.0).flagged is False


def test_the_names_of_the_features_do_not_depend_on_the_image(sharp, model):
    answered, refused = (flag_defocused(image, model=model).features() for image in (sharp, sharp[:9, :9]))
    assert list(answered) == list(refused)
    assert set(answered) == {"Probability", "Defocused", "Answered", "Threshold", "DefocusLevel", "SharpestPlane"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": 1.5}, r"threshold must be in \[0.0, 1.0\], got 1.5"),
        ({"threshold": float("nan")}, r"threshold must be in \[0.0, 1.0\], got nan"),
        ({"modality": "xray"}, "modality must be one of widefield_fluorescence"),
        ({"numerical_aperture": 1.4, "pixel_size_um": 0.1, "emission_wavelength_um": 0.5}, "must be in"),
    ],
)
def test_wrong_arguments_are_named(arguments, message, sharp, model):
    with pytest.raises(ValueError, match=message):
        flag_defocused(sharp, model=model, **arguments)


def test_images_and_models_that_are_none_are_refused(sharp, model, tmp_path):
    with pytest.raises(ValueError, match=r"image must be \(y, x\)"):
        flag_defocused(np.zeros(5), model=model)
    with pytest.raises(ModelError, match="no model 'nothing' for sorting"):
        flag_defocused(sharp, model="nothing")
    other = write_edge_sorter(tmp_path / "other", task="restoration")
    with pytest.raises(ModelError, match="is a model for 'restoration', needed is one for 'sorting'"):
        flag_defocused(sharp, model=other)


def test_every_parameter_is_explained():
    assert all(parameter.help for parameter in command_spec(flag_defocused).parameters)
