from __future__ import annotations

import subprocess
import sys

WITHOUT = "import sys; sys.modules.update(dict.fromkeys(('pymmcore', 'pymmcore_plus', 'useq')))\n"


def run(code):
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True)


def test_the_microscope_needs_no_pymmcore():
    done = run("from parfocal.fiji_bridge.micromanager import FocusChannel, MMCoreMicroscope; print('imported')")
    assert done.stdout == "imported\n", done.stderr


def test_devices_without_pymmcore_say_what_to_install():
    done = run("from parfocal.fiji_bridge.micromanager import SampleCamera")
    assert '-e ".[micromanager]"' in done.stderr


def test_messages_of_other_packages_are_not_let_out():
    code = (
        "import logging; from parfocal.fiji_bridge.micromanager import SampleCamera; print(logging.getLogger().level)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "30\n"
