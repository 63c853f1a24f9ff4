"""The module RestoreDefocus with settings by name, and a restoration model of one layer."""

import hashlib
import json

import numpy as np


def make(**values):
    """Make the module; by default it restores DNA by a few iterations of Richardson-Lucy."""
    from parfocal.cp_plugins.restoredefocus import RestoreDefocus

    module = RestoreDefocus()
    module.set_module_num(1)
    module.show_window = False
    defaults = {"image_name": "DNA", "restored_name": "RDNA", "method": "Richardson-Lucy", "iterations": 5}
    for name, value in {**defaults, **values}.items():
        getattr(module, name).value = value
    return module


def write_model(folder):
    """Write a model whose network takes the second deconvolution of its bank as it is; its error is exp(-3)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    # On squares of 16 pixels, the 6 planes of the bank innermost; in the end the pixels, and the scale of their error.
    pixels = np.arange(16)
    weights = np.zeros((32, 96, 1, 1), np.float32)
    weights[pixels, 6 * pixels + 2] = 1
    scale = np.repeat(np.array([0, -3], np.float32), 16)
    tensors = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(scale, "b")]
    shapes = [("planes", ("n", 96, "y", "x")), ("restored", ("n", 32, "y", "x"))]
    inputs, outputs = ([helper.make_tensor_value_info(n, TensorProto.FLOAT, shape)] for n, shape in shapes)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["planes", "w", "b"], ["restored"])], "tiny", inputs, outputs, tensors
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir()
    onnx.save(model, str(folder / "weights.onnx"))
    digest = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    config = {"task": "restoration", "format_version": 1, "architecture": "default", "largest_level": 10.0}
    config.update(weights="weights.onnx", sha256=digest, channels=1)
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


def direct(image, **arguments):
    """What the command gives that the module calls."""
    from parfocal.restoration.restore import restore_defocus

    return restore_defocus(image, method="richardson_lucy", iterations=5, **arguments)


def run(module, workspace):
    """Run the module; gives the image and its measurements."""
    module.run(workspace)
    values = {
        name: workspace.measurements.get_current_image_measurement(name)
        for _, name, _ in module.get_measurement_columns(workspace.pipeline)
    }
    return workspace.image_set.get_image(module.restored_name.value), values


def loaded(folder, counts, name="field.tif"):
    """Image as if it had been loaded from a file."""
    from cellprofiler_core.image import Image

    return Image(counts, scale=255, path_name=str(folder), file_name=name)


def in_a_row(make_workspace, images, *modules):
    """Run modules one after the other as a pipeline does; gives the workspace."""
    from cellprofiler_core.pipeline import Pipeline

    pipeline = Pipeline()
    for number, module in enumerate(modules, 1):
        module.set_module_num(number)
        module.show_window = False
        pipeline.add_module(module)
    workspace = make_workspace(modules[0], images)
    workspace.pipeline.__dict__.update(pipeline.__dict__)
    for module in modules:
        module.run(workspace)
    return workspace


class Figure:
    """Takes down what a window would show, on real axes."""

    def __init__(self):
        from matplotlib.figure import Figure as Canvas

        self.figure, self.shown, self.axes = Canvas(), {}, {}

    def set_subplots(self, shape):
        self.shape = shape

    def subplot(self, x, y):
        if (x, y) not in self.axes:
            self.axes[x, y] = self.figure.add_subplot(2, 2, 1 + x + 2 * y)
        return self.axes[x, y]

    def subplot_imshow(self, x, y, image, **kwargs):
        self.shown[x, y] = {"image": image, **kwargs}

    subplot_imshow_color = subplot_imshow_grayscale = subplot_imshow

    def subplot_table(self, x, y, rows, **kwargs):
        self.shown[x, y] = {"rows": dict(rows)}
