"""The module FlagDefocused with settings by name, and a sorting model whose answer is known."""

import hashlib
import json

import numpy as np

STEEPNESS = 60.0


def make(*images, **values):
    """Make the module for these images, DNA by default."""
    from parfocal.cp_plugins.flagdefocused import FlagDefocused

    module = FlagDefocused()
    module.set_module_num(1)
    module.show_window = False
    for _ in images[1:]:
        module.add_image()
    for group, name in zip(module.images, images or ("DNA",)):
        group.image_name.value = name
    for name, value in values.items():
        getattr(module, name).value = value
    return module


def write_model(folder, threshold=0.5, step=0.14):
    """Write a model that takes an image for defocused where the mean step between neighbouring pixels is small.

    It is undecided at `step`, in standard deviations of the image.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def constant(name, value, kind=np.int64):
        return numpy_helper.from_array(np.array(value, kind), name)

    tensors = [constant("axis", [2]), constant("zero", [0]), constant("one", [1]), constant("last", [-1])]
    tensors += [constant("end", [2**31]), constant("w", [[0, -STEEPNESS]], np.float32)]
    tensors.append(constant("b", [0, STEEPNESS * step], np.float32))
    nodes = [
        helper.make_node("Slice", ["images", "one", "end", "axis"], ["right"]),
        helper.make_node("Slice", ["images", "zero", "last", "axis"], ["left"]),
        helper.make_node("Sub", ["right", "left"], ["step"]),
        helper.make_node("Abs", ["step"], ["size"]),
        helper.make_node("ReduceMean", ["size"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Gemm", ["mean", "w", "b"], ["logits"]),
    ]
    shapes = [("images", ("n", 134, 134, 1)), ("logits", ("n", 2))]
    inputs, outputs = ([helper.make_tensor_value_info(n, TensorProto.FLOAT, shape)] for n, shape in shapes)
    graph = helper.make_graph(nodes, "steps", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir()
    onnx.save(model, str(folder / "weights.onnx"))
    digest = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    config = {"task": "sorting", "format_version": 1, "architecture": "xue2021", "threshold": threshold}
    config.update(weights="weights.onnx", sha256=digest, modalities=["widefield_fluorescence"])
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)
