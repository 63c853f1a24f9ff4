"""Functions of ImageJ macros for the numbers, `Ext.focusScore(...)` and the like."""

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


@pytest.fixture
def call(headless, tmp_path):
    """Calls a function on an image of ImageJ; gives the values that it fills in, and what it returns."""

    def called(pixels, function, outputs, options=""):
        tifffile.imwrite(tmp_path / "image.tif", pixels, imagej=True, metadata={"axes": "ZYX"[-pixels.ndim :]})
        names = ", ".join(outputs)
        last = f', "{options}"' if options else ""
        values = ' + ";" + '.join(outputs)
        told = headless.run_macro(
            f'open("{tmp_path}/image.tif"); run("Parfocal Macro Extensions"); '
            f'status = Ext.{function}({names}{last}); close(); return "" + {values} + ";" + status;'
        )
        *numbers, status = told.split(";")
        return [float(number) for number in numbers], status

    headless.table_rows()
    return called


def test_focus_score_gives_score_and_certainty_of_the_image_in_front(call):
    expected = measure_image_focus(STACK[0]).estimate
    found, status = call(STACK[0], "focusScore", ["score", "certainty"])
    assert found == pytest.approx([expected.defocus_level, expected.certainty], abs=1e-3)
    assert status == "ok"


def test_options_are_those_of_the_command(call):
    expected = measure_image_focus(STACK[0], black_level=30.0, modality="confocal").estimate
    found, _ = call(STACK[0], "focusScore", ["score", "certainty"], "black_level=30 modality=confocal")
    assert found == pytest.approx([expected.defocus_level, expected.certainty], abs=1e-3)


def test_sharpest_slice_counts_as_imagej_does(call):
    assert measure_image_focus(STACK).sharpest_plane_index == 1
    assert call(STACK, "sharpestSlice", ["slice"]) == ([2.0], "ok")


def test_defocus_probability_gives_the_flag_too(call):
    expected = flag_defocused(STACK[0])
    found, _ = call(STACK[0], "defocusProbability", ["probability", "defocused"])
    assert found == pytest.approx([expected.probability, float(expected.flagged)], abs=1e-3)


def test_without_an_answer_numbers_are_nan_and_the_status_is_told(call):
    found, status = call(np.full((200, 200), 9, np.uint16), "focusScore", ["score", "certainty"])
    assert np.isnan(found).all()
    assert status == "blank"


def test_nothing_is_added_to_table_or_image(call, headless):
    call(STACK[0], "focusScore", ["score", "certainty"])
    assert headless.table_rows() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("black_level=deep", "Ext.focusScore: Black level must be a number, got 'deep'"),
        ("modalty=bright_field", "got modalty"),
        ("classical_metrics=maybe", "classical_metrics must be one of yes, true, 1, no, false, 0, got 'maybe'"),
        ("", "no image is open"),
    ],
)
def test_what_is_wrong_ends_the_macro_and_is_told(options, message, headless):
    opened = 'newImage("a", "8-bit black", 99, 99, 1);' if options else "while (nImages > 0) close();"
    code = f'{opened} run("Parfocal Macro Extensions"); Ext.focusScore(a, b, "{options}"); return "went on";'
    assert headless.run_macro(code) != "went on"
    assert message in headless.log_text()
    headless.run_macro("while (nImages > 0) close();")
