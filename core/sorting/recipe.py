"""Which networks a config trains, with which settings and shares in the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from parfocal.registry import FORMAT_VERSION, read_config
from parfocal.sorting.members import ENSEMBLE, ensemble_digest
from parfocal.sorting.network import ARCHITECTURES
from parfocal.sorting.settings import TASK, SorterTraining, training_settings

CONFIGS = (*ARCHITECTURES, ENSEMBLE)
# Name, network, passes where they are not those of its config, by how much the seed is another, and share. Squares of
# 98 pixels at full resolution and the whole field at a quarter of it err on different images.
_MEMBERS: tuple[tuple[str, str, dict[str, Any], int, float], ...] = (
    ("squares", "default", {}, 0, 2.0),
    ("squares_2", "default", {}, 1, 2.0),
    ("whole", "xue2021", {"epochs": 10.0}, 0, 1.0),
)
Recipe = dict[str, tuple[SorterTraining, float]]


def recipe_of(config: str, **changes: Any) -> Recipe:
    """Settings and share of each network by name; a single one has no name.

    Raises
    ------
    ValueError
        Where a name or a number is out of range; the message states what would be right, and the value.
    """
    if config != ENSEMBLE:
        return {"": (training_settings(config, **changes), 1.0)}
    given = {name: value for name, value in changes.items() if value is not None}
    recipe: Recipe = {}
    for name, network, own, further, share in _MEMBERS:
        settings = training_settings(network, **{**own, **given})
        recipe[name] = (replace(settings, seed=settings.seed + further), share)
    return recipe


def write_ensemble(output: Path, shares: Mapping[str, float], counts: Mapping[str, Sequence[int]]) -> Path:
    """Write `config.json` and a card over the model folders of the networks, which lie in `output` by their names.

    Parameters
    ----------
    output : Path
    shares : mapping
        Share of each network, by its name.
    counts : mapping
        Sharp and defocused examples of each source.
    """
    parts = [read_config(output / name) for name in shares]
    config = {
        "task": TASK,
        "format_version": FORMAT_VERSION,
        "architecture": ENSEMBLE,
        "members": dict(shares),
        "sha256": ensemble_digest([part["sha256"] for part in parts]),
        "parameters": sum(part["parameters"] for part in parts),
        **{name: parts[0][name] for name in ("modalities", "threshold")},
    }
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    rows = "\n".join(f"| {source} | {sharp} | {defocused} |" for source, (sharp, defocused) in counts.items())
    named = "\n".join(f"- `{name}`: share {share:g}, see [its card]({name}/card.md)" for name, share in shares.items())
    (output / "card.md").write_text(
        f"""# Sorting model of several networks

Gives an image the probability that it is defocused: the mean of the networks' logits, weighted by their shares.
{config["parameters"]:,} parameters.

{named}

## Training images

| source | sharp | defocused |
|---|---|---|
{rows}
"""
    )
    return output
