"""Known features: whether an image looks like anything that the network was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

KNOWN = "known.npz"
# A limit is this quantile over planes that took no part in training, widened by this factor.
_QUANTILE, _ROOM = 0.99, 1.3
# Where no stack was kept back, other crops of the same ones set the limit: those of another field lie farther away.
_ROOM_SAME_FIELD = 3.0
_MOST_KNOWN = 3000


@dataclass(frozen=True, eq=False)
class KnownFeatures:
    """Features of training planes.

    Attributes
    ----------
    features : ndarray
        (n, features), divided by `scale`.
    scale : ndarray
        Deviation of each feature (features,).
    limit : float
        Largest distance from the nearest known ones that is believed.
    """

    features: np.ndarray
    scale: np.ndarray
    limit: float

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Root mean square difference (n,) from the nearest known features, in deviations."""
        seen = features / self.scale
        known = self.features.astype(np.float32)
        nearest = [np.min(np.mean((known - row.astype(np.float32)) ** 2, axis=1)) for row in seen]
        return np.sqrt(np.array(nearest))

    def write(self, path: Path) -> None:
        """Write as .npz, features in half precision."""
        np.savez_compressed(
            path, features=self.features.astype(np.float16), scale=self.scale, limit=np.float64(self.limit)
        )


@lru_cache(maxsize=16)
def read_known(path: Path) -> KnownFeatures:
    """Read what `KnownFeatures.write` wrote."""
    with np.load(path, allow_pickle=False) as held:
        return KnownFeatures(held["features"], held["scale"], float(held["limit"]))


def known_features(
    training: np.ndarray, held_back: np.ndarray, seed: int = 0, same_fields: bool = False
) -> KnownFeatures:
    """Keep features of training planes (n, features), and set the limit by those of planes that were kept back.

    `same_fields` says that these are further crops of the training planes.
    """
    scale = np.maximum(training.std(axis=0), 1e-3 * max(float(training.std()), 1e-6))
    chosen = np.random.default_rng([seed, 95]).permutation(len(training))[:_MOST_KNOWN]
    known = KnownFeatures((training[chosen] / scale).astype(np.float16), scale, 0.0)
    room = _ROOM_SAME_FIELD if same_fields else _ROOM
    return KnownFeatures(known.features, scale, room * float(np.quantile(known.distance(held_back), _QUANTILE)))
