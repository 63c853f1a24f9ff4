"""Estimates per second on camera frames, beside one Brenner sweep of as many planes.

Usage: python benchmarks/hold_focus.py [--model FOLDER] [--size 1024] [--frames 100] [--planes 21]

Frames are simulated nuclei with photon noise; the snap is not counted. Set PARFOCAL_THREADS=2 for two cores.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

from parfocal.focal_position.estimate import estimate_focal_position
from parfocal.focus_control.metrics import focus_score

OPTICS = {"pixel_size_um": 0.65, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}


def frames_of(size_px: int, count: int, seed: int = 0) -> list[np.ndarray]:
    """Cells at several blurs with photon noise, uint16."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    points = np.zeros((size_px, size_px))
    points[tuple(rng.integers(0, size_px, (2, size_px // 4)))] = 1.0
    shown = [gaussian_filter(points, sigma) for sigma in (3.0, 5.0, 8.0)]
    return [rng.poisson(20 + 20000 * shown[i % 3]).astype(np.uint16) for i in range(count)]


def times_s(work, items):
    taken = []
    for item in items:
        begun = time.perf_counter()
        work(item)
        taken.append(time.perf_counter() - begun)
    return np.array(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--planes", type=int, default=21)
    given = parser.parse_args()
    frames = frames_of(given.size, max(given.frames, given.planes))

    def estimate(image):
        return estimate_focal_position(image, model=given.model, **OPTICS)

    print(f"first answer: {estimate(frames[0]).status}; threads: {os.environ.get('PARFOCAL_THREADS', '1')}")
    taken = times_s(estimate, frames[: given.frames])
    sweep = times_s(lambda image: focus_score(image, "Brenner"), frames[: given.planes]).sum()
    p50, p95, p99 = np.percentile(taken, (50, 95, 99)) * 1000
    size = f"{given.size} x {given.size} px"
    print(f"| {size} | per second | median ms | 95th | 99th | Brenner sweep, {given.planes} planes, ms |")
    print("|---|---|---|---|---|---|")
    print(f"| {given.model} | {1 / taken.mean():.1f} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {1000 * sweep:.1f} |")


if __name__ == "__main__":
    main()
