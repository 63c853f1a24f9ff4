from __future__ import annotations

import inspect
import json
from typing import Annotated, Optional

import numpy as np
import pytest

from parfocal import measure_image_focus
from parfocal.commands import Param, check_arguments, command_spec


def sample(
    image: Annotated[object, Param(array=True)],
    width_um: Annotated[Optional[float], Param("um", 0.5, 2.0, label="Width")] = None,
    level: Annotated[float, Param(minimum=0.0)] = 1.0,
    kind: Annotated[str, Param(choices=("a", "b"))] = "a",
    plain: bool = False,
) -> None:
    """Do nothing with an image.

    More words.

    Parameters
    ----------
    image : array_like
        What it is.
    width_um, level : float
        Help of two
        parameters.
    kind : str
        Which one.

    Returns
    -------
    None
        Nothing.
    """


def test_a_whole_number_is_no_fraction():
    def repeat(count: Annotated[int, Param("", 1, 9)] = 1) -> None:
        """Do nothing."""

    for fine in (2, np.int64(3)):
        check_arguments(repeat, {"count": fine})
    for wrong in (2.5, 2.0, "2"):
        with pytest.raises(TypeError, match="count must be a whole number, got"):
            check_arguments(repeat, {"count": wrong})


def test_spec_reads_names_types_defaults_units_and_help():
    spec = command_spec(sample)
    assert (spec.name, spec.summary) == ("sample", "Do nothing with an image.")
    assert [p.name for p in spec.parameters] == ["image", "width_um", "level", "kind", "plain"]
    assert [p.type for p in spec.parameters] == ["object", "float", "float", "str", "bool"]
    assert [p.required for p in spec.parameters] == [True, False, False, False, False]
    assert [p.default for p in spec.parameters] == [None, None, 1.0, "a", False]
    assert [p.help for p in spec.parameters] == ["What it is.", *["Help of two parameters."] * 2, "Which one.", ""]
    assert spec.parameter("width_um").param == Param("um", 0.5, 2.0, label="Width")
    assert spec.parameter("kind").param.choices == ("a", "b")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"width_um": 0.4}, ValueError, r"width_um must be in \[0.5, 2.0\] um, got 0.4"),
        ({"width_um": float("nan")}, ValueError, r"width_um must be in \[0.5, 2.0\] um, got nan"),
        ({"width_um": "wide"}, TypeError, r"width_um must be a number in \[0.5, 2.0\] um, got 'wide'"),
        ({"level": -1}, ValueError, r"level must be at least 0.0, got -1"),
        ({"kind": "c"}, ValueError, r"kind must be one of a, b, got 'c'"),
        ({"kind": 3}, TypeError, r"kind must be text or a path, got 3"),
        ({"kind": None}, TypeError, r"kind must be given, got None"),
        ({"plain": None}, TypeError, r"plain must be given, got None"),
        ({"plain": "yes"}, TypeError, r"plain must be True or False, got 'yes'"),
        ({"level": True}, TypeError, r"level must be a number at least 0.0, got True"),
    ],
)
def test_wrong_arguments_are_refused_with_range_and_value(arguments, error, message):
    with pytest.raises(error, match=message):
        check_arguments(sample, arguments)


def test_right_arguments_pass():
    arguments = {"image": "anything", "width_um": np.float32(2.0), "level": 0, "kind": "b"}
    assert check_arguments(sample, arguments) is None
    assert check_arguments(sample, {"width_um": None, "plain": np.bool_(True)}) is None


def test_help_shows_plain_types():
    shown = str(inspect.signature(measure_image_focus))
    assert "Param" not in shown
    assert "pixel_size_um: Optional[float] = None, numerical_aperture" in shown


def test_every_parameter_of_measure_image_focus_is_explained():
    for parameter in command_spec(measure_image_focus).parameters:
        assert len(parameter.help) > 20, parameter.name
        assert parameter.param.label or parameter.param.array, parameter.name


def test_every_length_of_measure_image_focus_has_unit_and_range():
    spec = command_spec(measure_image_focus)
    lengths = [p for p in spec.parameters if p.name.endswith("_um")]
    assert {p.name for p in lengths} == {"pixel_size_um", "emission_wavelength_um", "z_step_um"}
    for parameter in lengths:
        assert parameter.param.unit == "um"
        assert parameter.param.minimum < parameter.param.maximum


def test_only_the_image_is_required():
    assert [p.name for p in command_spec(measure_image_focus).parameters if p.required] == ["image"]


def test_defaults_lie_in_their_ranges():
    spec = command_spec(measure_image_focus)
    check_arguments(measure_image_focus, {p.name: p.default for p in spec.parameters if not p.required})


def test_spec_can_be_written_as_json():
    written = json.loads(json.dumps(command_spec(measure_image_focus).as_dict()))
    pixel = next(p for p in written["parameters"] if p["name"] == "pixel_size_um")
    assert pixel["param"] == {
        "unit": "um",
        "minimum": 0.001,
        "maximum": 100.0,
        "choices": [],
        "array": False,
        "label": "Pixel size",
        "path": "",
    }
