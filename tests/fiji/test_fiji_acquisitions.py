"""Acquisitions of Micro-Manager while focus is held: their images are used, and nothing is done while they expose."""

from __future__ import annotations

import pytest

OPTIONS = {"estimator": "metric", "search_range_um": 20.0, "interval_s": 0.05, "tolerance_um": 0.6}
LIMITS = {"lowest_z_um": "-25", "highest_z_um": "25"}
INTERVAL_S = 2.0


@pytest.fixture(scope="module")
def java(headless, tmp_path_factory):
    """ImageJ without a window, with Micro-Manager."""
    headless.load_micromanager(str(tmp_path_factory.mktemp("classes")))
    return headless


@pytest.fixture
def microscope(java):
    """The same, its stage in the focal plane; no acquisition runs and nothing is held."""
    java.begin_micromanager()
    java.arrange(0.0, 0.0, 0.0)
    yield java
    java.end_acquisition()
    java.run_without_image("hold_focus", {"action": "stop"})
    java.wait_for_end()


@pytest.mark.parametrize("slices_um", [[], [-2.0, 0.0, 2.0]])
def test_a_session_holds_focus_by_the_images_of_an_acquisition_in_its_pauses(microscope, slices_um):
    microscope.run_without_image("hold_focus", {**OPTIONS, **LIMITS})
    microscope.wait_for_state("locked")
    microscope.settled_looks()
    # One more than is waited for: at its end the session takes images of its own again.
    microscope.acquire(6, INTERVAL_S, slices_um)
    before, looks = microscope.settled_stage(), microscope.looks()
    microscope.move_plane(3.0)
    microscope.wait_for_time_points(5)
    assert microscope.acquired()["disturbances"] == 0
    after = microscope.stage()
    assert after["snaps"] == before["snaps"] and after["moves"] > before["moves"]
    assert 2 <= microscope.looks() - looks <= 5
    # The engine sleeps at the z around which it takes the stack.
    assert abs(after["off"]) < 1.0


@pytest.mark.parametrize(
    ("slices_um", "besides", "told"),
    [
        ([], "autofocus", " that focuses itself"),
        ([], "positions", " at several positions"),
        ([-1.0, 0.0, 1.0], "absolute", " whose z-stack is not around the present z"),
        ([-1.0, 1.0], "", " whose z-stack is not around the present z"),
    ],
)
def test_in_an_acquisition_that_cannot_be_followed_nothing_is_looked_at(microscope, slices_um, besides, told):
    microscope.acquire(3, INTERVAL_S, slices_um, besides)
    assert microscope.engaged() == f"an acquisition of Micro-Manager runs{told}"


def test_an_image_is_looked_at_once_and_nothing_is_searched_for_between_images(microscope):
    microscope.acquire(3, INTERVAL_S, [])
    off, waits, second, move = microscope.looks_between_images()
    assert off == 0.0
    assert waits == "waiting for an image of the acquisition"
    assert second == "CameraError: an acquisition of Micro-Manager runs, and has taken no image since the last look"
    assert move == "StageError: an acquisition of Micro-Manager runs: between its images no search can be made"
    assert microscope.stage()["moves"] == 1


def test_only_images_of_the_focusing_channel_and_of_the_present_z_count(microscope):
    microscope.acquire(2, INTERVAL_S, [])
    microscope.wait_for_time_points(1)
    brightest = microscope.brightest_of_channel("", "")
    assert microscope.brightest_of_channel("Channel", "Cy5") == brightest > 50_000
    assert microscope.brightest_of_channel("Channel", "DAPI") == brightest // 2
    for group, preset in (("Channel", "FITC"), ("Camera", "DAPI")):
        told = microscope.brightest_of_channel(group, preset)
        assert told == "an acquisition of Micro-Manager runs without the focusing channel"
    told = microscope.take_at(1.0)
    assert told == "an acquisition of Micro-Manager runs, and has taken images at 0, 0 um, and none at the present 1 um"
