"""ImageJ in the process of CellProfiler, whose JVM it cannot share."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import os
import javabridge
javabridge.start_vm(run_headless=True)
from parfocal.cli import main
status = main(['fiji'])
javabridge.kill_vm()
os._exit(status)
"""


def test_cellprofilers_jvm_cannot_be_shared_and_the_way_out_is_told():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "CellProfiler's JVM runs in this process and cannot be shared" in done.stderr
    assert "start ImageJ in a Python of its own" in done.stderr
