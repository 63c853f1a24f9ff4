"""Focus held through a Java core: Micro-Manager's jar is not on Maven Central, so a class of its signatures is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from parfocal.fiji_bridge.java import choose_java

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a microscope in a JVM of its own does."""
    classes = tmp_path_factory.mktemp("classes")
    choose_java()
    subprocess.run(["javac", "-d", classes, HERE / "mmcorej" / "CMMCore.java"], check=True)
    ran = subprocess.run(
        [sys.executable, HERE / "hold_in_java.py", classes], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_bytes_shorts_and_packed_colours_of_java_are_the_counts_of_the_camera(told):
    assert told["pixels"] == {"short": 0.0, "byte": 0.0, "int": 0.0}


def test_exceptions_of_java_are_errors_of_the_device_with_their_text(told):
    assert told["camera"].startswith("CameraError") and "Camera image buffer read failed" in told["camera"]
    assert told["stage"].startswith("StageError") and "No response from COM3" in told["stage"]


@pytest.mark.parametrize("how", ["held", "live"])
def test_the_loop_holds_focus_by_snaps_and_by_the_frames_of_live_mode(told, how):
    half = len(told[how]) // 2
    for part in (told[how][:half], told[how][half:]):
        off_um, states = zip(*part)
        assert abs(off_um[0]) > 1
        assert states[-1] == "locked"
        assert max(map(abs, off_um[-5:])) < 0.5
