"""Focal-position networks for tests, made by hand: they tell one distribution whatever the image."""

from __future__ import annotations

import hashlib
import json

import numpy as np

FIELD, STRIDE, FEATURES = 96, 16, 48
BINS = {"half_range": 10.0, "width": 0.5}
POSITIONS = np.arange(-20, 21) * 0.5


def write_told(folder, probability, limit=None, **config):
    """Write a model folder whose network tells `probability` (41,); gives its path as text.

    With a `limit` its first feature, the mean of a square at the network's scale of intensities, must lie within it
    of 0.2. `config` is added to what `config.json` says.
    """
    import onnx

    folder.mkdir(parents=True)
    onnx.save(_network(np.log(np.asarray(probability) + 1e-9)), str(folder / "weights.onnx"))
    digest = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    told = {"task": "focal_position", "format_version": 1, "architecture": "default", "bins": BINS, "zoom": 0.0}
    told.update(unit="depth_of_field", sign="aberration", numerical_aperture=[0.3, 0.75], largest_immersion_index=1.1)
    told.update(weights="weights.onnx", sha256=digest, **config)
    if limit is not None:
        known = np.zeros((1, FEATURES), np.float16)
        known[0, 0] = 0.2
        np.savez(folder / "known.npz", features=known, scale=np.ones(FEATURES), limit=limit / np.sqrt(FEATURES))
        told["known"] = "known.npz"
    (folder / "config.json").write_text(json.dumps(told))
    return str(folder)


def peak(middle, deviation=0.6):
    """A distribution with one peak over the 41 bins."""
    shape = np.exp(-0.5 * ((POSITIONS - middle) / deviation) ** 2)
    return shape / shape.sum()


def _network(logits):
    from onnx import TensorProto, helper, numpy_helper

    outputs = len(logits) + 1 + FEATURES
    kernels = np.zeros((outputs, 1, FIELD, FIELD), np.float32)
    kernels[len(logits) + 1] = 1 / FIELD**2
    bias = np.concatenate([logits, np.zeros(1 + FEATURES)]).astype(np.float32)
    nodes = [
        helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernels", "bias"], ["maps"], strides=[STRIDE, STRIDE]),
        helper.make_node("Transpose", ["maps"], ["told"], perm=[0, 2, 3, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "told",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [None, None, None, 1])],
        [helper.make_tensor_value_info("told", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(kernels, "kernels"), numpy_helper.from_array(bias, "bias")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
