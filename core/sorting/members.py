"""Sorting models: one network, or several that look at an image in different ways and are averaged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.registry import Model, ModelError, checked_config, load_model, model_folder
from parfocal.restoration.intensity import Intensity
from parfocal.sorting.inputs import default_input, default_tiles, paper_inputs
from parfocal.sorting.settings import TASK

# Architecture of a model folder whose networks lie in folders below it.
ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class Sorter:
    """A sorting model that is loaded.

    Attributes
    ----------
    config : dict
        Content of `config.json`.
    members : tuple of (Model, float)
        Its networks and their shares in the answer, which add up to 1.
    """

    config: Mapping[str, Any]
    members: tuple[tuple[Model, float], ...]

    def probability(self, plane_yx: np.ndarray) -> float:
        """Probability of defocus of a plane (y, x) at the model's scale, 0 to 1."""
        if len(self.members) == 1:
            return _probability(self.members[0][0], plane_yx)
        told = [(_probability(network, plane_yx), share) for network, share in self.members]
        return averaged(*zip(*told))


def load_sorter(model: str | os.PathLike[str]) -> Sorter:
    """Load a sorting model by name or folder; its networks are loaded once a process.

    Raises
    ------
    parfocal.registry.ModelError
        Where it cannot be used; the message says which file is at fault and what to do.
    """
    return _load(model_folder(model, TASK).resolve())


def first_member(model: str | os.PathLike[str]) -> Path:
    """Folder of the network that training can go on from: the model's own, of several the first."""
    folder, config = checked_config(model, TASK)
    return folder / next(iter(_shares(folder, config))) if config.get("architecture") == ENSEMBLE else folder


@lru_cache(maxsize=4)
def _load(folder: Path) -> Sorter:
    _, config = checked_config(folder, TASK)
    if config.get("architecture") != ENSEMBLE:
        return Sorter(config, ((load_model(folder, TASK), 1.0),))
    shares = _shares(folder, config)
    loaded = tuple((load_model(folder / name, TASK), share) for name, share in shares.items())
    found = ensemble_digest([network.config["sha256"] for network, _ in loaded])
    if found != config.get("sha256"):
        raise ModelError(f"{folder} is damaged: its networks are not those that config.json was written for")
    return Sorter(config, loaded)


def averaged(probabilities: Sequence[Any], shares: Sequence[float]) -> Any:
    """Probability of the mean of logits, weighted by shares; numbers or arrays of probabilities."""
    clipped = np.clip(np.asarray(probabilities, np.float64), 1e-12, 1 - 1e-12)
    logit = np.tensordot(np.asarray(shares) / np.sum(shares), np.log(clipped / (1 - clipped)), axes=1)
    return float(_sigmoid(logit)) if np.ndim(logit) == 0 else _sigmoid(logit)


def ensemble_digest(digests: Sequence[str]) -> str:
    """SHA-256 of an ensemble, from those of its networks in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def pooled(places: np.ndarray) -> float:
    """Logit of defocus from evidence and logarithm of its weight at all places of an image, (n, 2)."""
    evidence, log_weight = places.astype(np.float64).T
    weight = np.exp(log_weight - log_weight.max())
    return float((evidence * weight).sum() / weight.sum())


def _probability(network: Model, plane_yx: np.ndarray) -> float:
    """Probability of defocus by one network."""
    if network.config["architecture"] == "default":
        tiles = [
            network.predict(tile[None, ..., None])[0].reshape(-1, 2) for tile in default_tiles(default_input(plane_yx))
        ]
        return float(_sigmoid(pooled(np.concatenate(tiles))))
    # On the scale of the examples: the standardisation keeps deviations above a fixed value.
    seen = Intensity.of(plane_yx).apply(plane_yx)
    logits = network.predict(paper_inputs(seen), batch_size=8)
    return float(np.mean([_sigmoid(float(after - before)) for before, after in logits]))


def _shares(folder: Path, config: Mapping[str, Any]) -> dict[str, float]:
    members = config.get("members")
    usable = isinstance(members, dict) and all(
        Path(name).name == name and isinstance(share, (int, float)) and share > 0 for name, share in members.items()
    )
    if not members or not usable:
        raise ModelError(f"{folder / 'config.json'} is damaged: members must name folders in it with their shares")
    total = sum(members.values())
    return {name: share / total for name, share in members.items()}


def _sigmoid(logit: Any) -> Any:
    return 1 / (1 + np.exp(-np.clip(logit, -60, 60)))
