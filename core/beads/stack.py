"""Stacks in memory, mapped from a file, or read plane by plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def as_stack(stack_zyx: Any) -> Any:
    """Return something with a length that gives planes (y, x) one by one, as often as it is gone through.

    A plane (y, x) is a stack of one.

    Raises
    ------
    TypeError, ValueError
        Where it is no stack, or has no plane.
    """
    stack = stack_zyx
    if not isinstance(stack, np.ndarray) and not (hasattr(stack, "__len__") and hasattr(stack, "__getitem__")):
        raise TypeError(f"stack_zyx must be an array (z, y, x) or a sequence of planes, got {type(stack).__name__}")
    if not len(stack):
        raise ValueError("stack_zyx must hold planes, got none")
    if isinstance(stack, Sequence):
        return stack
    if np.ndim(stack) not in (2, 3):
        raise ValueError(f"stack_zyx must be (z, y, x) or a plane (y, x), got shape {np.shape(stack)}")
    return stack if np.ndim(stack) == 3 else stack[None]
