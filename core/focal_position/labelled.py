"""Planes with their distance from focus: what the networks are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LabelledPlanes:
    """Planes at the scale that the network sees, with what is to be learnt of each.

    Attributes
    ----------
    planes : sequence of ndarray
        (y, x), of any sizes.
    targets : ndarray
        Distribution over the bins (n, bins), sum 1.
    defocus : ndarray
        Distance of the first layer (n,), in the unit of the bins; NaN for an empty field.
    stack_index : ndarray
        Which stack a plane comes from (n,).
    clean : bool
        Noise-free light, background 0 and bright structures 1 in focus, that is exposed anew each time; otherwise
        counts as a camera gave them.
    """

    planes: Sequence[np.ndarray]
    targets: np.ndarray
    defocus: np.ndarray
    stack_index: np.ndarray
    clean: bool

    def __len__(self) -> int:
        return len(self.planes)

    def of_stacks(self, stacks: Sequence[int]) -> LabelledPlanes:
        """Planes of some stacks."""
        kept = [i for i, stack in enumerate(self.stack_index) if stack in set(stacks)]
        return LabelledPlanes(
            [self.planes[i] for i in kept],
            self.targets[kept],
            self.defocus[kept],
            self.stack_index[kept],
            self.clean,
        )


def split_by_stack(labelled: LabelledPlanes, share: float, seed: int) -> tuple[LabelledPlanes, LabelledPlanes]:
    """Keep whole stacks back: those to train on, and a share of at least one for validation.

    A single stack is on both sides, and so are all with a share of 0: the validation then says nothing of other fields.
    """
    stacks = np.unique(labelled.stack_index)
    if len(stacks) == 1 or share <= 0:
        return labelled, labelled
    count = min(len(stacks) - 1, max(1, round(share * len(stacks))))
    order = np.random.default_rng([seed, 92]).permutation(stacks)
    return labelled.of_stacks(order[count:].tolist()), labelled.of_stacks(order[:count].tolist())
