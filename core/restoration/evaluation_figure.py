"""The picture that a person can judge: blurred, restored, classical, truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from parfocal.restoration.scores import matched_to, score

_NOT_DRAWN = ("wiener",)


class Example(NamedTuple):
    """Images (y, x) of one field by method, and the truth; a note under the heading of a method."""

    title: str
    found: dict[str, np.ndarray]
    truth: np.ndarray
    notes: dict[str, str] = {}


def draw_examples(path: Path, examples: Sequence[Example]) -> None:
    """Draw one row for each example, every method at the truth's intensity scale, with its SSIM."""
    from matplotlib.figure import Figure

    if not examples:
        return
    methods = [name for name in dict.fromkeys(n for e in examples for n in e.found) if name not in _NOT_DRAWN]
    n_columns = len(methods) + 1
    figure = Figure(figsize=(2.6 * n_columns, 2.8 * len(examples)), layout="constrained")
    axes = figure.subplots(len(examples), n_columns, squeeze=False)
    for row, example in zip(axes, examples):
        for axis, name in zip(row, [*methods, "truth"]):
            _draw(axis, name, example)
    figure.savefig(path, dpi=80)


def _draw(axis: Any, name: str, example: Example) -> None:
    axis.axis("off")
    heading = name.replace("_", " ")
    if name == "truth":
        image, told = example.truth, example.title
    elif name in example.found:
        image = matched_to(example.found[name], example.truth)
        told = f"SSIM {score(image, example.truth).ssim:.2f}{example.notes.get(name, '')}"
    else:
        axis.set_title(f"{heading}\nno level", fontsize=8)
        return
    axis.imshow(image, cmap="gray", vmin=0, vmax=1)
    axis.set_title(f"{heading}\n{told}", fontsize=8)
