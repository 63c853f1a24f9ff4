"""A CellProfiler that has neither Parfocal nor what it needs, with the plugins folder that `parfocal install` fills."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import bead_stacks
import flagging
import numpy as np
import pandas as pd
import pytest
import restoring
import tifffile
from conftest import PLATE, write_pipeline
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
PLUGINS = Path(__file__).resolve().parents[2] / "cp_plugins"
OURS = ("ImageFocus", "FlagDefocused", "RestoreDefocus", "BeadFocalPlane")
STUBS = Path(__file__).parent / "stubs"
LACKING = ("parfocal", "onnxruntime", "tensorflow", "appose", "pandas", "imagecodecs")


def run(python, plugins, pipeline, images, output):
    """Run a pipeline headless; gives what was printed."""
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
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A real field in focus and one blurred to level 4, each beside the same image of beads."""
    from parfocal.focus_quality.synthesis import defocus_image

    folder = tmp_path_factory.mktemp("images")
    field = tifffile.imread(PLATE / "images" / "AS_09047_050428030001_O06f00d2.TIF")[:256, :256]
    for number, counts in enumerate((field, defocus_image(field.astype(np.float32), 8.0))):
        tifffile.imwrite(folder / f"{number}_DNA.tif", np.rint(np.clip(counts, 0, 255)).astype(np.uint8))
        tifffile.imwrite(folder / f"{number}_Stack.tif", bead_stacks.single_planes()[0])
    return folder


def modules(folder):
    """All four, each with what it makes on top."""
    restoring_module = restoring.make(wants_file=True, directory=f"Elsewhere...|{folder / 'marked'}")
    measured = [measured_focus(), flagging.make(), restoring_module, bead_stacks.make(**SINGLE)]
    return [*loading(["DNA", "Stack"]), *measured, spreadsheet()]


@pytest.fixture(scope="module")
def python():
    return environment()


def test_all_modules_give_there_what_they_give_where_parfocal_is_installed(python, images, tmp_path):
    for package in LACKING:
        missing = subprocess.run([python, "-c", f"import {package}"], capture_output=True, text=True)
        assert f"No module named '{package}'" in missing.stderr
    plugins = tmp_path / "plugins"
    assert main(["install", "cellprofiler", str(plugins), "--python", sys.executable]) == 0
    tables = {}
    for name, (program, folder) in {"here": (sys.executable, PLUGINS), "there": (python, plugins)}.items():
        pipeline = write_pipeline(modules(tmp_path / name), tmp_path / f"{name}.cppipe")
        printed = run(program, folder, pipeline, images, tmp_path / f"out_{name}")
        assert (tmp_path / f"out_{name}" / "Image.csv").exists(), printed
        tables[name] = pd.read_csv(tmp_path / f"out_{name}" / "Image.csv")
    ours = [name for name in tables["here"] if name.split("_")[0] in OURS]
    assert {name.split("_")[0] for name in ours} == set(OURS)
    pd.testing.assert_frame_equal(tables["there"][ours], tables["here"][ours], check_exact=True)
    assert tables["there"]["RestoreDefocus_Restored_RDNA"].tolist() == [0, 1]
    first, second = (tmp_path / name / "marked" / "1_DNA_restored.ome.tif" for name in ("here", "there"))
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
    assert moved.startswith("/moved/python cannot be started")
    assert f'run parfocal install cellprofiler "{plugins}" again, in a Python that has Parfocal' in moved
    assert tiff == "False"
