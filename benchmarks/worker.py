"""What a worker in another Python costs: milliseconds that it adds to a call, its memory, and its start.

Run in any environment of Parfocal: `.venv/bin/python benchmarks/worker.py`. The worker runs in the same Python. Calls
here and there take turns on one real field, defocused by simulation, of 512 x 512 pixels of 8 bits; what is added is
the median of the differences.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PARFOCAL_THREADS"), "1"))
ROOT = Path(__file__).resolve().parents[1]
FIELD = ROOT / "examples" / "screen" / "images" / "dna_A01.png"
BEADS = ROOT / "tests" / "data" / "beads" / "fluorescent_beads_acq1.tif"
OPTICS = {"pixel_size_um": 1.3668, "bead_diameter_um": 15.0, "z_step_um": 5.0, "contrast": "fluorescence"}
COMMANDS = ("measure_image_focus", "flag_defocused", "restore_defocus")
WARM_UP = 3


def milliseconds(call: Callable[[], Any]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def added_ms(client: Any, name: str, field: Any, rounds: int) -> tuple[float, float]:
    """Median of a call here, and of what the worker adds to it."""
    from parfocal.worker.calls import function_of

    here, added = [], []
    for number in range(-WARM_UP, rounds):
        alone = milliseconds(lambda: function_of(name)(field))
        there = milliseconds(lambda: client.call(name, field))
        if number >= 0:
            here.append(alone)
            added.append(there - alone)
    return statistics.median(here), statistics.median(added)


def compare(rounds: int) -> None:
    """Print the figures."""
    import imageio.v3 as iio
    import numpy as np
    import psutil
    import tifffile

    from parfocal.focus_quality.synthesis import defocus_image
    from parfocal.worker.client import Client

    sharp, stack = iio.imread(FIELD)[:512, :512], tifffile.imread(BEADS)
    field = np.rint(np.clip(defocus_image(sharp.astype(np.float32), 8.0), 0, 255)).astype(np.uint8)
    client = Client(sys.executable, version("parfocal"), 300.0, "")
    started = milliseconds(lambda: client.call("is_marked_file", "nothing.tif"))
    print(f"first call: {started / 1000:.1f} s with the start of the worker")
    for name in COMMANDS:
        here, added = added_ms(client, name, field, rounds)
        print(f"{name:22} here {here:7.1f} ms, a worker adds {added:5.1f} ms (median of {rounds})", flush=True)
    client.call("measure_bead_focal_plane", stack, **OPTICS)
    (worker,) = psutil.Process().children()
    print(f"memory of the worker after all four commands: {worker.memory_info().rss / 2**20:.0f} MB resident")
    client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    compare(parser.parse_args().rounds)
