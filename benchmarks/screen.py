"""A screen beside CellProfiler's MeasureImageQuality over the same images, its cost by their number, and resume.

Run in the current environment: `.venv/bin/python benchmarks/screen.py`; CellProfiler is run by `.venv-cp`. The images
are links to one real picture, so that a large screen needs no room. `--part` chooses what is measured:

- `speed`: images per second and peak memory of all processes together, 1 and 2 workers, beside MeasureImageQuality
  with as many processes, each for a range of the images (`-f`, `-l`);
- `scale`: time and memory by the number of images (`--counts`), and seconds to go on with the finished run of the last;
  with `--side` on the middle of the picture alone, where what is to be seen is the cost beside the networks.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import tifffile

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "examples" / "plate" / "images" / "AS_09047_050428030001_O01f00d2.TIF"
SIDE_PX = 512
CELLPROFILER = ROOT / ".venv-cp" / "bin" / "python"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PARFOCAL_THREADS"), "1")
MAKE_PIPELINE = """
import sys
import cellprofiler_core.preferences
cellprofiler_core.preferences.set_headless()
from cellprofiler_core.pipeline import Pipeline
from cellprofiler.modules.measureimagequality import MeasureImageQuality
pipeline = Pipeline()
pipeline.load(sys.argv[1])
for module in reversed(pipeline.modules(exclude_disabled=False)[4:]):
    pipeline.remove_module(module.module_num)
quality = MeasureImageQuality()
quality.set_module_num(5)
pipeline.add_module(quality)
with open(sys.argv[2], "w") as file:
    pipeline.dump(file)
"""


def images(folder: Path, count: int, side: int = SIDE_PX) -> Path:
    """Make a folder of links to the middle of one picture, named as wells and sites."""
    folder.mkdir(parents=True)
    picture = folder.parent / f"{folder.name}_picture.TIF"
    start = (SIDE_PX - side) // 2
    tifffile.imwrite(picture, tifffile.imread(PICTURE)[start : start + side, start : start + side])
    for number in range(count):
        row, column, site = "ABCDEFGH"[number % 8], number // 8 % 12 + 1, number // 96
        (folder / f"AS_1_{row}{column:02d}f{site:02d}d2.TIF").symlink_to(picture)
    return folder


def run(commands: list[list[str]], cwd: Path) -> tuple[float, float, float]:
    """Run commands side by side: seconds, peak memory of all their processes, and of the first, MiB."""
    begun, peaks = time.perf_counter(), [0.0, 0.0]
    with open(cwd / "log", "wb") as log:
        running = [
            subprocess.Popen(c, cwd=cwd, env={**os.environ, **ONE_THREAD}, stdout=log, stderr=log) for c in commands
        ]
        watching = threading.Thread(target=watch, args=(running, peaks))
        watching.start()
        codes = [process.wait() for process in running]
    seconds = time.perf_counter() - begun
    watching.join()
    if any(codes):
        raise SystemExit(f"{commands[0]} ended with {codes}: {(cwd / 'log').read_text()[-2000:]}")
    return seconds, peaks[0], peaks[1]


def watch(running: list[subprocess.Popen], peaks: list[float]) -> None:
    """Keep the largest memory of all processes together, and of the first alone."""
    import psutil

    while any(process.poll() is None for process in running):
        own = 0.0
        total = 0.0
        for process in running:
            try:
                tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                sizes = [one.memory_info().rss / 2**20 for one in tree]
            except psutil.NoSuchProcess:
                continue
            own, total = own or sizes[0], total + sum(sizes)
        peaks[0], peaks[1] = max(peaks[0], total), max(peaks[1], own)
        time.sleep(0.2)


def screen(folder: Path, output: Path, workers: int, *more: str) -> list[str]:
    paths = [] if "--resume" in more else [str(folder)]
    command = [sys.executable, "-m", "parfocal.cli", "screen", *paths, "-o", str(output), "--workers", str(workers)]
    return [*command, "--no-report", "--overlays", "none", *more] if paths else [*command, "--no-report", *more]


def cellprofiler(folder: Path, scratch: Path, count: int, workers: int) -> list[list[str]]:
    """Commands that measure with CellProfiler, a range of the images each."""
    example, pipeline = ROOT / "examples" / "plate" / "measure_image_focus.cppipe", scratch / "quality.cppipe"
    subprocess.run(
        [str(CELLPROFILER), "-c", MAKE_PIPELINE, str(example), str(pipeline)], check=True, capture_output=True
    )
    share = -(-count // workers)
    ranges = [(first, min(first + share - 1, count)) for first in range(1, count + 1, share)]
    command = [str(CELLPROFILER), "-m", "cellprofiler", "-c", "-r", "-p", str(pipeline), "-i", str(folder)]
    return [
        [*command, "-o", str(scratch / f"cp{first}"), "-f", str(first), "-l", str(last), str(scratch / f"{first}.h5")]
        for first, last in ranges
    ]


def speed(scratch: Path, count: int) -> None:
    print(f"{count} images of 512 x 512 pixels\n{'':32} {'workers':>7} {'s':>8} {'images / s':>10} {'MiB':>8}")
    folder = images(scratch / f"images{count}", count)
    for workers in (1, 2):
        here = scratch / f"speed{workers}"
        here.mkdir()
        measured = {"parfocal screen": run([screen(folder, here / "out", workers)], here)}
        peer = cellprofiler(folder, here, count, workers)
        measured["CellProfiler MeasureImageQuality"] = run(peer, here)
        for name, (seconds, memory, _) in measured.items():
            print(f"{name:32} {workers:7} {seconds:8.1f} {count / seconds:10.2f} {memory:8.0f}", flush=True)


def scale(scratch: Path, counts: list[int], side: int) -> None:
    print(f"\nimages of {side} x {side} pixels, 2 workers")
    print(f"{'images':>8} {'s':>9} {'ms an image':>12} {'main process, MiB':>18} {'all, MiB':>9}")
    for count in counts:
        folder, here = images(scratch / f"scale{count}" / "images", count, side), scratch / f"scale{count}"
        seconds, memory, own = run([screen(folder, here / "out", 2)], here)
        print(f"{count:8} {seconds:9.1f} {1000 * seconds / count:12.1f} {own:18.0f} {memory:9.0f}", flush=True)
    seconds, _, _ = run([screen(folder, here / "out", 2, "--resume")], here)
    print(f"going on with the finished run of {count}: {seconds:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("speed", "scale", "all"), default="all")
    parser.add_argument("--images", type=int, default=200, help="number of images of the part speed")
    parser.add_argument("--counts", default="100,1000,10000", help="numbers of images of the part scale")
    parser.add_argument("--side", type=int, default=SIDE_PX, help="pixels a side of the images of the part scale")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if options.part in ("speed", "all"):
            speed(Path(name), options.images)
        if options.part in ("scale", "all"):
            scale(Path(name), [int(count) for count in options.counts.split(",")], options.side)
