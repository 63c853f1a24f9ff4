"""The description of a model by the specification of bioimage.io, 0.5."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.install.packages import install_command
from parfocal.registry import Model
from parfocal.sharing.about import ABOUT, About
from parfocal.sharing.tensors import Tensors, tensors_of

# Of all networks that Parfocal writes.
_OPSET = 17
_LICENSE = "BSD-3-Clause"
README, INPUT, OUTPUT = "README.md", "test_input.npy", "test_output.npy"


def describe(network: Model, seen: np.ndarray, told: np.ndarray, folder: Path) -> Any:
    """Describe a model whose files lie in a folder, with README.md, test_input.npy and test_output.npy.

    Parameters
    ----------
    network : Model
    seen, told : ndarray
        Input and output, float32.
    folder : Path

    Returns
    -------
    bioimageio.spec.model.v0_5.ModelDescr
    """
    from bioimageio.spec.model import v0_5

    config, about = network.config, ABOUT[network.config["task"]]
    text, doi = about.paper.split(" doi:")
    named = {README, INPUT, OUTPUT, config["weights"]}
    more = [v0_5.FileDescr(source=path) for path in sorted(folder.iterdir()) if path.name not in named]
    weights = v0_5.OnnxWeightsDescr(source=folder / config["weights"], sha256=config["sha256"], opset_version=_OPSET)
    tensors = tensors_of(network, told)
    return v0_5.ModelDescr(
        name=f"Parfocal - {about.title} - {network.folder.name}",
        description=about.sentence,
        authors=[v0_5.Author(name="The Parfocal developers")],
        cite=[v0_5.CiteEntry(text=text, doi=v0_5.Doi(doi))],
        license=v0_5.LicenseId(_LICENSE),
        documentation=v0_5.FileDescr(source=folder / README),
        attachments=more,
        tags=["parfocal", *about.tags],
        inputs=[_input(network, tensors, seen, folder, about)],
        outputs=[_output(tensors, told, folder, about.output_of(config["architecture"]))],
        weights=v0_5.WeightsDescr(onnx=weights),
        config=v0_5.Config.model_validate({"parfocal": {"version": version("parfocal"), "task": config["task"]}}),
    )


def check_describes() -> None:
    """Raise ImportError where bioimageio.spec describes nothing, as 0.5.12 under pydantic 2.14.

    It fails then at all weights, whatever they are.
    """
    from bioimageio.spec import ValidationContext
    from bioimageio.spec.model import v0_5

    try:
        with ValidationContext(perform_io_checks=False):
            v0_5.OnnxWeightsDescr(source=Path(__file__), opset_version=_OPSET).model_dump(mode="json")
    except ValueError as error:
        told = f"bioimageio.spec {version('bioimageio.spec')} does not work with pydantic {version('pydantic')}"
        raise ImportError(told + ": " + install_command('"pydantic<2.14"')) from error


def readme(network: Model, tensors: Tensors, card: str) -> str:
    """Text of README.md: what the model does, what goes in and comes out, how Parfocal loads it, and its card."""
    about, architecture = ABOUT[network.config["task"]], network.config["architecture"]
    layout = "(batch, channel, y, x)" if tensors.channels_first else "(batch, y, x, channel)"
    return f"""# {about.title}: `{network.folder.name}`

{about.sentence}

## Input and output

The network alone does not measure an image: Parfocal prepares its input, and judges and combines its output.

- Input, float32, {layout}: {about.input_of(architecture)}
- Output, float32: {about.output_of(architecture)}

`{INPUT}` is such an input, made of an image as Parfocal makes it, and `{OUTPUT}` what the network gives for it.

## Use in Parfocal

    {about.option}

## Validation

{_validation(card)}

{card}"""


def _validation(card: str) -> str:
    return (
        "The figures on images that took no part in the training, and the limits, stand in the card below; `parfocal "
        "evaluate` measures them on images of your own."
        if card
        else "The model has no card: `parfocal evaluate` measures it on images of your own."
    )


def _input(network: Model, tensors: Tensors, seen: np.ndarray, folder: Path, about: About) -> Any:
    from bioimageio.spec.model import v0_5

    sides = [
        # Free sides have names instead of numbers.
        size if isinstance(size, int) else v0_5.ParameterizedSize(min=tensors.smallest_px, step=tensors.step_px)
        for size in _sides(network.input_shape, tensors)
    ]
    spaces = [v0_5.SpaceInputAxis(id=v0_5.AxisId(name), size=side) for name, side in zip("yx", sides)]
    return v0_5.InputTensorDescr(
        id=v0_5.TensorId("input"),
        description=_short(about.input_of(network.config["architecture"])),
        axes=_ordered(tensors, spaces, _channels(tensors.inputs)),
        test_tensor=v0_5.FileDescr(source=folder / INPUT),
        data=v0_5.IntervalOrRatioDataDescr(type="float32"),
    )


def _output(tensors: Tensors, told: np.ndarray, folder: Path, description: str) -> Any:
    from bioimageio.spec.model import v0_5

    if told.ndim == 2:
        places: list[Any] = []
    elif tensors.border_px is None:
        # Sizes of maps are no whole multiples of the sides of the input, which is all that a reference can state.
        free = v0_5.DataDependentSize(min=1)
        places = [v0_5.IndexOutputAxis(id=v0_5.AxisId(name), size=free) for name in ("row", "column")]
    else:
        places = [_space_like_input(name, tensors.border_px) for name in "yx"]
    return v0_5.OutputTensorDescr(
        id=v0_5.TensorId("output"),
        description=_short(description),
        axes=_ordered(tensors, places, _channels(tensors.outputs)),
        test_tensor=v0_5.FileDescr(source=folder / OUTPUT),
        data=v0_5.IntervalOrRatioDataDescr(type="float32"),
    )


def _space_like_input(name: str, border_px: int) -> Any:
    from bioimageio.spec.model import v0_5

    axis = v0_5.AxisId(name)
    size = v0_5.SizeReference(tensor_id=v0_5.TensorId("input"), axis_id=axis, offset=-border_px)
    return v0_5.SpaceOutputAxis(id=axis, size=size)


def _ordered(tensors: Tensors, places: list[Any], channels: Any) -> list[Any]:
    from bioimageio.spec.model import v0_5

    rest = [channels, *places] if tensors.channels_first else [*places, channels]
    return [v0_5.BatchAxis(), *rest]


def _channels(names: tuple[str, ...]) -> Any:
    from bioimageio.spec.model import v0_5

    return v0_5.ChannelAxis(channel_names=[v0_5.Identifier(name) for name in names])


def _sides(shape: tuple[Any, ...], tensors: Tensors) -> tuple[Any, ...]:
    return shape[2:] if tensors.channels_first else shape[1:3]


def _short(text: str) -> str:
    """At most 128 characters, which is all that a tensor has room for; README.md has the rest."""
    return text if len(text) <= 128 else text[:124].rsplit(" ", 1)[0].rstrip(",;:") + " ..."
