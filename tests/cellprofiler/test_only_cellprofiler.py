"""A CellProfiler that has neither Parfocal nor what it needs, with the plugins folder that `parfocal install` fills."""

import os
import subprocess
import sys
import textwrap

import bead_stacks
import flagging
import numpy as np
import pandas as pd
import pytest
import restoring
import tifffile
from cellprofiler_core.constants.measurement import IMAGE
from conftest import PLATE, ROOT, write_pipeline
from only_cellprofiler import environment, find_uv
from test_headless import loading, spreadsheet
from test_measurebeadfocalplane_single import SINGLE
from test_restoredefocus_headless import measured_focus

from parfocal.cli import main
from parfocal.restoration.marked_tiff import is_marked_file

pytestmark = [
    pytest.mark.cellprofiler_python,
    pytest.mark.skipif(find_uv() is None, reason="uv, which makes the environment, is not there"),
]
OURS = ("ImageFocus", "FlagDefocused", "RestoreDefocus", "BeadFocalPlane")
STUBS = ROOT / "tests" / "cellprofiler" / "stubs"
LACKING = ("parfocal", "onnxruntime", "tensorflow", "appose", "pandas", "imagecodecs")


@pytest.fixture(scope="module")
def python():
    return environment()


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A real field blurred to level 4, and an image of beads."""
    from parfocal.focus_quality.synthesis import defocus_image

    folder = tmp_path_factory.mktemp("images")
    field = tifffile.imread(PLATE / "images" / "AS_09047_050428030001_O06f00d2.TIF")[:168, :168]
    blurred = np.rint(np.clip(defocus_image(field.astype(np.float32), 8.0), 0, 255)).astype(np.uint8)
    tifffile.imwrite(folder / "0_DNA.tif", blurred)
    tifffile.imwrite(folder / "0_Stack.tif", bead_stacks.single_planes()[0])
    return folder


def modules(folder):
    """All four, each with what it makes on top."""
    restoring_module = restoring.make(wants_file=True, directory=f"Elsewhere...|{folder}")
    return [measured_focus(), flagging.make(), restoring_module, bead_stacks.make(**SINGLE)]


def run(python, plugins, pipeline, images, output):
    """Run a pipeline headless; gives the table of images."""
    output.mkdir()
    command = [python, "-m", "cellprofiler", "-c", "-r", "-p", pipeline, "-i", images, "-o", output]
    done = subprocess.run(
        list(map(str, [*command, "--plugins-directory", plugins])),
        capture_output=True,
        text=True,
        timeout=300,
        cwd=output,
        env={**os.environ, "PYTHONPATH": str(STUBS), "OMP_NUM_THREADS": "1"},
    )
    assert (output / "Image.csv").exists(), done.stdout + done.stderr
    return pd.read_csv(output / "Image.csv", float_precision="round_trip").loc[0]


def measured_here(own, images, make_workspace):
    """What modules measure of the same images in this Python, which has Parfocal."""
    found = {}
    for module in own:
        names = [f"0_{name}.tif" for name in ("DNA", "Stack")]
        loaded = [restoring.loaded(images, tifffile.imread(images / name) / np.float32(255), name) for name in names]
        workspace = make_workspace(module, dict(zip(("DNA", "Stack"), loaded)))
        module.run(workspace)
        for name in workspace.measurements.get_feature_names(IMAGE):
            found[name] = workspace.measurements.get_current_image_measurement(name)
    return {name: value for name, value in found.items() if name.split("_")[0] in OURS}


def test_all_modules_give_there_what_they_give_where_parfocal_is_installed(python, images, make_workspace, tmp_path):
    code = f"from importlib.util import find_spec; print([name for name in {LACKING} if find_spec(name)])"
    assert subprocess.run([python, "-c", code], capture_output=True, text=True).stdout == "[]\n"
    plugins, here, there = (tmp_path / name for name in ("plugins", "here", "there"))
    assert main(["install", "cellprofiler", str(plugins), "--python", sys.executable]) == 0
    pipeline = write_pipeline([*loading(["DNA", "Stack"]), *modules(there), spreadsheet()], tmp_path / "all.cppipe")
    table = run(python, plugins, pipeline, images, tmp_path / "out")
    expected = measured_here(modules(here), images, make_workspace)
    assert {name.split("_")[0] for name in expected} == set(OURS)
    assert expected["RestoreDefocus_Restored_RDNA"] == expected["BeadFocalPlane_Answered_Stack"] == 1
    for name, value in expected.items():
        empty = value == "" and pd.isna(table[name])
        assert empty or table[name] == value or (pd.isna(table[name]) and np.isnan(value)), name
    first, second = (folder / "0_DNA_restored.ome.tif" for folder in (here, there))
    assert is_marked_file(second)
    np.testing.assert_array_equal(tifffile.imread(first), tifffile.imread(second))


def test_a_python_that_has_moved_is_told_with_what_to_do(python, tmp_path):
    """The settings are checked and the light parts work without it; the first image says what is wrong."""
    plugins = tmp_path / "plugins"
    main(["install", "cellprofiler", str(plugins)])
    engine = plugins / "_parfocal_engine.json"
    engine.write_text(engine.read_text().replace(f'"python": "{sys.executable}"', '"python": "/moved/python"'))
    code = f"""
    import sys
    sys.path.insert(0, {str(plugins)!r})
    from cellprofiler_core.preferences import set_headless
    set_headless()
    import _parfocal_engine as engine
    import measureimagefocus
    from cellprofiler_core.setting import ValidationError
    from parfocal import status
    module = measureimagefocus.MeasureImageFocus()
    module.model.value = "nothing"
    import _parfocal_focus_checks as checks
    try:
        checks.check_model(module.model)
    except ValidationError as error:
        print(error)
    try:
        engine.call("is_marked_file", "nothing.tif")
    except RuntimeError as error:
        print(error)
    print(any(name.startswith("parfocal.images.tiff") for name in sys.modules))
    """
    said = subprocess.run([python, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    model, moved, tiff = said.stdout.strip().split("\n")
    assert model.startswith("no model 'nothing' for focus_quality: give one of ['default']"), said.stderr
    assert moved.startswith("/moved/python, the Python that does Parfocal's work, cannot be started")
    assert moved.endswith(f'in a Python that has Parfocal, run parfocal install cellprofiler "{plugins}"')
    assert tiff == "False"
