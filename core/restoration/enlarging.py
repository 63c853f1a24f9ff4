"""Enlargements in an ONNX graph, written so that ONNX Runtime keeps its own layout of convolutions through them."""

from __future__ import annotations

from typing import Any

# What Keras makes of an enlargement: pixels repeated along one axis after the other, with sides found at run time.
_SHAPING = ("Cast", "Expand", "Reshape", "Resize", "Tile", "Transpose", "Unsqueeze")
_TWICE = "twice"


def with_plain_enlargements(model: Any) -> Any:
    """Write each enlargement before an addition as one node `Resize`, by 2 to the nearest pixel.

    A factor that is known beforehand lets ONNX Runtime enlarge in the blocked layout of its convolutions; the results
    are the same to the bit.

    Parameters
    ----------
    model : onnx.ModelProto
        The default network as converted from Keras, planes first; changed in place.

    Returns
    -------
    onnx.ModelProto
        The same.
    """
    from onnx import helper

    graph = model.graph
    made_by = {name: node for node in graph.node for name in node.output}
    nodes = []
    for node in graph.node:
        for i, name in enumerate(node.input if node.op_type == "Add" else ()):
            coarse = _before_shaping(name, made_by)
            if coarse != name:
                nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
                nodes.append(helper.make_node("Resize", [coarse, "", _TWICE], [f"{coarse}/twice"], **nearest))
                node.input[i] = f"{coarse}/twice"
        nodes.append(node)
    graph.initializer.append(helper.make_tensor(_TWICE, 1, (4,), (1.0, 1.0, 2.0, 2.0)))
    _keep_what_is_used(graph, nodes)
    return model


def _before_shaping(name: str, made_by: dict[str, Any]) -> str:
    while name in made_by and made_by[name].op_type in _SHAPING:
        name = made_by[name].input[0]
    return name


def _keep_what_is_used(graph: Any, nodes: list[Any]) -> None:
    used = {output.name for output in graph.output}
    kept = []
    for node in reversed(nodes):
        if used.intersection(node.output):
            kept.append(node)
            used.update(node.input)
    constants = [tensor for tensor in graph.initializer if tensor.name in used]
    for field, content in ((graph.node, kept[::-1]), (graph.initializer, constants)):
        del field[:]
        field.extend(content)
