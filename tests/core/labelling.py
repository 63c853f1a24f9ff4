"""Folders of images to label, and a person who answers alike."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np


def write_images(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        iio.imwrite(folder / name, np.arange(64, dtype=np.uint8).reshape(8, 8))


def answer_all(session, label):
    """Answer every showing alike; gives the files in the order they were shown."""
    seen = []
    while (view := session.view()) is not None:
        seen.append(view.file)
        session.answer(view.number, label)
    return seen
