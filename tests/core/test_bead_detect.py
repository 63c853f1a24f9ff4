from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from bead_drawing import DIAMETER_PX, DIAMETER_UM, PIXEL_UM, draw_beads, draw_cells

from parfocal.beads import refusal
from parfocal.beads.detect import find_beads
from parfocal.beads.evidence import block_mean
from parfocal.beads.simulation import A2K_LIKE, Light, Sample, simulate_bead_stack

BEADS = Path(__file__).parents[1] / "data" / "beads"
FREE = np.array([[40.3, 50.6], [60.1, 180.2], [140.2, 130.9], [150.7, 40.4], [210.5, 200.3], [220.8, 90.1]])
SHAPE = (256, 256)


def places(things):
    return np.array([(thing.y_px, thing.x_px) for thing in things]).reshape(-1, 2)


def find(image, **kwargs):
    return find_beads(image, DIAMETER_UM, PIXEL_UM, **kwargs)


def reason_at(detection, centre, within_px=6.0):
    found = places(detection.refused)
    distance = np.hypot(*(found - centre).T)
    assert distance.min() < within_px, f"nothing listed near {centre}"
    return detection.refused[int(distance.argmin())].reason


@pytest.mark.parametrize(
    ("blur", "spot", "depth"), [(1, 0.9, 0.7), (2, 0.9, 0.7), (4, 0, 0.7), (4, 3, 0.7), (6, 0, 1.0), (0.5, 0, 0.9)]
)
def test_free_beads_are_found_in_and_out_of_focus(rng, blur, spot, depth):
    detection = find(draw_beads(SHAPE, FREE, rng, blur=blur, spot=spot, depth=depth))
    np.testing.assert_allclose(places(detection.beads), FREE, atol=0.3)


def test_beads_are_sorted_by_row_and_column(rng):
    found = places(find(draw_beads(SHAPE, FREE[::-1], rng)).beads)
    assert found.tolist() == sorted(found.tolist())


def test_uneven_light_finds_the_same_beads(rng):
    detection = find(draw_beads(SHAPE, FREE, rng, gradient=1.2))
    np.testing.assert_allclose(places(detection.beads), FREE, atol=0.1)


@pytest.mark.parametrize("scale", [1e-3, 50.0])
def test_detection_is_unchanged_by_intensity_scale(rng, scale):
    image = draw_beads(SHAPE, FREE, rng)
    np.testing.assert_allclose(places(find(scale * image).beads), places(find(image).beads), atol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_every_kind_of_pixel_is_taken(rng, dtype):
    image = draw_beads(SHAPE, FREE, rng, level=120.0)
    np.testing.assert_allclose(places(find(image.astype(dtype)).beads), FREE, atol=0.1)


def test_turned_image_has_turned_beads(rng):
    image = draw_beads((256, 300), FREE, rng)
    np.testing.assert_allclose(np.sort(places(find(image.T).beads)[:, ::-1], axis=0), np.sort(FREE, axis=0), atol=0.1)


def test_touching_beads_are_refused_as_overlapping(rng):
    pair = np.array([[100.0, 215.0], [100.0, 235.0]])
    detection = find(draw_beads(SHAPE, np.concatenate([FREE, pair]), rng))
    np.testing.assert_allclose(places(detection.beads), FREE, atol=0.1)
    assert [reason_at(detection, centre) for centre in pair] == [refusal.OVERLAPPING] * 2


def test_beads_too_close_for_a_profile_are_refused_as_overlapping(rng):
    pair = np.array([[95.0, 210.0], [95.0, 210.0 + 1.35 * DIAMETER_PX]])
    detection = find(draw_beads(SHAPE, np.concatenate([FREE, pair]), rng))
    assert [reason_at(detection, centre) for centre in pair] == [refusal.OVERLAPPING] * 2
    assert "diameters away" in detection.refused[0].text


@pytest.mark.parametrize("centre", [(2.0, 120.0), (120.0, 254.0), (251.0, 30.0), (8.0, 120.0)])
def test_beads_at_the_border_are_refused(rng, centre):
    detection = find(draw_beads(SHAPE, np.concatenate([FREE, [centre]]), rng))
    np.testing.assert_allclose(places(detection.beads), FREE, atol=0.1)
    assert reason_at(detection, centre) == refusal.BORDER


def test_dust_and_cells_are_no_beads(rng):
    y, x = np.indices(SHAPE)
    grid = [(cy, cx) for cy in range(20, 250, 38) for cx in range(20, 250, 38)]
    free = [c for c in grid if np.hypot(*(FREE - c).T).min() > 1.8 * DIAMETER_PX]
    image = draw_beads(SHAPE, FREE, rng) * draw_cells(SHAPE, free[::2], rng)
    for cy, cx in free[1::2]:
        image *= 1 - 0.6 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 8)
    np.testing.assert_allclose(places(find(image).beads), FREE, atol=0.15)


def test_faint_disc_among_beads_is_refused_for_low_contrast(rng):
    faint = (100.0, 220.0)
    image = draw_beads(SHAPE, FREE, rng) * draw_beads(SHAPE, [faint], depth=0.15, spot=0, gradient=0, level=1)
    assert reason_at(find(image), faint) == refusal.LOW_CONTRAST


def test_elongated_and_large_things_are_refused_with_their_reason(rng):
    y, x = np.indices(SHAPE)
    image = draw_beads(SHAPE, FREE, rng)
    image[np.hypot((y - 100) / 8, (x - 210) / 15) < 1] *= 0.3
    image[np.hypot(y - 75, x - 105) < 15] *= 0.3
    detection = find(image)
    np.testing.assert_allclose(places(detection.beads), FREE, atol=0.15)
    assert reason_at(detection, (100, 210)) in (refusal.NOT_ROUND, refusal.TOO_LARGE)
    assert reason_at(detection, (75, 105)) == refusal.TOO_LARGE


def test_every_reason_has_a_meaning():
    reasons = {value for name, value in vars(refusal).items() if name.isupper() and isinstance(value, str)}
    assert reasons == set(refusal.MEANINGS)


def test_stack_finds_beads_that_no_single_plane_shows_all_of(rng):
    near, far = draw_beads(SHAPE, FREE[:3], rng), draw_beads(SHAPE, FREE[3:], rng)
    np.testing.assert_allclose(places(find(np.stack([near, far, near])).beads), FREE, atol=0.3)


def test_stack_is_read_once_plane_by_plane(rng):
    stack = [draw_beads(SHAPE, FREE, rng, blur=blur).astype(np.uint16) for blur in (4.0, 1.0, 4.0)]
    from_array = find(np.stack(stack))
    assert find(plane for plane in stack) == from_array
    assert len(from_array.beads) == len(FREE)


@pytest.fixture(scope="module")
def simulated():
    """Simulated bright-field stack (7, 300, 300) with free, touching and cut beads among cells and dust."""
    look = A2K_LIKE.appearance(distance_range_um=(-100.0, 160.0), distance_step_um=20.0)
    return simulate_bead_stack(
        look,
        PIXEL_UM,
        (300, 300),
        np.arange(-90.0, 91.0, 30.0),
        np.random.default_rng(4),
        n_beads=7,
        sample=Sample(touching_pairs=1, border_beads=1, dust=15, cells=30),
        light=Light(level_electrons=A2K_LIKE.background_electrons, vignetting=0.2, gradient_yx=(0.1, 0.1)),
        camera=A2K_LIKE.camera,
    )


@pytest.mark.parametrize("planes", [slice(None), *range(7)])
def test_simulated_beads_are_found_among_cells_and_dust(simulated, planes):
    scene = simulated.scene
    free = scene.centres_yx_px[~(scene.touching | scene.at_border)]
    free = free[np.lexsort(free.T[::-1])]
    detection = find(simulated.stack_zyx[planes])
    # A stack gives places to a fraction of a pixel of the small map; planes are refined.
    np.testing.assert_allclose(places(detection.beads), free, atol=0.35)
    for centre in scene.centres_yx_px[scene.touching]:
        assert reason_at(detection, centre) in (refusal.OVERLAPPING, refusal.TOO_LARGE)


def test_apparent_diameter_is_larger_where_no_plane_is_near_focus(rng):
    y, x = np.indices(SHAPE)
    image = rng.normal(1000, 3, SHAPE)
    for cy, cx in FREE:
        image -= 300 * np.exp(-((np.hypot(y - cy, x - cx) / DIAMETER_PX) ** 4))
    detection = find(image)
    assert len(detection.beads) == len(FREE)
    assert detection.apparent_diameter_um >= 1.4 * DIAMETER_UM
    assert {bead.diameter_um for bead in detection.beads} == {DIAMETER_UM}


def test_small_beads_of_a_few_pixels_are_found(rng):
    image = draw_beads(SHAPE, FREE, rng, diameter_px=5.0, glow=True)
    np.testing.assert_allclose(places(find_beads(image, 5.0, 1.0, "fluorescence").beads), FREE, atol=0.15)


def test_large_beads_are_found(rng):
    centres = np.array([[120.0, 130.0], [300.0, 280.0]])
    image = draw_beads((420, 420), centres, rng, diameter_px=90.0)
    np.testing.assert_allclose(places(find_beads(image, 27.0, 0.3).beads), centres, atol=0.2)


def test_real_fluorescent_beads_are_found_and_the_touching_ones_refused():
    expected = [(12.8, 61.5), (15.3, 124.2), (38.1, 52.9), (102.7, 155.7), (111.5, 178.8)]
    for take in ("acq1", "acq2"):
        stack = tifffile.imread(BEADS / f"fluorescent_beads_{take}.tif")
        detection = find_beads(stack, 15.0, 1.3668, "fluorescence")
        np.testing.assert_allclose(places(detection.beads), expected, atol=0.5)
        assert sorted(bead.reason for bead in detection.refused) == [refusal.BORDER] + [refusal.OVERLAPPING] * 4


def test_pixels_that_are_not_finite_refuse_only_their_bead(rng):
    image = draw_beads(SHAPE, FREE, rng)
    image[40:42, 50:53] = np.nan
    image[0, 0] = np.inf
    detection = find(image)
    np.testing.assert_allclose(places(detection.beads), FREE[1:], atol=0.1)
    assert reason_at(detection, FREE[0]) == refusal.NOT_FINITE


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.full((64, 64), 9, np.uint8), "nothing stands out"),
        (np.full((64, 64), 255, np.uint8), "nothing stands out"),
        (np.zeros((64, 64), np.uint16), "light"),
        (np.full((64, 64), np.nan), "finite"),
        (np.full((10, 300), 5.0), "smaller than a bead"),
        (np.zeros((0, 0)), "finite"),
        (np.zeros((0, 64, 64)), "finite"),
        ([], "finite"),
    ],
)
def test_nothing_to_find_gives_an_empty_answer_that_says_why(image, text):
    detection = find(image)
    assert detection.beads == ()
    assert text in detection.text
    assert np.isnan(detection.apparent_diameter_um)


def test_noise_alone_holds_no_bead(rng):
    for contrast in ("bright_field", "fluorescence"):
        assert find(rng.poisson(100, (200, 200)).astype(np.uint16), contrast=contrast).beads == ()


def test_one_bead_is_enough(rng):
    np.testing.assert_allclose(places(find(draw_beads(SHAPE, FREE[:1], rng)).beads), FREE[:1], atol=0.1)


def test_all_refused_says_so(rng):
    detection = find(draw_beads((40, 40), [(3, 20)], rng))
    assert detection.beads == ()
    assert detection.text == "every candidate was refused"


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"bead_diameter_um": 0.0}, "bead_diameter_um must be above 0 um, got 0.0"),
        ({"pixel_size_um": float("nan")}, "pixel_size_um must be above 0 um, got nan"),
        ({"bead_diameter_um": 2.0}, "at least 3 pixels of 1.5 um, got 2.0"),
        ({"contrast": "phase"}, "contrast must be one of bright_field, fluorescence, got 'phase'"),
        ({"smallest_contrast": 1.0}, r"smallest_contrast must be in \[0, 1\), got 1.0"),
        ({"image": np.zeros((2, 2, 2, 2))}, r"image must be \(y, x\) or \(z, y, x\), got shape"),
        ({"image": [np.ones((50, 50)), np.ones((50, 60))]}, r"plane 1 has \(50, 60\), the first \(50, 50\)"),
        ({"image": [np.ones(50)]}, r"plane 0 has shape \(50,\)"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(kwargs, match):
    arguments = {"image": np.ones((50, 50)), "bead_diameter_um": DIAMETER_UM, "pixel_size_um": PIXEL_UM, **kwargs}
    with pytest.raises(ValueError, match=match):
        find_beads(**arguments)


def test_planes_of_other_than_numbers_are_refused():
    with pytest.raises(TypeError, match="plane 0 holds bool"):
        find([np.ones((50, 50), bool)])


def test_block_mean_keeps_the_last_rows_and_columns():
    image = np.arange(15.0).reshape(3, 5)
    np.testing.assert_allclose(block_mean(image, 2), [[3, 5, 6.5], [10.5, 12.5, 14]])
