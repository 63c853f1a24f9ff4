"""Counts of the file from CellProfiler's images."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cellprofiler_core.image import Image

from parfocal.cp_plugins import _parfocal_engine as engine
from parfocal.cp_plugins._parfocal_engine import with_room
from parfocal.cp_plugins._parfocal_host import counts, missing_packages_explained


@pytest.mark.parametrize(
    ("scale", "dtype", "top"), [(255, np.uint8, 255), (4095, np.uint16, 4095), (65535, np.uint16, 65535)]
)
def test_every_count_comes_back_exactly(scale, dtype, top):
    original = np.arange(top + 1, dtype=dtype)[None]
    image = Image(original.astype(np.float32) / np.float32(scale), scale=scale)
    back = counts(image)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, original)


def test_smoothed_image_stays_a_float_at_the_scale_of_the_file():
    smooth = Image(np.array([[0.1, 0.2003, 0.5]], np.float32), scale=255)
    np.testing.assert_allclose(counts(smooth), [[25.5, 51.0765, 127.5]], rtol=1e-6)


def test_float_image_is_left_as_it_is():
    pixels = np.array([[0.5, 3.25, -2.0]], np.float32)
    np.testing.assert_array_equal(counts(Image(pixels, scale=1.0)), pixels)
    np.testing.assert_array_equal(counts(Image(pixels)), pixels)


def test_values_that_are_not_finite_stay():
    back = counts(Image(np.array([[np.nan, 0.5]], np.float32), scale=255))
    np.testing.assert_allclose(back, [[np.nan, 127.5]])


@pytest.mark.parametrize(("rescale", "divisor"), [(True, 4095), (False, 65535), (1000.0, 1000)])
def test_scaling_chosen_in_namesandtypes_is_undone(rescale, divisor):
    """By the file's own maximum, by bit depth, or by a number that the user gave."""
    original = np.array([[0, 100, 4000]], np.uint16)
    image = Image(original / np.float32(divisor), scale=4095)
    np.testing.assert_array_equal(counts(image, SimpleNamespace(rescale=rescale)), original)


def test_volumes_are_scaled_by_their_type_whatever_was_chosen():
    original = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    image = Image(original, scale=65535, dimensions=3)
    np.testing.assert_array_equal(counts(image, SimpleNamespace(rescale=255.0)), original)


def test_large_matrices_are_solved_where_the_caller_has_little_stack():
    # In CellProfiler's window the main thread has little: there this call ended the program.
    code = """
        import threading
        import numpy as np
        from parfocal.cp_plugins._parfocal_engine import with_room

        matrix = np.random.default_rng(0).normal(size=(600, 600)) + 600 * np.eye(600)
        threading.stack_size(256 * 1024)
        found = []
        thread = threading.Thread(target=lambda: found.append(with_room(np.linalg.solve, matrix, np.ones(600))))
        thread.start()
        thread.join()
        assert np.allclose(matrix @ found[0], 1)
        assert threading.stack_size() == 256 * 1024
    """
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()


def test_errors_of_a_call_with_room_reach_the_caller():
    with pytest.raises(ValueError, match="invalid literal"):
        with_room(int, "x")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("nonsense{", "_parfocal_engine.json is damaged: delete it, and in a Python that has Parfocal, run parfocal"),
        ('{"python": "p", "parfocal": "1", "patience_s": "x", "packages": {}}', "is damaged: delete it"),
        (
            '{"python": "p", "parfocal": "1", "patience_s": 1, '
            '"packages": {"parfocal": "/gone", "parfocal.models": "/m"}}',
            "MeasureImageFocus: Parfocal is no longer in /gone: in a Python that has Parfocal, run parfocal install",
        ),
        (None, 'Or leave it as it is, and in a Python that has Parfocal, run parfocal install cellprofiler "'),
    ],
)
def test_an_engine_that_is_not_found_is_told_with_what_to_do(written, told, monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "_file", lambda: tmp_path / engine.FILE)
    monkeypatch.setattr(engine, "_installed", lambda: False)
    monkeypatch.setattr(engine, "_settings", engine._settings.__wrapped__)
    if written:
        (tmp_path / engine.FILE).write_text(written)
    with pytest.raises(ImportError) as raised, missing_packages_explained("MeasureImageFocus"):
        raise ImportError("No module named 'parfocal'", name="parfocal")
    assert told in str(raised.value)


def test_into_the_folder_of_a_clone_nothing_is_advised_to_be_installed():
    assert "FOLDER with an empty folder of your own" in engine.advice()
    assert str(Path(engine.__file__).parent) not in engine.advice()
