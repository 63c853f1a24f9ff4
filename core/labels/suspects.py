"""Labels that look wrong to a model that did not see them in training."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import mean

COLUMNS = ("file", "label", "probability_defocused")
_CLASSES = ("sharp", "defocused")


@dataclass(frozen=True)
class Suspect:
    """An image whose label looks wrong.

    Attributes
    ----------
    file, label : str
    probability_defocused : float
        Of the model, 0 to 1.
    """

    file: str
    label: str
    probability_defocused: float


def suspected_mislabels(
    files: Sequence[str], labels: Sequence[str], probabilities: Sequence[float]
) -> tuple[Suspect, ...]:
    """List images whose label looks wrong, the worst first.

    Suspected is an image that the model puts into the other class with at least the confidence that it has, on the
    average, in images labelled so (confident learning, Northcutt et al. 2021, doi:10.1613/jair.1.12125), and above 0.5.
    So the limit fits the model: a sure one has to be surer than an unsure one before it speaks against a person, where
    a fixed limit would list nothing of the unsure one and too much of another.

    Parameters
    ----------
    files : sequence of str
    labels : sequence of str
        Given labels; only `sharp` and `defocused` are judged.
    probabilities : sequence of float
        Probability of defocus, 0 to 1, by a model that was not trained on the image (out of fold); NaN where there is
        none.

    Returns
    -------
    tuple of Suspect
        Empty where one of the classes is: there is nothing to compare with.

    Raises
    ------
    ValueError
        Where the three differ in length, or a probability is outside 0 to 1.
    """
    if not len(files) == len(labels) == len(probabilities):
        raise ValueError(
            "files, labels and probabilities must be of one length, "
            f"got {len(files)}, {len(labels)} and {len(probabilities)}"
        )
    outside = [p for p in probabilities if not math.isnan(p) and not 0 <= p <= 1]
    if outside:
        raise ValueError(f"probabilities must be in [0, 1], got {outside[0]}")
    known = [
        Suspect(file, label, float(p))
        for file, label, p in zip(files, labels, probabilities)
        if label in _CLASSES and not math.isnan(p)
    ]
    confidence = {label: [1 - _doubt(one) for one in known if one.label == label] for label in _CLASSES}
    if not all(confidence.values()):
        return ()
    limits = {"sharp": mean(confidence["defocused"]), "defocused": mean(confidence["sharp"])}
    found = [one for one in known if _doubt(one) > 0.5 and _doubt(one) >= limits[one.label]]
    return tuple(sorted(found, key=lambda one: (-_doubt(one), one.file)))


def write_suspects(path: Path, suspects: Sequence[Suspect]) -> None:
    """Write suspects as CSV, for `parfocal label --suspects`; files relative to the labelled folder."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(astuple(one) for one in suspects)


def read_suspected_files(path: Path) -> list[str]:
    """Read the files of a table of suspects.

    Raises
    ------
    FileNotFoundError
        Where there is no such table.
    ValueError
        Where it has no column `file`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no such table of suspects: {path}")
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
        reader = csv.DictReader(lines)
        if "file" not in (reader.fieldnames or ()):
            raise ValueError(f"{path} must have the column file, has {', '.join(reader.fieldnames or ()) or 'none'}")
        return [row["file"] for row in reader if row["file"]]


def _doubt(one: Suspect) -> float:
    """Probability of the other class."""
    return one.probability_defocused if one.label == "sharp" else 1 - one.probability_defocused
