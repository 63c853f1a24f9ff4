"""What goes into each network and what comes out of it, in the words of bioimage.io: axes, sizes, names of channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from parfocal.registry import Model


@dataclass(frozen=True)
class Tensors:
    """Axes of a network that the shapes of its arrays do not tell.

    Attributes
    ----------
    inputs, outputs : tuple of str
        Names of the channels.
    channels_first : bool
        Arrays are (batch, channel, y, x) rather than (batch, y, x, channel).
    smallest_px, step_px : int
        Sides that the input may have where they are free: smallest_px + k step_px.
    border_px : int, optional
        By how many pixels the output is smaller than the input; None where it has no pixels but a map of its own.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    channels_first: bool = False
    smallest_px: int = 1
    step_px: int = 1
    border_px: Optional[int] = None


def tensors_of(network: Model, output: np.ndarray) -> Tensors:
    """Axes of a network, of which an output is at hand."""
    return _MAKERS[network.config["task"]](network.config, output)


def _focus_quality(config: dict[str, Any], output: np.ndarray) -> Tensors:
    return Tensors(("intensity",), _numbered("level", output.shape[-1]))


def _sorting(config: dict[str, Any], output: np.ndarray) -> Tensors:
    from parfocal.sorting.network import FIELD_PX, STRIDE_PX

    if config["architecture"] == "default":
        return Tensors(("intensity",), ("evidence", "log_weight"), smallest_px=FIELD_PX, step_px=STRIDE_PX)
    return Tensors(("intensity",), ("sharp", "defocused"))


def _restoration(config: dict[str, Any], output: np.ndarray) -> Tensors:
    from parfocal.restoration.inputs import PAPER_BORDER_PX
    from parfocal.restoration.kernels import BANK
    from parfocal.restoration.network import STRIDE_PX
    from parfocal.restoration.squares import PIXELS, SQUARE_PX

    if config["architecture"] == "default":
        planes = ("image", *_numbered("wiener", len(BANK)), "level")
        seen = tuple(f"{plane}_pixel{pixel}" for pixel in range(PIXELS) for plane in planes)
        told = (*_numbered("restored_pixel", PIXELS, ""), *_numbered("log_scale_pixel", PIXELS, ""))
        side = STRIDE_PX // SQUARE_PX
        return Tensors(seen, told, True, smallest_px=4 * side, step_px=side, border_px=0)
    channels = _numbered("channel", output.shape[1])
    border = 2 * PAPER_BORDER_PX
    return Tensors(channels, channels, True, smallest_px=52 + border, step_px=16, border_px=border)


def _focal_position(config: dict[str, Any], output: np.ndarray) -> Tensors:
    from parfocal.focal_position.bins import Bins
    from parfocal.focal_position.network import FIELD_PX, STRIDE_PX

    count = Bins.from_dict(config["bins"]).count
    if config["architecture"] == "wei2018":
        return Tensors(("intensity",), _numbered("bin", count))
    told = (*_numbered("bin", count), "log_weight", *_numbered("feature", output.shape[-1] - count - 1))
    return Tensors(("intensity",), told, smallest_px=FIELD_PX, step_px=STRIDE_PX)


def _bead_distance(config: dict[str, Any], output: np.ndarray) -> Tensors:
    return Tensors(("intensity",), _numbered("member", output.shape[-1]))


def _numbered(name: str, count: int, between: str = "_") -> tuple[str, ...]:
    return tuple(f"{name}{between}{number}" for number in range(count))


_MAKERS: dict[str, Callable[[dict[str, Any], np.ndarray], Tensors]] = {
    "focus_quality": _focus_quality,
    "sorting": _sorting,
    "restoration": _restoration,
    "focal_position": _focal_position,
    "bead_distance": _bead_distance,
}
