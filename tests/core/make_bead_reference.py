"""Writes tests/data/core/bead_distance_reference.npz: simulated crops, and what the shipped distance models say.

Run `python tests/core/make_bead_reference.py` whenever a shipped model was replaced. The tests compare every
environment with this file, and so the environments with each other.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from parfocal.beads.distance import predict_distances
from parfocal.beads.distance.scenes import made_fields
from parfocal.beads.distance.simulated import OPTICS
from parfocal.registry import model_folder, read_config

REFERENCE = Path(__file__).parents[1] / "data" / "core" / "bead_distance_reference.npz"
MODELS = tuple(OPTICS)


def shipped_sha256(name: str) -> str:
    """Digest of the shipped weights, to tell a reference that is out of date."""
    return str(read_config(model_folder(name, "bead_distance"))["sha256"])


def main() -> None:
    """Write the file: for each model three fields of four beads."""
    held = {}
    for name in MODELS:
        fields = made_fields(OPTICS[name], OPTICS[name].range_um, 3, 4, seed=5)
        held[f"{name}_crops"], held[f"{name}_truth"] = fields.crops_nyx, fields.distance_um
        held[f"{name}_told"] = predict_distances(fields.crops_nyx, name)
        held[f"{name}_sha256"] = np.array(shipped_sha256(name))
    np.savez_compressed(REFERENCE, **held)
    print(f"wrote {REFERENCE}")


if __name__ == "__main__":
    main()
