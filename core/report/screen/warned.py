"""Warnings of all steps, and what they mean."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from parfocal.report.screen.words import heading, words

if TYPE_CHECKING:
    import pandas as pd

# CellProfiler's tables have commas between them.
_BETWEEN = re.compile(r"[;,]\s*")
_OF_FILE = "_of_file_not_used"
MEANINGS = {
    "hot_pixels": "Single pixels far brighter than all around them were left out; the answer stands. "
    "Where most images have some, look at the camera's correction of bad pixels.",
    "partly_saturated": "Some of the pixels are at the camera's limit. The answer is from the rest; "
    "expose more briefly where brightness is to be measured.",
    "mixed_focus": "Parts of the image lie at other levels than the image: look at its patches.",
    "worst_level_or_beyond": "The image is at the worst level that is told apart, or beyond it: "
    "the true distance may be larger than the number says.",
    "rank_only": "For this kind of microscope levels only put the images of one experiment in order: "
    "do not compare them with others, or with the limit of level 3.",
    "optics_incomplete": "Only some of pixel size, NA and wavelength are known, so that the image was measured "
    "as it is: give all three to have it brought to the model's scale.",
    "optics_assumed": "Pixel size, NA or wavelength were not known, and restoring took those its model was made for "
    "(0.65 \u00b5m, NA 0.5, 0.5 \u00b5m): give your own, and restore again where they differ.",
    "unchecked": "It was restored without its focus being measured first: look at the result.",
    "level_unchecked": "The sorter's word stands alone, since there is no level to hold it against: look at the image.",
    "few_sharp_images": "The threshold rests on few sharp images: give more of them.",
    "doubtful_sharp_images": "Some of the images that the threshold rests on are not sharp by their level.",
    "too_few_sharp_examples": "The threshold rests on few sharp images: give more of them.",
    "restored_image": "It is marked as restored: its level is that after restoring, and it was not restored again.",
    "picture_not_written": "A picture of it could not be written; its numbers stand. "
    "Make room on the disk, then go on with --resume --retry-failed.",
}


@dataclass(frozen=True)
class Warned:
    """A warning in words, how many images have it, and what it means and asks for (empty where that is not known)."""

    name: str
    count: int
    meaning: str


def warned(rows: pd.DataFrame) -> list[Warned]:
    """Count the images that have each warning, the most frequent first."""
    counts: Counter[str] = Counter()
    for text, count in rows["warnings"].value_counts().items():
        counts.update(dict.fromkeys(_codes(str(text)), int(count)))
    return [Warned(words(code), count, meaning_of(code)) for code, count in counts.most_common()]


def meaning_of(code: str) -> str:
    """What a warning means, in a sentence or two; empty for one of another version."""
    if code.endswith(_OF_FILE):
        what = heading(code[: -len(_OF_FILE)])
        return f"{what}: what the file says cannot be right, and was not used. Give the value yourself."
    return MEANINGS.get(code, "")


def of_all_steps(*steps: pd.Series) -> list[str]:
    """Warnings of several steps as one text for each image, each of them once."""
    return [_joined(*texts) for texts in zip(*steps)]


@lru_cache(maxsize=1024)
def _joined(*texts: str) -> str:
    return ";".join(dict.fromkeys(code for text in texts for code in _codes(text)))


def _codes(text: str) -> list[str]:
    return [code for code in _BETWEEN.split(text) if code]
