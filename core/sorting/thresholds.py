"""A threshold for a wanted rate of false alarms, from a folder of one's own sharp images."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from parfocal import status
from parfocal.batch.arguments import check_given
from parfocal.batch.files import each_image
from parfocal.images.metadata import ImageItem
from parfocal.images.reading import find_images
from parfocal.progress import step_of, tell
from parfocal.restoration.restore import SMALLEST_LEVEL
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.items import flag_item
from parfocal.sorting.members import load_sorter
from parfocal.sorting.scores import check_false_alarm_rate, threshold_for_false_alarms


@dataclass(frozen=True)
class SharpThreshold:
    """A threshold that was chosen from sharp images.

    Attributes
    ----------
    threshold : float
        Probability above which an image is to be flagged.
    promised_rate : float
        A new sharp image is flagged with this probability at most.
    n_images : int
        Sharp images that took part.
    wanted_rate : float
        Rate that was asked for.
    left_out : tuple of str
        A line for each image that took no part, with the reason.
    doubtful : tuple of str
        A line for each image that took part although its level says that it is defocused.
    """

    threshold: float
    promised_rate: float
    n_images: int
    wanted_rate: float
    left_out: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()

    @property
    def warning(self) -> str:
        """Sentence that says that there are too few images for the wanted rate; empty where there are enough."""
        if self.promised_rate <= self.wanted_rate * (1 + 1e-9):
            return ""
        needed = math.ceil(1 / self.wanted_rate - 1 - 1e-9)
        return (
            f"{self.n_images} sharp images promise a rate of false alarms of {self.promised_rate:.2g} at best, wanted "
            f"is {self.wanted_rate:g}: that takes {needed} sharp images"
        )

    @property
    def doubt(self) -> str:
        """Sentence that says how many of the images do not look sharp; empty where all do."""
        if not self.doubtful:
            return ""
        return (
            f"{len(self.doubtful)} of the {self.n_images} sharp images are defocused by their level, such as "
            f"{self.doubtful[0]}: the threshold is too high if they are not sharp"
        )


def sharp_threshold(folder: str | os.PathLike[str], false_alarm_rate: float, **arguments: Any) -> SharpThreshold:
    """Choose the threshold of `flag_defocused` from sharp images, so that new ones are flagged at the wanted rate.

    Parameters
    ----------
    folder : path
        Images that are known to be sharp and taken as those that are to be sorted; searched to the bottom.
    false_alarm_rate : float
        In (0, 1). See `threshold_for_false_alarms` for what is promised.
    **arguments
        Arguments of `flag_defocused`, such as `model`; they count more than what the files say.

    Returns
    -------
    SharpThreshold

    Raises
    ------
    FileNotFoundError
        Where there is no such folder, or no image in it.
    ValueError
        Where an argument is wrong, or no image has an answer.
    parfocal.registry.ModelError
        Where the model cannot be loaded.
    """
    check_false_alarm_rate(false_alarm_rate)
    check_given(arguments, flag_defocused)
    load_sorter(arguments.get("model", "default"))
    rows = _judged(find_images([folder]), arguments)
    known = np.array([row["probability"] for row in rows if row["status"] == status.OK])
    soft = [row for row in rows if row["status"] == status.OK and row["level"] >= SMALLEST_LEVEL]
    left_out = tuple(f"{row['file']}: {row['status']}: {row['reason']}" for row in rows if row["status"] != status.OK)
    if not len(known):
        raise ValueError(f"no image in {folder} could be sorted, such as {left_out[0]}: give sharp images that can be")
    threshold, rate = threshold_for_false_alarms(known, false_alarm_rate)
    doubtful = tuple(f"{row['file']}: level {row['level']:.1f}" for row in soft)
    return SharpThreshold(threshold, rate, len(known), false_alarm_rate, left_out, doubtful)


def _judged(paths: Sequence[Path], arguments: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for done, path in enumerate(paths):
        with step_of(done, len(paths)):
            rows += each_image(path, partial(_judge, arguments))
    tell(len(paths), len(paths))
    return rows


def _judge(arguments: dict[str, Any], item: ImageItem) -> dict[str, Any]:
    flag, _, _ = flag_item(item, arguments)
    found = {"probability": flag.probability, "level": flag.defocus_level}
    return {"file": str(item.path), **found, "status": flag.status, "reason": flag.reason}
