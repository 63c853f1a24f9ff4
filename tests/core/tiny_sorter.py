"""Sorting networks for tests, made by hand: they hold the steepest slopes of a place against its contrast."""

from __future__ import annotations

import hashlib
import json

import numpy as np

# Steepness over contrast where a place counts as half defocused (level 3 of the nuclei of the tests), and how fast the
# evidence grows about it.
_MIDDLE, _GAIN = 0.38, 60.0


def write_edge_sorter(folder, architecture="default", **config):
    """Write a model folder; `config` is added to what `config.json` says. Gives its path as text."""
    import onnx

    folder.mkdir(parents=True)
    onnx.save(_edge_network(architecture), str(folder / "weights.onnx"))
    digest = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    told = {"task": "sorting", "format_version": 1, "architecture": architecture, "modalities": [], "threshold": 0.5}
    told.update(weights="weights.onnx", sha256=digest, **config)
    (folder / "config.json").write_text(json.dumps(told))
    return str(folder)


def _edge_network(architecture):
    """Evidence and weight of squares of 49 pixels, 8 apart, or for a paper's network two logits."""
    from onnx import TensorProto, helper, numpy_helper

    tent = np.outer(*2 * [[1, 2, 3, 2, 1]]) / 81.0
    slope = np.pad(tent, ((0, 0), (2, 0))) - np.pad(tent, ((0, 0), (0, 2)))
    kernels = np.stack([np.pad(tent, ((0, 0), (1, 1))), slope]).astype(np.float32)
    is_default = architecture == "default"
    pool = ("MaxPool", {"kernel_shape": [49 - 4, 49 - 6], "strides": [8, 8]}) if is_default else ("GlobalMaxPool", {})
    constants = {"kernels": kernels[:, None], "split": np.array([1, 1]), "floor": np.float32(0.02)}
    constants.update(middle=np.float32(_MIDDLE), gain=np.float32(_GAIN), factor=np.float32(10 if is_default else 0))
    # Of the default network weights that grow with the contrast, of a paper's the logit of sharp, 0.
    second, order = ("range", ["evidence", "other"]) if is_default else ("evidence", ["other", "evidence"])
    nodes = [
        helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernels"], ["both"]),
        helper.make_node("Split", ["both", "split"], ["smooth", "slope"], axis=1),
        helper.make_node("Abs", ["slope"], ["steepness"]),
        helper.make_node("Neg", ["smooth"], ["dark"]),
        *(helper.make_node(pool[0], [n], [f"most_{n}"], **pool[1]) for n in ("smooth", "dark", "steepness")),
        helper.make_node("Add", ["most_smooth", "most_dark"], ["range"]),
        helper.make_node("Add", ["range", "floor"], ["contrast"]),
        helper.make_node("Div", ["most_steepness", "contrast"], ["share"]),
        helper.make_node("Sub", ["middle", "share"], ["short"]),
        helper.make_node("Mul", ["short", "gain"], ["evidence"]),
        helper.make_node("Mul", [second, "factor"], ["other"]),
        helper.make_node("Concat", order, ["maps"], axis=1),
        helper.make_node("Transpose", ["maps"], ["moved"], perm=[0, 2, 3, 1]),
        helper.make_node("Identity" if is_default else "Flatten", ["moved"], ["told"]),
    ]
    side = None if is_default else 134
    graph = helper.make_graph(
        nodes,
        "edges",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [None, side, side, 1])],
        [helper.make_tensor_value_info("told", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
