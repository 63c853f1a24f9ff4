"""Features of beads over z brought into order: planes sorted, repeated ones averaged, medians over the beads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parfocal.beads.outliers import robust_median

# Planes closer than this share of the usual step are one plane taken twice.
_SAME_PLANE = 0.05
# A plane counts where this share of the beads could be measured; else those left are a biased choice
# (near focus, say, the ones that are too dim to saturate).
_LEAST_SHARE_OF_BEADS = 0.5
LEAST_PLANES = 4


@dataclass(frozen=True)
class FeaturePlanes:
    """One feature over the usable planes of a stack.

    Attributes
    ----------
    z_um : ndarray
        (n,) strictly increasing.
    values_bz : ndarray
        (bead, n) values, NaN where missing.
    median, n_beads : ndarray
        (n,) median over the beads without outliers, and how many beads that are.
    stack_ends_um : tuple of float
        Lowest and highest z of the stack, whether usable or not.
    n_excluded : int
        Planes of the stack left out because too few beads could be measured there.
    """

    z_um: np.ndarray
    values_bz: np.ndarray
    median: np.ndarray
    n_beads: np.ndarray
    stack_ends_um: tuple[float, float]
    n_excluded: int

    def __len__(self) -> int:
        return len(self.z_um)


def feature_planes(z_um: np.ndarray, values_bz: np.ndarray) -> FeaturePlanes:
    """Order and average the planes of one feature, and take medians over the beads.

    Parameters
    ----------
    z_um : ndarray
        (n,) positions of the planes, um, in any order; those of one position are averaged bead by bead.
    values_bz : ndarray
        (bead, n), NaN where a bead was excluded or not measured.
    """
    z, values = merge_planes(z_um, values_bz)
    ends = (float(z[0]), float(z[-1])) if len(z) else (np.nan, np.nan)
    measured = np.isfinite(values).sum(axis=0)
    usable = (measured > 0) & (measured >= _LEAST_SHARE_OF_BEADS * measured.max(initial=0))
    median, count = robust_median(values[:, usable])
    return FeaturePlanes(z[usable], values[:, usable], median, count, ends, int(np.sum(~usable)))


def merge_planes(
    z_um: np.ndarray, values: np.ndarray, tolerance_um: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Sort planes by z and average those at one position, NaN left out.

    Parameters
    ----------
    z_um : ndarray
        (n,).
    values : ndarray
        (k, n).
    tolerance_um : float, optional
        Planes up to this far apart are merged; by default a twentieth of the median step.
    """
    order = np.argsort(z_um, kind="stable")
    z, values = z_um[order], values[:, order]
    if len(z) < 2:
        return z, values
    step = np.diff(z)
    if tolerance_um is None:
        positive = step[step > 0]
        tolerance_um = _SAME_PLANE * float(np.median(positive)) if len(positive) else 0.0
    first = np.append(0, 1 + np.flatnonzero(step > tolerance_um))
    finite = np.isfinite(values)
    count = np.add.reduceat(finite, first, axis=1, dtype=float)
    total = np.add.reduceat(np.where(finite, values, 0.0), first, axis=1)
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return np.add.reduceat(z, first) / np.diff(np.append(first, len(z))), mean


def checked_stack(z_um: np.ndarray, **features_bz: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Bring z to (n,) and features to (bead, n) floats.

    Raises
    ------
    ValueError
        Where z is not one-dimensional or not finite, or a feature has not one value per bead and plane.
    """
    z = np.asarray(z_um, dtype=float)
    if z.ndim != 1 or not np.isfinite(z).all():
        wrong = f"shape {z.shape}" if z.ndim != 1 else f"{int(np.sum(~np.isfinite(z)))} that are not finite"
        raise ValueError(f"z_um must hold one finite position for each plane, got {wrong}")
    arrays = []
    for name, values in features_bz.items():
        array = np.asarray(values, dtype=float)
        if array.ndim != 2 or array.shape[1] != len(z):
            raise ValueError(f"{name} must have the shape (beads, {len(z)} planes), got {array.shape}")
        arrays.append(np.where(np.isfinite(array), array, np.nan))
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(f"features must be of the same beads, got {[len(array) for array in arrays]} beads")
    return z, arrays
