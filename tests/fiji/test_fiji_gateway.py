"""PyImageJ's whole gateway: the commands in a real Fiji or ImageJ2.

They run where PARFOCAL_FIJI names its folder, such as `PARFOCAL_FIJI=/opt/Fiji.app pytest tests/fiji`; without network.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from imagej_process import ImageJProcess
from test_fiji_cli import CODE

from parfocal import flag_defocused, measure_image_focus, restore_defocus
from parfocal.fiji_bridge.commands import COMMANDS
from parfocal.focus_quality.synthesis import defocus_image

FIJI = os.environ.get("PARFOCAL_FIJI")
pytestmark = pytest.mark.skipif(not FIJI, reason="PARFOCAL_FIJI names no folder of a Fiji or ImageJ2")

NUCLEI = iio.imread(Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png").astype(np.uint16)
BLURRED = defocus_image(NUCLEI.astype(np.float32), 10.0).astype(np.uint16)
EMPTY = np.full_like(NUCLEI, 7)
STACK = np.stack([BLURRED, NUCLEI, EMPTY])


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, home):
    """The gateway without a window, started as in a notebook."""
    started = ImageJProcess("gateway", tmp_path_factory.mktemp("gateway") / "log.txt", home)
    yield started
    started.end()


@pytest.fixture(scope="module")
def gateway_window(screen, tmp_path_factory, home):
    """The gateway with ImageJ's window, started as the command line does."""
    log = tmp_path_factory.mktemp("gateway") / "window.txt"
    started = ImageJProcess("gateway-window", log, {"DISPLAY": screen, **home})
    yield started
    started.end()


@pytest.fixture
def saved(tmp_path):
    """Saves pixels as a file of numpy."""

    def save(pixels):
        np.save(tmp_path / "pixels.npy", pixels)
        return str(tmp_path / "pixels.npy")

    return save


def same(found, expected):
    assert "failed" not in found, found
    assert set(found["features"]) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found["features"][name], value, rtol=1e-6, err_msg=name)


def test_it_starts_from_the_folder_without_network(gateway):
    assert gateway.endpoints() == []
    imagej2, imagej1 = gateway.versions()
    assert imagej2.startswith("2.") and "1." in imagej1


def test_every_command_is_among_its_modules_once(gateway):
    assert gateway.module_names() == sorted(command.spec.name for command in COMMANDS)
    assert gateway.register_again() == 1
    assert gateway.module_names() == sorted(command.spec.name for command in COMMANDS)


@pytest.mark.parametrize("kind", ["ImagePlus", "Dataset"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_plane_of_any_type_has_the_numbers_of_core(kind, dtype, gateway, saved):
    pixels = NUCLEI.astype(dtype)
    found = gateway.run_on_pixels("measure_image_focus", saved(pixels), kind, ["row", "col"], {})
    same(found, measure_image_focus(pixels).features())


@pytest.mark.parametrize("kind", ["ImagePlus", "Dataset"])
def test_a_stack_has_the_numbers_of_core(kind, gateway, saved):
    found = gateway.run_on_pixels("measure_image_focus", saved(STACK), kind, ["pln", "row", "col"], {})
    expected = measure_image_focus(STACK)
    assert found["features"]["SharpestPlane"] == 1
    assert found["features"]["Score"] == pytest.approx(expected.estimate.defocus_level, rel=1e-6)
    found = gateway.run_on_pixels("flag_defocused", saved(STACK), kind, ["pln", "row", "col"], {"threshold": "0.25"})
    assert found["features"]["Probability"] == pytest.approx(flag_defocused(STACK).probability, rel=1e-6)
    assert found["features"]["Threshold"] == 0.25


@pytest.mark.parametrize("kind", ["ImagePlus", "Dataset"])
@pytest.mark.parametrize("order", ["ch pln row col", "pln row col ch", "pln ch row col", "t pln row col"])
def test_the_order_of_axes_does_not_matter(order, kind, gateway, saved):
    """The first channel or time point is measured, which is the one that is shown."""
    other = np.stack([EMPTY, EMPTY, BLURRED])
    axes = order.split()
    first = "t" if "t" in axes else "ch"
    pixels = np.moveaxis(np.stack([STACK, other]), 0, axes.index(first))
    found = gateway.run_on_pixels("measure_image_focus", saved(np.ascontiguousarray(pixels)), kind, axes, {})
    expected = measure_image_focus(STACK)
    assert found["features"]["SharpestPlane"] == 1
    assert found["features"]["Score"] == pytest.approx(expected.estimate.defocus_level, rel=1e-6)


def test_a_file_that_scifio_opens_has_the_numbers_of_core(gateway, tmp_path):
    tifffile.imwrite(tmp_path / "plane.tif", NUCLEI)
    found = gateway.run_on_file("measure_image_focus", str(tmp_path / "plane.tif"), {})
    assert found["features"]["Score"] == pytest.approx(measure_image_focus(NUCLEI).estimate.defocus_level, rel=1e-6)


def test_what_was_entered_is_not_remembered(gateway, saved):
    path = saved(NUCLEI)
    first = gateway.run_on_pixels("flag_defocused", path, "ImagePlus", ["row", "col"], {"threshold": "0.25"})
    second = gateway.run_on_pixels("flag_defocused", path, "ImagePlus", ["row", "col"], {})
    assert (first["features"]["Threshold"], second["features"]["Threshold"]) == (0.25, 0.55)


def test_a_restored_image_comes_back_to_python(gateway, saved, tmp_path):
    path, out = saved(BLURRED.astype(np.float32)), tmp_path / "restored.npy"
    given = {"defocus_level": "5", "method": "wiener"}
    assert gateway.restored_pixels(path, str(out), given).startswith("Restored ")
    expected = restore_defocus(BLURRED.astype(np.float32), defocus_level=5.0, method="wiener").image
    np.testing.assert_allclose(np.load(out).squeeze(), expected, rtol=1e-6)


def test_an_error_of_a_command_is_told(gateway, saved):
    given = {"saturation_level": "-1"}
    found = gateway.run_on_pixels("measure_image_focus", saved(NUCLEI), "ImagePlus", ["row", "col"], given)
    assert "saturation_level must be at least 0.0 counts, got -1.0" in found["failed"]


def test_without_an_image_there_are_no_outputs(gateway):
    assert "failed" in gateway.run_module_without_image("measure_image_focus")


def test_a_macro_of_pyimagej_adds_a_row(gateway, tmp_path):
    tifffile.imwrite(tmp_path / "nuclei.tif", NUCLEI)
    gateway.table_rows()
    assert gateway.open_in_macro(str(tmp_path / "nuclei.tif")) == "nuclei.tif"
    gateway.run_python_macro('run("Measure Image Focus", "overlay=no"); run("Flag Defocused...", "check_level=no");')
    focus, flag = gateway.table_rows()
    assert float(focus["ImageFocus_Score"]) == pytest.approx(
        measure_image_focus(NUCLEI).estimate.defocus_level, abs=1e-3
    )
    expected = flag_defocused(NUCLEI, check_level=False)
    assert float(flag["FlagDefocused_Probability"]) == pytest.approx(expected.probability, abs=1e-3)
    gateway.run_python_macro("close();")


def test_functions_of_macros_give_the_numbers(gateway, tmp_path):
    tifffile.imwrite(tmp_path / "nuclei.tif", NUCLEI)
    code = f'open("{tmp_path / "nuclei.tif"}"); run("Parfocal Macro Extensions"); Ext.focusScore(score, certainty);'
    told = gateway.run_macro(f'{code} close(); return "" + score;')
    assert float(told) == pytest.approx(measure_image_focus(NUCLEI).estimate.defocus_level, abs=1e-3)


def test_commands_of_imagej_run_as_before(gateway):
    filters = 'run("Invert"); run("Gaussian Blur...", "sigma=2");'
    told = gateway.run_macro(f'newImage("a", "8-bit black", 99, 99, 1); {filters} return "" + getPixel(0, 0);')
    assert told == "255"


def test_the_menu_bar_of_imagej1_has_the_commands_and_a_dialog_asks(gateway_window, tmp_path):
    tifffile.imwrite(tmp_path / "nuclei.tif", NUCLEI)
    name, items = gateway_window.menu()
    assert (name, items) == ("Parfocal", [command.label for command in COMMANDS])
    gateway_window.open_image(str(tmp_path / "nuclei.tif"))
    gateway_window.click_menu("Measure Image Focus...")
    gateway_window.fill_in("Measure Image Focus", [])
    label, row = gateway_window.results()
    assert label == "nuclei.tif"
    assert "ok" in row
    gateway_window.close_all()


def test_the_search_bar_finds_the_commands(gateway_window):
    found = gateway_window.found_by_search("defocused")
    if found is None:
        pytest.skip("this Fiji has no search bar (scijava-search)")
    assert {"Flag Defocused", "Split Sharp and Defocused"} <= {name.rstrip(".") for name in found}


def test_parfocal_fiji_shows_this_fiji_and_ends_when_it_is_quit(screen, home):
    code = CODE.replace('"--endpoint", IMAGEJ1', f'"--fiji", {FIJI!r}').replace(
        'JClass("ij.IJ").doCommand', 'print("ready", flush=True); JClass("ij.IJ").doCommand'
    )
    environment = {**os.environ, **home, "DISPLAY": screen}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    # Quitting it may end Python at once.
    assert "ready" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
