"""Bins of signed distance: the classes that the networks tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Bins:
    """Equal bins about 0, in a unit that the model states: depths of field or um.

    Parameters
    ----------
    half_range : float
        Middle of the last bin, in units; the first lies as far on the other side.
    width : float
        In units; `half_range` must be a whole number of widths, so that one bin has its middle at 0.

    Raises
    ------
    ValueError
        Where the range is no whole number of widths, or a number is not positive.
    """

    half_range: float
    width: float

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.half_range > 0):
            raise ValueError(f"bins need a positive range and width, got {self.half_range:g} and {self.width:g}")
        if abs(self.half_range / self.width - round(self.half_range / self.width)) > 1e-6:
            raise ValueError(
                f"half_range must be a whole number of bin widths, got {self.half_range:g} and {self.width:g}"
            )

    @property
    def count(self) -> int:
        """Number of bins, odd."""
        return 2 * round(self.half_range / self.width) + 1

    @property
    def positions(self) -> np.ndarray:
        """Middles (n,), ascending, in units."""
        return (np.arange(self.count) - self.count // 2) * self.width

    def targets(self, defocus: np.ndarray, deviation: float = 0.0) -> np.ndarray:
        """Distributions (n, bins) to be learnt for distances (n,).

        Each is shared between the two nearest bins; with a `deviation` wider than half a bin it is a normal
        distribution of that deviation. Distances beyond the last bins belong to these.
        """
        if deviation > self.width / 2:
            return self._normal(defocus, deviation)
        place = np.clip(np.asarray(defocus, float) / self.width + self.count // 2, 0, self.count - 1)
        below = np.minimum(place.astype(int), self.count - 2)
        share = place - below
        made = np.zeros((len(place), self.count), np.float32)
        rows = np.arange(len(place))
        made[rows, below] = 1 - share
        made[rows, below + 1] += share
        return made

    def _normal(self, defocus: np.ndarray, deviation: float) -> np.ndarray:
        middle = np.clip(np.asarray(defocus, float), -self.half_range, self.half_range)[:, None]
        made = np.exp(-0.5 * ((self.positions - middle) / deviation) ** 2)
        return np.asarray(made / made.sum(axis=1, keepdims=True), np.float32)

    def as_dict(self) -> dict[str, float]:
        """For `config.json`."""
        return {"half_range": self.half_range, "width": self.width}

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> Bins:
        """Read what `as_dict` gave."""
        return cls(float(held["half_range"]), float(held["width"]))
