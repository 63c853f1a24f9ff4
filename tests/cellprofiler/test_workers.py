"""CellProfiler's own analysis workers, as behind the button "Analyze Images"."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

HERE = Path(__file__).parent
PLATE = HERE.parents[1] / "examples" / "plate"
# Loaded by every process before its program: notes each loading of a network.
COUNTER = """
import os
import onnxruntime

class Counted(onnxruntime.InferenceSession):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        with open(os.environ["LOADINGS"], "a") as out:
            out.write(f"{os.getpid()}\\n")

onnxruntime.InferenceSession = Counted
"""


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    """Eight fields in two workers: the table and the processes that loaded the model, in order of loading."""
    folder = tmp_path_factory.mktemp("analysis")
    images, output, counter = folder / "images", folder / "out", folder / "counter"
    for made in (images, output, counter):
        made.mkdir()
    for path in sorted((PLATE / "images").glob("*.TIF"))[:8]:
        shutil.copy(path, images)
    (counter / "sitecustomize.py").write_text(COUNTER)
    paths = os.pathsep.join(map(str, (HERE / "stubs", counter)))
    command = [
        sys.executable,
        HERE / "analyse_with_workers.py",
        PLATE / "measure_image_focus.cppipe",
        images,
        output,
        2,
    ]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": paths, "LOADINGS": str(folder / "loadings"), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return pd.read_csv(output / "Image.csv"), (folder / "loadings").read_text().split()


def test_each_worker_loads_the_model_once(analysis):
    _, loadings = analysis
    assert len(loadings) == len(set(loadings)) <= 2


def test_workers_give_the_numbers_of_core(analysis):
    import tifffile

    from parfocal.focus_quality.measure import measure_image_focus

    table, _ = analysis
    assert len(table) == 8
    for row in table.itertuples():
        image = tifffile.imread(PLATE / "images" / row.FileName_GFP)
        assert row.ImageFocus_Score_GFP == pytest.approx(measure_image_focus(image).estimate.defocus_level, abs=1e-4)
