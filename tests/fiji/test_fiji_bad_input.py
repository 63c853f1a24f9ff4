"""What cannot be measured in ImageJ is told, and nothing is put in its place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from parfocal import flag_defocused, measure_image_focus

NUCLEI = iio.imread(Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png").astype(np.uint16)
COMMANDS = ("Measure Image Focus", "Flag Defocused", "Restore Defocus", "Measure Bead Focal Plane")
OTHERS = ("Estimate Focal Position", "Split Sharp and Defocused")
# Names for scripts, and what they need.
NAMES = {
    "measure_image_focus": {},
    "flag_defocused": {},
    "restore_defocus": {},
    "measure_bead_focal_plane": {"bead_diameter_um": 5.0, "pixel_size_um": 1.0},
    "estimate_focal_position": {},
    "split_defocused": {},
}
SELECTED = (*COMMANDS[:2], COMMANDS[3], *OTHERS)
NEEDED = {
    "Measure Bead Focal Plane": "bead_diameter_um=5 pixel_size_um=1",
    "Estimate Focal Position": "pixel_size_um=1 numerical_aperture=0.5 emission_wavelength_um=0.5",
}


@pytest.fixture
def opened(headless, tmp_path):
    """Opens pixels in ImageJ; all images are closed after the test."""

    def open_pixels(pixels, **how):
        tifffile.imwrite(tmp_path / "image.tif", pixels, **how)
        headless.run_macro(f'open("{tmp_path / "image.tif"}");')

    headless.table_rows()
    yield open_pixels
    headless.run_macro("while (nImages > 0) close();")
    headless.table_rows()


def told_by(headless, code):
    """What the log gains by a macro that must end early."""
    before = headless.log_text()
    assert headless.run_macro(f'{code} return "went on";') != "went on"
    assert headless.table_rows() == []
    return headless.log_text()[len(before) :]


@pytest.mark.parametrize("command", [*COMMANDS, *OTHERS])
def test_without_an_open_image(command, headless, opened):
    told = told_by(headless, f'run("{command}", "bead_diameter_um=5");')
    assert f"{command}: no image is open: open one first" in told


@pytest.mark.parametrize("command", NAMES)
def test_an_image_that_was_closed_before_its_turn(command, headless):
    told = headless.run_on_closed(command, NAMES[command])
    assert told == "closed.tif must have planes, it has none: it was closed or is empty, open it again"


def test_an_image_closed_while_it_is_measured_is_measured_to_its_end(headless, opened):
    opened(np.stack([NUCLEI, NUCLEI // 2]), imagej=True, metadata={"axes": "ZYX"})
    expected = measure_image_focus(np.stack([NUCLEI, NUCLEI // 2])).estimate.defocus_level
    assert headless.close_while_measured() == pytest.approx(expected, rel=1e-6)


def test_an_image_that_another_command_works_on_is_refused(headless):
    assert "a.tif is in use by another command" in headless.run_on_locked("measure_image_focus")


@pytest.mark.parametrize("command", NAMES)
def test_an_empty_stack(command, headless):
    assert headless.run_on_empty(command, NAMES[command]).startswith("empty must have planes, it has none")


@pytest.mark.parametrize("command", SELECTED)
def test_a_selection_outside_the_image(command, headless, opened):
    opened(NUCLEI)
    told = told_by(headless, f'makeRectangle(500, 500, 90, 90); run("{command}", "{NEEDED.get(command, "")}");')
    assert f"{command}: the selection must lie on the image, it lies outside: choose another or none" in told


@pytest.mark.parametrize("command", SELECTED)
@pytest.mark.parametrize("selection", ["makePoint(50, 50);", "makeLine(1, 1, 80, 80);"])
def test_a_selection_without_an_area(selection, command, headless, opened):
    opened(NUCLEI)
    told = told_by(headless, f'{selection} run("{command}", "{NEEDED.get(command, "")}");')
    assert f"{command}: the selection must have an area, got" in told


def test_a_selection_that_is_partly_outside_counts_where_it_lies_on_the_image(headless, opened):
    opened(NUCLEI)
    headless.run_macro('makeRectangle(-30, -30, 200, 200); run("Flag Defocused");')
    (row,) = headless.table_rows()
    expected = flag_defocused(NUCLEI[:170, :170]).probability
    assert float(row["FlagDefocused_Probability"]) == pytest.approx(expected, abs=1e-3)


def test_an_rgb_stack_is_measured_by_the_mean_of_its_colours(headless, opened):
    planes = np.stack([np.stack([NUCLEI, NUCLEI // 2, NUCLEI // 3], axis=-1)] * 2).astype(np.uint8)
    planes[1] //= 2
    opened(planes, imagej=True, photometric="rgb", metadata={"axes": "ZYXS"})
    headless.run_macro('run("Measure Image Focus", "each_plane");')
    rows = headless.table_rows()
    expected = measure_image_focus(planes)
    assert len(rows) == 3
    for row, estimate in zip(rows, (expected.estimate, *(plane.estimate for plane in expected.planes))):
        assert float(row["ImageFocus_Score"]) == pytest.approx(estimate.defocus_level, abs=1e-3)


def test_an_image_without_an_answer_has_a_row_with_the_reason(headless, opened):
    opened(np.full((200, 200), 9, np.uint16))
    headless.run_macro('run("Measure Image Focus");')
    (row,) = headless.table_rows()
    assert (row["ImageFocus_Score"], row["ImageFocus_Status"]) == ("NaN", "blank")
    assert row["ImageFocus_Reason"]


def test_a_jvm_of_someone_else_in_this_process_is_told_before_anything_is_started():
    code = (
        "import scyjava; scyjava.config.set_java_constraints(fetch='never'); scyjava.start_jvm();"
        "from parfocal.cli import main; raise SystemExit(main(['fiji']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "a JVM runs in this process already, and there can be only one" in done.stderr
    assert "start ImageJ in a new Python" in done.stderr


def test_cellprofilers_jvm_is_told_with_the_way_out():
    # Its library is in CellProfiler's environment alone; here it is as that shows itself.
    code = (
        "import sys, types; library = types.ModuleType('javabridge'); library.get_env = lambda: object();"
        "sys.modules['javabridge'] = library;"
        "from parfocal.cli import main; raise SystemExit(main(['fiji']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "CellProfiler's JVM runs in this process and cannot be shared" in done.stderr


def run_python(code, **environment):
    """What a Python of its own says, and how it ends."""
    variables = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=variables)


def test_a_file_of_a_virtual_stack_that_is_gone_is_told(headless, tmp_path):
    path = tmp_path / "gone.tif"
    tifffile.imwrite(path, np.stack([NUCLEI, NUCLEI]), imagej=True, metadata={"axes": "ZYX"})
    told = headless.run_on_gone_file("measure_image_focus", str(path))
    assert told == "gone.tif must have pixels, its file can no longer be read: open it again"


def test_an_imagej_that_is_too_old_is_told_with_its_version(home):
    code = (
        "from parfocal.fiji_bridge import start_imagej; from parfocal.fiji_bridge.start import IMAGEJ1\n"
        "start_imagej(endpoint=IMAGEJ1.replace('1.54p', '1.53d'))"
    )
    told = run_python(code, **home).stderr.strip().split("\n")[-1]
    assert told == (
        "OSError: ImageJ must be 1.53t or later, this one is 1.53d: update it (Help > Update...), or start another"
    )


def test_a_gateway_without_imagej1_is_told_with_the_way_out(home):
    code = (
        "import scyjava; scyjava.config.set_java_constraints(fetch='never')\n"
        "scyjava.config.endpoints.append('org.scijava:scijava-common:2.100.1'); scyjava.start_jvm()\n"
        "from jpype import JClass; from parfocal.fiji_bridge import register\n"
        "register(JClass('org.scijava.Context')(False))"
    )
    told = run_python(code, **home).stderr.strip().split("\n")[-1]
    assert told.startswith("OSError: Parfocal needs ImageJ 1 in the gateway")
    assert "add_legacy=False" in told


def test_a_java_home_without_java_is_told(tmp_path):
    done = run_python("from parfocal.cli import main; raise SystemExit(main(['fiji']))", JAVA_HOME=str(tmp_path))
    assert done.returncode == 2
    assert f"JAVA_HOME must be the folder of a Java, there is no bin/java in {tmp_path}" in done.stderr


def test_without_any_java_it_says_what_to_install(tmp_path):
    # What would be fetched is looked for where nobody answers.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    told = {"JAVA_HOME": "", "PATH": str(tmp_path), "HOME": str(tmp_path), "CJDK_CACHE_DIR": str(tmp_path), **nowhere}
    code = "from parfocal.cli import main; raise SystemExit(main(['fiji', '--endpoint', 'net.imagej:ij:1.54p']))"
    done = run_python(code, **told)
    assert done.returncode == 2
    assert "no Java was found here, neither by JAVA_HOME nor on the path: install one" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_holds_no_fiji_is_told(tmp_path):
    (tmp_path / "jars").mkdir()
    done = run_python(f"from parfocal.cli import main; raise SystemExit(main(['fiji', '--fiji', {str(tmp_path)!r}]))")
    assert done.returncode == 2
    assert f"ImageJ could not be started from {tmp_path}" in done.stderr
    assert "Traceback" not in done.stderr
