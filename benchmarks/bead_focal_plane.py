"""Seconds and peak memory for a 2048 x 2048 x 101 stack of beads, and how both grow with their number.

Run in the current environment: `.venv/bin/python benchmarks/bead_focal_plane.py`. The stack is simulated, written as a
TIFF and read plane by plane, one thread. The peer reads the same file and takes the normalised variance of every plane,
the simplest autofocus measure: the ratio says what the beads cost on top of reading. Each runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
STEP_UM = 1.5


def write_stack(path: Path, n_beads: int, n_planes: int, side_px: int) -> None:
    """Simulate a field plane by plane into a TIFF."""
    import numpy as np
    import tifffile

    from parfocal.beads.simulation import A2K_LIKE, plan_bead_scene

    z = STEP_UM * (np.arange(n_planes) - n_planes // 2)
    rng = np.random.default_rng(0)
    scene = plan_bead_scene(
        A2K_LIKE.appearance(), 1.5, (side_px, side_px), z, rng, n_beads=n_beads, camera=A2K_LIKE.camera
    )
    with tifffile.TiffWriter(path) as tif:
        for plane in scene.planes(rng):
            tif.write(plane, contiguous=False, photometric="minisblack", metadata=None)


class Planes:
    """Planes of a TIFF, read one at a time."""

    def __init__(self, path: str) -> None:
        import tifffile

        self._pages = tifffile.TiffFile(path).pages

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, index: int):
        return self._pages[index].asarray()


def run(method: str, path: str) -> None:
    """Measure one stack in this process and print seconds, memory before and at most (MiB), and the answer."""
    import numpy as np

    from parfocal.beads.measure import measure_bead_focal_plane

    planes = Planes(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    if method == "variance":
        answer = int(np.argmax([plane.astype(np.float32).var() / plane.mean() for plane in planes]))
    else:
        found = measure_bead_focal_plane(planes, 1.5, 28.5, z_step_um=STEP_UM)
        answer = f"{found.n_beads} beads, REFP {found.reference_focal_plane_um:.2f} um"
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mib": peak - before, "answer": str(answer)}))


def measured(method: str, path: Path) -> dict:
    command = [sys.executable, __file__, "--method", method, "--stack", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **ONE_THREAD})
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beads", type=int, nargs="+", default=[10, 25, 50, 100])
    parser.add_argument("--planes", type=int, default=101)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--method", help=argparse.SUPPRESS)
    parser.add_argument("--stack", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.method:
        run(options.method, options.stack)
        return
    print(f"{options.planes} planes of {options.side} x {options.side}, 8 bit")
    print(f"{'beads':>6} {'seconds':>9} {'times variance':>15} {'MiB over start':>15}  answer")
    with tempfile.TemporaryDirectory() as folder:
        for n_beads in options.beads:
            path = Path(folder) / "stack.tif"
            write_stack(path, n_beads, options.planes, options.side)
            peer, own = measured("variance", path), measured("beads", path)
            ratio = own["seconds"] / peer["seconds"]
            print(f"{n_beads:6d} {own['seconds']:9.1f} {ratio:15.1f} {own['mib']:15.0f}  {own['answer']}", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
