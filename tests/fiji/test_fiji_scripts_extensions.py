"""Functions of macros in an ordinary Fiji: the numbers of core, nothing added to the table."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal import flag_defocused, measure_image_focus
from parfocal.focus_quality.synthesis import defocus_image

NUCLEI = iio.imread(Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png").astype(np.uint16)
STACK = np.stack([defocus_image(NUCLEI.astype(np.float32), 10.0).astype(np.uint16), NUCLEI])
BEGIN = 'run("Parfocal Macro Extensions");'


@pytest.fixture
def call(ordinary, tmp_path):
    """Calls a function on an image; gives the values that it fills in, and what it returns."""

    def called(pixels, function, outputs, options=""):
        tifffile.imwrite(tmp_path / "image.tif", pixels, imagej=True, metadata={"axes": "ZYX"[-pixels.ndim :]})
        names = ", ".join(outputs)
        last = f', "{options}"' if options else ""
        values = ' + ";" + '.join(outputs)
        told = ordinary.run_macro(
            f'open("{tmp_path}/image.tif"); {BEGIN} status = Ext.{function}({names}{last}); close(); '
            f'return "" + {values} + ";" + status;',
            "Parfocal Macro Extensions",
        )
        *numbers, status = told.split(";")
        return [float(number) for number in numbers], status

    return called


def test_functions_give_the_numbers_of_the_image_in_front(call, ordinary):
    expected = measure_image_focus(STACK[0]).estimate
    found, status = call(STACK[0], "focusScore", ["score", "certainty"])
    assert found == pytest.approx([expected.defocus_level, expected.certainty], abs=1e-3)
    assert status == "ok"
    assert call(STACK, "sharpestSlice", ["slice"]) == ([2.0], "ok")
    flag = flag_defocused(STACK[0])
    found, _ = call(STACK[0], "defocusProbability", ["probability", "defocused"])
    assert found == pytest.approx([flag.probability, float(flag.flagged)], abs=1e-3)
    found, status = call(np.full((200, 200), 9, np.uint16), "focusScore", ["score", "certainty"])
    assert np.isnan(found).all() and status == "blank"
    ordinary.open(str(Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png"), None)
    assert len(ordinary.run("Flag Defocused...", {})["rows"]) == 1


def test_options_are_those_of_the_command(call):
    expected = measure_image_focus(STACK[0], black_level=30.0, modality="confocal").estimate
    found, _ = call(STACK[0], "focusScore", ["score", "certainty"], "black_level=30 modality=confocal")
    assert found == pytest.approx([expected.defocus_level, expected.certainty], abs=1e-3)
    expected = flag_defocused(STACK[0], threshold=0.25, check_level=False)
    for off in ("check_level=no", "check_level=[no]"):
        found, _ = call(STACK[0], "defocusProbability", ["p", "defocused"], f"threshold=0.25 {off}")
        assert found == pytest.approx([expected.probability, float(expected.flagged)], abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("black_level=deep", "Ext.focusScore: Black level must be a number, got 'deep'"),
        ("modalty=bright_field", "got modalty"),
        ("classical_metrics=maybe", "classical_metrics must be one of yes, true, 1, no, false, 0, got 'maybe'"),
        ("", "Ext.focusScore: no image is open"),
    ],
)
def test_what_is_wrong_ends_the_macro_and_is_told(options, message, ordinary):
    ordinary.closeAll()
    opened = 'newImage("a", "8-bit black", 99, 99, 1);' if options else ""
    code = f'{opened} {BEGIN} Ext.focusScore(a, b, "{options}"); return "went on";'
    assert ordinary.run_macro(code, "Parfocal Macro Extensions") != "went on"
    assert message in ordinary.log_text()
    ordinary.closeAll()


def test_without_a_macro_it_says_so(ordinary):
    assert "functions are for macros: run this in one" in ordinary.run("Parfocal Macro Extensions", {})["thrown"]
