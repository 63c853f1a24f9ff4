"""Sources of small pictures to evaluate sorters on, and a look at what an evaluation trains and judges."""

from __future__ import annotations

import json

import imageio.v3 as iio
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal.sorting import cross_validation
from parfocal.sorting.evaluation import evaluate_sorting, left_out, runs, studies, transfer
from parfocal.sorting.training import train_sorter

SMALL_PX, LARGE_PX = 100, 140


def discs(seed, size):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    centres = rng.uniform(0, size, (12, 2))
    nearest = np.min([np.hypot(y - cy, x - cx) for cy, cx in centres], axis=0)
    return rng.poisson(gaussian_filter(np.where(nearest < 8, 2000.0, 200.0), 0.8)).astype(np.uint16)


def write_sources(top):
    """Sources `small` and `large` (two stains a field) to train on, `foreign` and `single` (one field) left out."""
    names = [f"small/{i}.png" for i in range(6)] + [f"large/{i}_{stain}.png" for i in range(4) for stain in "DG"]
    names += [f"foreign/{i}.png" for i in range(8)] + [f"single/a_{stain}.png" for stain in "DG"]
    for number, name in enumerate(names):
        (top / name).parent.mkdir(exist_ok=True)
        iio.imwrite(top / name, discs(number, LARGE_PX if name.startswith("large") else SMALL_PX))
    rules = [
        {"source": "small", "pattern": "small/(?P<field>.+)[.]png", "stain": "DNA", "train": True},
        {"source": "large", "pattern": "large/(?P<field>.+)_(?P<stain>.)[.]png", "train": True},
        {"source": "foreign", "pattern": "foreign/(?P<field>.+)[.]png", "stain": "DNA", "train": False},
        {"source": "single", "pattern": "single/(?P<field>.+)_(?P<stain>.)[.]png", "train": False},
    ]
    (top / "sources.json").write_text(json.dumps({"sources": rules}))
    return top


def train_one_step(folder, output):
    """A sorter after one step."""
    sources = str(folder / "sources.json")
    return str(train_sorter(str(folder), str(output), synthetic=True, sources=sources, epochs=0.1, exposures=1))


def smallest_budget(folder, model):
    """Arguments of an evaluation."""
    sources = str(folder / "sources.json")
    return {"images": str(folder), "sources": sources, "model": model, "exposures": 1, "epochs": 0.1, "folds": 2}


class Spy:
    """Notes what networks are trained on, and what they judge."""

    def __init__(self, patch):
        self.fits, self.networks, self.judged = [], [], []
        for module in (runs, cross_validation):
            patch.setattr(module, "run_fit", self._watched_fit(module.run_fit))
            patch.setattr(module, "probabilities", self._watched_judging(module.probabilities))

    def _watched_fit(self, run_fit):
        def watched(fit, *arguments):
            network, history = run_fit(fit, *arguments)
            self.fits.append(fit)
            self.networks.append(network)
            return network, history

        return watched

    def _watched_judging(self, probabilities):
        def watched(network, examples):
            self.judged.append((network, examples))
            return probabilities(network, examples)

        return watched

    def pairs(self):
        """Fields that each network was trained on, and those that it judged."""
        by_network = {id(network): fit for network, fit in zip(self.networks, self.fits)}
        known = [(by_network[id(n)], examples) for n, examples in self.judged if id(n) in by_network]
        return [(fields(fit.train), fields(examples)) for fit, examples in known]


def fields(examples):
    return {(example.source, example.field) for example in examples}


def watched_run(arguments, output, **changes):
    """Evaluate, and tell what was trained on and judged; steps are not compiled, since there are few of each."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for owner, values in (
                (transfer, {"SIZES": (3, 5, 10), "REPEATS": 1}),
                (studies, {"SIDES_PX": (67,), "SMALLEST_PX": LARGE_PX, "SHARES": (0.5, 1.0)}),
            ):
                for name, value in values.items():
                    patch.setattr(owner, name, value)
            spy = Spy(patch)
            return evaluate_sorting(output=str(output), **{**arguments, **changes}), spy
    finally:
        tf.config.run_functions_eagerly(False)


def forbid_training(monkeypatch):
    """Whoever trains or sorts from now on fails."""

    def fail(*arguments, **named):
        raise AssertionError("made again, although it was kept")

    for module in (runs, cross_validation):
        monkeypatch.setattr(module, "run_fit", fail)
    monkeypatch.setattr(left_out, "flag_defocused", fail)
