"""Seconds per 2048 x 2048 image on one thread: the default model, `yang2018`, and CellProfiler's slope metric.

Run in CellProfiler's environment: `.venv-cp/bin/python benchmarks/focus_quality.py`. The methods take turns, each in a
process of its own; the ratios come from medians of the same run. Then a plate, with all cores.
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
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PARFOCAL_THREADS"), "1")
METHODS = ("default", "yang2018", "slope")


def picture(side_px: int = 2048):
    """Return a noisy 16-bit picture with bright discs."""
    import numpy as np

    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side_px, :side_px]
    discs = ((y % 70 - 35) ** 2 + (x % 70 - 35) ** 2 < 200) * 900.0
    return rng.poisson(discs + 100).astype(np.uint16)


def method(name: str, yang_folder: str):
    """Return a function of an image."""
    if name == "slope":
        return cellprofiler_slope
    from parfocal import measure_image_focus

    model = yang_folder if name == "yang2018" else name
    return lambda image: measure_image_focus(image, model=model)


def cellprofiler_slope(image):
    """Power log-log slope as CellProfiler's MeasureImageQuality computes it, on centrosome's spectrum."""
    import centrosome.radial_power_spectrum
    import numpy as np
    import scipy.linalg

    radii, _, power = centrosome.radial_power_spectrum.rps(image / 65535.0)
    valid = power > 0
    radii, power = radii[valid], power[valid]
    design = np.stack([np.log(radii), np.ones(len(radii))], axis=1)
    return scipy.linalg.lstsq(design, np.log(power))[0][0]


def child(name: str, yang_folder: str, repeats: int) -> None:
    """Print cold start, median time and peak memory of one method as JSON."""
    import numpy as np

    image = np.load(Path(yang_folder) / "picture.npy")
    start = time.perf_counter()
    measure = method(name, yang_folder)
    measure(image)
    cold = time.perf_counter() - start
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        measure(image)
        times.append(time.perf_counter() - start)
    print(json.dumps({"cold_start_s": cold, "median_s": statistics.median(times), "peak_mib": peak_mib()}))


def peak_mib() -> float:
    """Largest memory of this process so far; getrusage would count that of the process it was forked from."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return next(float(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line) / 1024


def write_untrained_yang2018(folder: Path) -> None:
    """Write a model folder of the paper's network; its speed does not depend on its training."""
    from parfocal.focus_quality.export import write_model_folder
    from parfocal.focus_quality.network import build_network
    from parfocal.focus_quality.settings import POOLINGS, YANG2018

    row = {"step": 0, "loss": 0.0, "validation_loss": 0.0, "exact": 0.0, "within_one": 0.0}
    images: dict = {"train": [], "validation": []}
    write_model_folder(folder, build_network("yang2018"), YANG2018, [row], images, POOLINGS["yang2018"])


def compare(rounds: int, repeats: int) -> None:
    """Run the methods in turn and print the table."""
    import numpy as np

    results: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    with tempfile.TemporaryDirectory() as folder:
        write_untrained_yang2018(Path(folder))
        np.save(Path(folder) / "picture.npy", picture())
        for _ in range(rounds):
            for name in METHODS:
                command = [sys.executable, __file__, "--child", name, "--yang", folder, "--repeats", str(repeats)]
                done = subprocess.run(
                    command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=True
                )
                results[name].append(json.loads(done.stdout.splitlines()[-1]))
    base = statistics.median(run["median_s"] for run in results["default"])
    print(f"{'':10} {'s per image':>12} {'times default':>14} {'cold start s':>13} {'peak MiB':>9}")
    for name, runs in results.items():
        seconds, cold, peak = (
            statistics.median(run[k] for run in runs) for k in ("median_s", "cold_start_s", "peak_mib")
        )
        print(f"{name:10} {seconds:12.3f} {seconds / base:14.2f} {cold:13.2f} {peak:9.0f}")


def _measure_file(path: str) -> None:
    import imageio.v3 as iio

    from parfocal import measure_image_focus

    measure_image_focus(iio.imread(path))


def plate(copies: int) -> None:
    """Measure the example plate several times over with all cores and print images per second."""
    folder = Path(__file__).parents[1] / "examples" / "plate" / "images"
    paths = [str(path) for path in sorted(folder.iterdir()) if path.suffix.lower() in (".tif", ".png")] * copies
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_measure_file, paths[: 2 * (os.cpu_count() or 1)]))  # loads the model in every worker
        start = time.perf_counter()
        list(pool.map(_measure_file, paths, chunksize=4))
        seconds = time.perf_counter() - start
    cores, rate = os.cpu_count(), len(paths) / seconds
    print(f"plate: {len(paths)} images of 512 x 512 on {cores} cores, {rate:.1f} images per second")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--copies", type=int, default=5, help="how often the example plate is measured")
    parser.add_argument("--child", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--yang", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.yang, options.repeats)
    else:
        compare(options.rounds, options.repeats)
        plate(options.copies)
