"""The picture that a person can judge: blurred, restored, classical, truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from parfocal.restoration.scores import matched_to, score


class Example(NamedTuple):
    """Images (y, x) of one field by method, and the truth."""

    title: str
    found: dict[str, np.ndarray]
    truth: np.ndarray


def draw_examples(path: Path, examples: Sequence[Example]) -> None:
    """Draw one row for each example, every method at the truth's intensity scale, with its SSIM."""
    from matplotlib.figure import Figure

    if not examples:
        return
    methods = [name for name in examples[0].found if name != "wiener"]
    n_columns = len(methods) + 1
    figure = Figure(figsize=(2.6 * n_columns, 2.8 * len(examples)), layout="constrained")
    axes = figure.subplots(len(examples), n_columns, squeeze=False)
    for row, example in zip(axes, examples):
        shown = {name: matched_to(example.found[name], example.truth) for name in methods if name in example.found}
        for axis, name in zip(row, [*methods, "truth"]):
            axis.axis("off")
            image = example.truth if name == "truth" else shown.get(name)
            if image is None:
                axis.set_title(f"{name}\nno level", fontsize=8)
                continue
            likeness = example.title if name == "truth" else f"SSIM {score(image, example.truth).ssim:.2f}"
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
            axis.set_title(f"{name.replace('_', ' ')}\n{likeness}", fontsize=8)
    figure.savefig(path, dpi=80)
