"""A worker that dies, hangs or was none, in the scripts of an ordinary Fiji: told in time, and the next call works."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import ordinary as workers
import pytest
import tifffile

from parfocal.fiji_bridge.scripts import uninstall

FOCUS = "Measure Image Focus..."
NUCLEI = Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png"
PATIENCE_S = 4.0


@pytest.fixture(scope="module")
def impatient(fiji):
    """The scripts give a worker up soon."""
    fiji.install(PATIENCE_S)
    yield fiji
    fiji.use_parfocal()
    fiji.install()


@pytest.fixture
def works_then(impatient, ordinary):
    """Puts an image in front; after the mishap the next call works with a worker that starts at once."""
    ordinary.open(str(NUCLEI), None)
    yield
    impatient.use_quick()
    answer = ordinary.run(FOCUS, {})
    assert not answer["thrown"], answer["thrown"]
    assert answer["rows"][0]["ImageFocus_Score"] == "1.5"


def told_by(ordinary):
    answer = ordinary.run(FOCUS, {})
    assert answer["rows"] == []
    return answer["thrown"].split("\n")[0], answer["seconds"]


def test_a_worker_that_was_killed_is_started_again_by_the_next_call(fiji, ordinary):
    ordinary.open(str(NUCLEI), None)
    ordinary.run(FOCUS, {})
    fiji.kill_worker()
    answer = ordinary.run(FOCUS, {})
    assert not answer["thrown"]
    assert answer["rows"][0]["ImageFocus_Status"] == "ok"


def test_a_worker_that_is_killed_at_work_is_told_and_started_again(fiji, ordinary, tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([iio.imread(NUCLEI)] * 3), imagej=True, metadata={"axes": "ZYX"})
    ordinary.open(str(tmp_path / "stack.tif"), None)
    fiji.use_killed_at_work()
    told, _ = told_by(ordinary)
    assert "worker has ended while it was at work; the next call starts it again" in told
    fiji.use_parfocal()
    ordinary.open(str(NUCLEI), None)
    assert ordinary.run(FOCUS, {})["rows"][0]["ImageFocus_Status"] == "ok"


def test_escape_cancels_and_the_image_is_free_again(ordinary, tmp_path):
    stack = np.stack([iio.imread(NUCLEI)] * 60)
    tifffile.imwrite(tmp_path / "stack.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    ordinary.open(str(tmp_path / "stack.tif"), None)
    answer = ordinary.cancelled(FOCUS, {})
    assert (answer["rows"], answer["thrown"]) == ([], "")
    assert ordinary.is_free()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("image.setRoi(new ij.gui.Line(1, 1, 50, 50))", "the selection must have an area, got"),
        ("image.setRoi(500, 500, 90, 90)", "the selection must lie on the image, it lies outside: choose another or"),
        ("image.lock()", "is in use by another command: try again when that has ended"),
    ],
)
def test_an_image_that_cannot_be_measured_is_told(change, message, ordinary):
    ordinary.open_in_thread(str(NUCLEI), change)
    told, _ = told_by(ordinary)
    assert f"Measure Image Focus: {message}" in told.replace("transfluor_O01f01.png ", "")


def test_without_an_image_it_says_so(ordinary):
    ordinary.closeAll()
    assert "Measure Image Focus: no image is open: open one first" in told_by(ordinary)[0]


def test_more_pixels_than_can_be_restored_at_once_are_told(ordinary):
    ordinary.open_virtual(30000, 30000, 3)
    told = ordinary.run("Restore Defocus...", {})["thrown"]
    assert "holds 2.7 GB of pixels, 2.1 GB can be handed over at once" in told


def test_planes_of_a_large_stack_that_cannot_be_read_are_told_and_the_next_call_works(ordinary):
    ordinary.open_large(str(NUCLEI), 12000, 3, 2)
    told = ordinary.run("Flag Defocused...", {})["thrown"]
    assert "large must have pixels, its file can no longer be read: open it again" in told
    ordinary.open(str(NUCLEI), None)
    assert ordinary.run(FOCUS, {})["rows"][0]["ImageFocus_Status"] == "ok"


def test_scripts_that_are_taken_away_while_fiji_runs_are_told_and_work_when_they_are_back(fiji, ordinary):
    ordinary.open(str(NUCLEI), None)
    uninstall(fiji.folder)
    assert "Parfocal was taken out of this Fiji: start Fiji again" in told_by(ordinary)[0]
    fiji.install()
    assert ordinary.run(FOCUS, {})["rows"][0]["ImageFocus_Status"] == "ok"


def test_a_worker_that_hangs_in_a_task_is_ended(impatient, ordinary, works_then):
    impatient.use_quick("hang")
    told, seconds = told_by(ordinary)
    assert "worker has not been heard of for 4 s and was ended; the next call starts it again" in told
    assert PATIENCE_S <= seconds < PATIENCE_S + 20


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (workers.HANGING_AT_START, "has not been heard of for 4 s and was ended"),
        (workers.ENDING_AT_START, "has ended before it began. It said: No module"),
        (
            workers.TALKING_NONSENSE,
            "has not been heard of for 4 s and was ended; the next call starts it again. It said",
        ),
        (None, "Parfocal's Python could not be started"),
    ],
)
def test_a_worker_that_is_none_is_told_with_what_it_said(program, message, impatient, ordinary, works_then):
    impatient.use(program)
    told, seconds = told_by(ordinary)
    assert message in told
    assert seconds < PATIENCE_S + 20
