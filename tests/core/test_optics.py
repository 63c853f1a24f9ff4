from __future__ import annotations

import math

import pytest

from parfocal import Optics
from parfocal.focus_quality.scale import ModelScale
from parfocal.optics.optics import MODEL_OPTICS

OIL = Optics(0.6, 1.4, 1.515, 0.1)


def test_default_optics_are_those_of_the_paper():
    assert Optics(0.5, 0.5, 1.0, 0.65) == MODEL_OPTICS
    assert MODEL_OPTICS.depth_of_field_um == pytest.approx(2.0)
    assert MODEL_OPTICS.lateral_unit_um == pytest.approx(1.0)


def test_depth_of_field_of_an_oil_objective():
    assert OIL.depth_of_field_um == pytest.approx(1.515 * 0.6 / 1.96)


@pytest.mark.parametrize(("z_um", "blur_px"), [(0, 0), (2, 2 / 0.65), (-2, 2 / 0.65), (10, 10 / 0.65)])
def test_blur_diameter_is_the_geometric_cone(z_um, blur_px):
    assert MODEL_OPTICS.blur_diameter_px(z_um) == pytest.approx(blur_px)


@pytest.mark.parametrize("optics", [MODEL_OPTICS, OIL, Optics(0.52, 0.75, 1.0, 1.367)])
@pytest.mark.parametrize("distance_um", [0.0, 0.1, 2.0, 17.3])
def test_distance_blur_and_level_convert_both_ways(optics, distance_um):
    assert optics.defocus_distance_um(optics.blur_diameter_px(distance_um)) == pytest.approx(distance_um)
    assert optics.level_to_um(optics.um_to_level(distance_um)) == pytest.approx(distance_um)
    level = optics.um_to_level(distance_um)
    assert level * 2 / 0.65 == pytest.approx(optics.blur_diameter_px(distance_um))


def test_a_level_of_the_model_is_two_um():
    assert MODEL_OPTICS.level_to_um(1) == pytest.approx(2.0)
    assert MODEL_OPTICS.um_to_level(-20.0) == pytest.approx(10.0)


def test_halving_the_pixel_doubles_the_blur_in_pixels():
    finer = MODEL_OPTICS.with_pixel_size(0.325)
    assert finer.blur_diameter_px(4.0) == pytest.approx(2 * MODEL_OPTICS.blur_diameter_px(4.0))
    assert finer.numerical_aperture == MODEL_OPTICS.numerical_aperture


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"numerical_aperture": 1.4}, r"numerical_aperture must be in \(0, immersion_index=1.0\], got 1.4"),
        ({"numerical_aperture": 0.0}, r"numerical_aperture must be in .*, got 0.0"),
        ({"emission_wavelength_um": 500.0}, r"emission_wavelength_um must be in \[0.2, 2.0\] um, got 500.0"),
        ({"immersion_index": 0.9}, r"immersion_index must be in \[1.0, 2.0\], got 0.9"),
        ({"pixel_size_um": -0.1}, r"pixel_size_um must be in \(0, inf\) um, got -0.1"),
        ({"pixel_size_um": math.nan}, r"pixel_size_um must be in \(0, inf\) um, got nan"),
    ],
)
def test_impossible_optics_are_refused_with_range_and_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        Optics(**arguments)


def test_one_level_at_the_model_scale_is_one_depth_of_field():
    scale = ModelScale.of(OIL)
    assert scale.zoom < 1
    assert scale.defocus_distance_um(1.0) == pytest.approx(OIL.depth_of_field_um)
