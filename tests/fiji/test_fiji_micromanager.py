"""Focus held through a Java core: Micro-Manager's jars are not on Maven Central, so classes of their signatures are."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def java(headless, tmp_path_factory):
    """ImageJ without a window, with Micro-Manager."""
    headless.load_micromanager(str(tmp_path_factory.mktemp("classes")))
    return headless


def test_bytes_shorts_and_packed_colours_of_java_are_the_counts_of_the_camera(java):
    assert java.pixels_in_java() == {"short": 0.0, "byte": 0.0, "int": 0.0}


def test_exceptions_of_java_are_errors_of_the_device_with_their_text(java):
    camera, stage = java.failing_in_java("camera"), java.failing_in_java("stage")
    assert camera.startswith("CameraError") and "Camera image buffer read failed" in camera
    assert stage.startswith("StageError") and "No response from COM3" in stage


@pytest.mark.parametrize("live", [False, True])
def test_the_loop_holds_focus_by_snaps_and_by_the_frames_of_live_mode(java, live):
    told = java.held_in_java(live)
    half = len(told["looks"]) // 2
    for part in (told["looks"][:half], told["looks"][half:]):
        off_um, states = zip(*part)
        assert abs(off_um[0]) > 1
        assert states[-1] == "locked"
        assert max(map(abs, off_um[-5:])) < 0.5
    assert told["live"] == live
    assert (told["snaps"] == 0) == live
