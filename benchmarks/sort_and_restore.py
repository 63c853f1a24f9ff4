"""Seconds and memory per megapixel of sorting and restoring, beside 30 iterations of Richardson-Lucy (scikit-image).

Run in either environment: `.venv/bin/python benchmarks/sort_and_restore.py`. The methods take turns on one thread, each
in a process of its own; the ratios come from medians of the same run. Restoring runs with a given level, as the
deconvolution does, and once more as users call it, with the focus measured first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PARFOCAL_THREADS"), "1")
LEVEL = 5.0
METHODS = (
    "flag_defocused",
    "flag_defocused, level unchecked",
    "restore_defocus, level given",
    "restore_defocus, focus measured",
    "restore_defocus, with uncertainty",
    "Richardson-Lucy, 30 iterations",
)


def picture(side_px: int):
    """Return a 16-bit picture of real nuclei, mirrored to this size, out of focus by LEVEL and exposed anew."""
    import imageio.v3 as iio
    import numpy as np

    from parfocal.focus_quality.synthesis import defocus_image
    from parfocal.optics.optics import MODEL_OPTICS

    nuclei = iio.imread(Path(__file__).parents[1] / "examples" / "screen" / "images" / "dna_A01.png")
    whole = np.pad(nuclei, [(0, max(0, side_px - length)) for length in nuclei.shape], mode="symmetric")
    blurred = defocus_image(10.0 * whole[:side_px, :side_px] + 100.0, MODEL_OPTICS.level_to_um(LEVEL))
    return np.random.default_rng(0).poisson(np.maximum(blurred, 0)).astype(np.uint16)


def method(name: str):
    """Return a function of an image."""
    from parfocal import flag_defocused, restore_defocus

    if name.startswith("flag"):
        return lambda image: flag_defocused(image, check_level=not name.endswith("unchecked"))
    if name.startswith("Richardson"):
        return richardson_lucy
    arguments = {
        "restore_defocus, level given": {"defocus_level": LEVEL},
        "restore_defocus, with uncertainty": {"defocus_level": LEVEL, "uncertainty": True},
    }
    return lambda image: restore_defocus(image, **arguments.get(name, {}))


def richardson_lucy(image):
    """Deconvolve by scikit-image alone, in single precision, with the PSF of the level."""
    import numpy as np
    from skimage.restoration import richardson_lucy as deconvolve

    from parfocal.restoration.kernels import level_psf

    return deconvolve(image.astype(np.float32) / image.max(), level_psf(LEVEL).astype(np.float32), 30, clip=False)


def child(name: str, path: str, repeats: int) -> None:
    """Print cold start, median time and memory over the start of one method as JSON."""
    import numpy as np

    image = np.load(path)
    before = peak_mib()
    start = time.perf_counter()
    run = method(name)
    run(image)
    cold = time.perf_counter() - start
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(image)
        times.append(time.perf_counter() - start)
    print(json.dumps({"cold_s": cold, "median_s": statistics.median(times), "mib": peak_mib() - before}))


def peak_mib() -> float:
    """Largest memory of this process so far; getrusage would count that of the process it was forked from."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return next(float(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line) / 1024


def compare(side_px: int, rounds: int, repeats: int) -> None:
    """Run the methods in turn and print the table."""
    import numpy as np

    results: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "picture.npy")
        np.save(path, picture(side_px))
        for _ in range(rounds):
            for name in METHODS:
                command = [sys.executable, __file__, "--child", name, "--picture", path, "--repeats", str(repeats)]
                done = subprocess.run(
                    command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=True
                )
                results[name].append(json.loads(done.stdout.splitlines()[-1]))
    megapixels = side_px**2 / 1e6
    peer = statistics.median(run["median_s"] for run in results[METHODS[-1]])
    print(f"{side_px} x {side_px} pixels, 16 bit, one thread")
    print(f"{'':36} {'s per Mpx':>10} {'of R.-L.':>9} {'MiB per Mpx':>12} {'cold start s':>13}")
    for name, runs in results.items():
        seconds, cold, mib = (statistics.median(run[k] for run in runs) for k in ("median_s", "cold_s", "mib"))
        print(f"{name:36} {seconds / megapixels:10.3f} {seconds / peer:9.3f} {mib / megapixels:12.0f} {cold:13.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=2048, help="width of the picture, pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--picture", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.picture, options.repeats)
    else:
        compare(options.side, options.rounds, options.repeats)
