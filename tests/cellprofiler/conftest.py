"""Workspaces of CellProfiler for single modules, and runs of the real program without its window."""

import importlib
import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
PLATE = ROOT / "examples" / "plate"
INSTALLED = importlib.util.find_spec("cellprofiler_core") is not None
if INSTALLED:
    from cellprofiler_core.preferences import set_headless

    set_headless()
else:
    # CellProfiler 4.2 can be installed into Python 3.9 only; there these tests are always run.
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def cells_yx():
    """A field in focus, 8 bit."""
    import tifffile

    return tifffile.imread(PLATE / "images" / "AS_09047_050428030001_O06f00d2.TIF")[:256, :256]


@pytest.fixture(scope="session")
def levels_zyx(cells_yx):
    """The same field at the defocus levels 0 to 10, whole counts."""
    from parfocal.focus_quality.synthesis import defocus_levels

    return np.rint(np.clip(defocus_levels(cells_yx), 0, 255)).astype(np.uint8)


@pytest.fixture(scope="session")
def sorter(tmp_path_factory):
    """A sorting model that goes by the steps between neighbouring pixels."""
    from flagging import write_model

    return write_model(tmp_path_factory.mktemp("sorters") / "steps")


@pytest.fixture
def make_workspace():
    """Make a workspace for a module from images and label images by name."""
    from cellprofiler_core.image import Image, ImageSetList
    from cellprofiler_core.measurement import Measurements
    from cellprofiler_core.object import Objects, ObjectSet
    from cellprofiler_core.pipeline import Pipeline
    from cellprofiler_core.workspace import Workspace

    def make(module, images, objects=None):
        image_set_list = ImageSetList()
        image_set = image_set_list.get_image_set(0)
        for name, image in images.items():
            if not isinstance(image, Image):
                scale = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}.get(image.dtype, 1)
                image = Image(image, scale=scale, dimensions=3 if image.ndim > 2 and image.shape[-1] > 4 else 2)
            image_set.add(name, image)
        object_set = ObjectSet()
        for name, labels in (objects or {}).items():
            segmentation = labels
            if not isinstance(labels, Objects):
                segmentation = Objects()
                segmentation.segmented = labels
            object_set.add_objects(segmentation, name)
        return Workspace(Pipeline(), module, image_set, object_set, Measurements(), image_set_list)

    return make


@pytest.fixture
def make_module():
    """Make the module for these images, with settings by name."""
    from parfocal.cp_plugins.measureimagefocus import MeasureImageFocus

    def make(*images, objects=(), **values):
        module = MeasureImageFocus()
        module.set_module_num(1)
        for _ in images[1:]:
            module.add_image()
        for group, name in zip(module.images, images):
            group.image_name.value = name
        for name in objects:
            module.add_objects()
            module.objects[-1].object_name.value = name
        for name, value in values.items():
            getattr(module, name).value = value
        return module

    return make


@pytest.fixture
def import_without_parfocal(monkeypatch):
    """Import a module as CellProfiler does, by its bare name and from the folder, where Parfocal is not installed."""
    for name in [name for name in sys.modules if name == "parfocal" or name.startswith("parfocal.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "parfocal", None)
    monkeypatch.syspath_prepend(str(ROOT / "cp_plugins"))
    imported = []

    def load(name):
        imported.append(name)
        return importlib.import_module(name)

    yield load
    for name in [name for name in sys.modules if name in imported or name.startswith("_parfocal_")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def run_headless():
    """Run a pipeline of modules, or a file, in the real program; returns what it printed."""

    def run(pipeline, images, output):
        if not isinstance(pipeline, Path):
            pipeline = write_pipeline(pipeline, output.with_suffix(".cppipe"))
        output.mkdir()
        command = [sys.executable, "-m", "cellprofiler", "-c", "-r", "-p", pipeline, "-i", images, "-o", output]
        command += ["--plugins-directory", ROOT / "cp_plugins"]
        stubs = str(Path(__file__).parent / "stubs")
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            timeout=300,
            cwd=output,
            env={**os.environ, "PYTHONPATH": stubs, "OMP_NUM_THREADS": "1"},
        )
        return done.stdout + done.stderr

    return run


def write_pipeline(modules, path):
    """Write modules as a pipeline file; the plugin is known to the program by its own name."""
    from cellprofiler_core.pipeline import Pipeline

    pipeline = Pipeline()
    for number, module in enumerate(modules, 1):
        module.set_module_num(number)
        module.show_window = False
        pipeline.add_module(module)
    text = io.StringIO()
    pipeline.dump(text)
    path.write_text(text.getvalue())
    return path


@pytest.fixture
def blurred(levels_zyx):
    """The field at level 5, 8 bit."""
    return levels_zyx[5]
