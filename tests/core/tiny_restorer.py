"""A restoring network for tests: of the default architecture, with random weights."""

from __future__ import annotations

import hashlib
import json

import numpy as np


def write_untrained_restorer(folder):
    """Write a model folder; the weights are large enough for a pixel to be felt far away."""
    from parfocal.restoration.export import write_onnx
    from parfocal.restoration.network import build_network

    folder.mkdir()
    network = build_network("default", seed=4)
    rng = np.random.default_rng(5)
    network.set_weights([w + 0.02 * rng.standard_normal(w.shape) for w in network.get_weights()])
    write_onnx(network, folder / "weights.onnx")
    digest = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    config = {"task": "restoration", "format_version": 1, "architecture": "default", "largest_level": 10.0}
    config.update(weights="weights.onnx", sha256=digest, channels=1)
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)
