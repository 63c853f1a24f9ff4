"""One profile from several stacks, fitted back to each: the focal plane also where a stack has few usable planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np

from parfocal.beads.alignment import Alignment, Profile, align
from parfocal.beads.curve import CurveFit, fit_curve, without_other_edge
from parfocal.beads.planes import LEAST_PLANES, FeaturePlanes, checked_stack, feature_planes
from parfocal.beads.smoothing import SmoothingSpline

NAN = float("nan")
FEATURES = ("steepest_slope", "centre_intensity")
_MOST_ROUNDS = 30
_CONVERGED_STEPS = 1e-3
_LEAST_PLANES_TO_ALIGN = 3
# Residuals above this share of a stack's own scatter over z: it has another shape, or no peak.
LARGEST_RESIDUAL = 0.5
_POINTS_PER_STEP = 4


@dataclass(frozen=True)
class AlignedStack:
    """How the pooled profile was fitted to one stack: median(z) = scale * profile(z - shift).

    Attributes
    ----------
    shift_um, scale : float
        Against the reference stack, whose shift is 0 and whose scale is 1.
    shift_error_um : float
        Standard error of the shift.
    residual : float
        Root mean square of the residuals against the standard deviation of the stack's medians over z.
    extremum_um : float
        The pooled extremum in the stack's own z, um.
    n_planes : int
        Planes that took part.
    reason : str
        Why the stack was refused, or nothing.
    """

    shift_um: float = NAN
    scale: float = NAN
    shift_error_um: float = NAN
    residual: float = NAN
    extremum_um: float = NAN
    n_planes: int = 0
    reason: str = ""


@dataclass(frozen=True)
class PooledProfile:
    """Pooled profile of one feature.

    Attributes
    ----------
    z_um, profile : ndarray
        (m,) fine grid in z of the reference stack, and the feature there.
    extremum_um : float
        In z of the reference stack.
    stacks : tuple of AlignedStack
        In the order given.
    reference : int or None
        Index of the reference stack; None where no stack has an extremum.
    converged : bool
        Whether shifts came to rest within a thousandth of a step.
    reason : str
        Why there is no profile, or nothing.
    """

    z_um: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    profile: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    extremum_um: float = NAN
    stacks: tuple[AlignedStack, ...] = ()
    reference: Optional[int] = None
    converged: bool = False
    reason: str = ""


def pool_profiles(
    stacks: Sequence[tuple[np.ndarray, np.ndarray]],
    feature: str = "centre_intensity",
    reference: Optional[int] = None,
) -> PooledProfile:
    """Align stacks by a shift in z and a factor, smooth all their medians to one profile, and fit it to each stack.

    Profile and alignments are computed in turn until they rest (Chalfoun et al. 2024, doi:10.1038/s41598-024-57123-w).

    Parameters
    ----------
    stacks : sequence of (z_um, feature_bz)
        z (n,) in um and the feature (bead, n) of each stack, NaN where excluded.
    feature : str
        `steepest_slope` (its minimum is looked for) or `centre_intensity` (its maximum).
    reference : int, optional
        Stack that the others are aligned to; by default the one whose extremum stands out most.

    Returns
    -------
    PooledProfile
        Stacks that do not fit are refused with a reason and take no part in the profile.

    Raises
    ------
    ValueError
        Where the feature or the reference is not known, or shapes do not fit.
    """
    if feature not in FEATURES:
        raise ValueError(f"feature must be one of {FEATURES}, got {feature!r}")
    if reference is not None and not 0 <= reference < len(stacks):
        raise ValueError(f"reference must be in [0, {len(stacks)}), got {reference!r}")
    is_slope = feature == FEATURES[0]
    planes = []
    for z_um, values_bz in stacks:
        z, (values,) = checked_stack(z_um, **{feature: values_bz})
        planes.append(feature_planes(z, values))
    fits = [fit_curve(p, is_slope) if len(p) >= LEAST_PLANES else None for p in planes]
    reference = _best_reference(fits) if reference is None else reference
    first = None if reference is None else fits[reference]
    if reference is None or first is None or first.reason_for_no_extremum():
        refused = tuple(AlignedStack(n_planes=len(p), reason="no profile to align to") for p in planes)
        return PooledProfile(stacks=refused, reference=reference, reason="the reference stack has no extremum")
    return _pool(planes, first, reference, is_slope)


def _best_reference(fits: Sequence[Optional[CurveFit]]) -> Optional[int]:
    """Stack of the most prominent extremum, before all others those whose extremum lies amid usable planes."""
    rank = [
        (not fit.warnings(), fit.signal_to_noise) if fit is not None and not fit.reason_for_no_extremum() else None
        for fit in fits
    ]
    known = [(value, -index) for index, value in enumerate(rank) if value is not None]
    return -max(known)[1] if known else None


def _pool(planes: Sequence[FeaturePlanes], first: CurveFit, reference: int, is_slope: bool) -> PooledProfile:
    sign = first.sign
    curves = [_usable(p, is_slope) for p in planes]
    profile = profile_of(first)
    aligned: list[AlignedStack] = []
    converged = False
    for _ in range(_MOST_ROUNDS):
        before = [stack.shift_um for stack in aligned]
        aligned = [_align_stack(profile, z, sign * median, n) for z, median, n in curves]
        aligned = _relative_to(aligned, reference)
        if not aligned[reference].reason:
            profile = _pooled_profile(profile, curves, aligned, sign)
        after = [stack.shift_um for stack in aligned]
        if before and np.allclose(before, after, rtol=0, atol=_CONVERGED_STEPS * profile.step_um, equal_nan=True):
            converged = True
            break
    fine = np.linspace(profile.low_um, profile.high_um, 10 * len(first.planes) + 1)
    aligned = [replace(stack, extremum_um=profile.extremum_um + stack.shift_um) for stack in aligned]
    return PooledProfile(fine, sign * profile(fine), profile.extremum_um, tuple(aligned), reference, converged)


def _usable(planes: FeaturePlanes, is_slope: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, median and number of beads of the planes that a profile can be compared with."""
    median = without_other_edge(planes).median if is_slope else planes.median
    keep = median != 0 if is_slope else np.isfinite(median)
    return planes.z_um[keep], median[keep], planes.n_beads[keep]


def profile_of(fit: CurveFit) -> Profile:
    """Profile (of sign * feature) of one stack's curve."""
    z = fit.planes.z_um
    return Profile(fit.spline.curve(fit.smoothed), z[0], z[-1], float(np.median(np.diff(z))), fit.extremum_um)


def _align_stack(profile: Profile, z: np.ndarray, values: np.ndarray, n_beads: np.ndarray) -> AlignedStack:
    if len(z) < _LEAST_PLANES_TO_ALIGN:
        reason = f"{len(z)} planes are usable, at least {_LEAST_PLANES_TO_ALIGN} are needed"
        return AlignedStack(n_planes=len(z), reason=reason)
    fitted = align(profile, z, values[None], n_beads.astype(float))
    shift, scale, error, residual = (
        float(v[0]) for v in (fitted.shift_um, fitted.scale, fitted.shift_error_um, fitted.residual)
    )
    stack = AlignedStack(shift, scale, error, residual, NAN, len(z))
    reason = reason_for_refusal(fitted)[0]
    return replace(AlignedStack(residual=residual, n_planes=len(z)), reason=reason) if reason else stack


def reason_for_refusal(fitted: Alignment) -> list[str]:
    """Say for each curve why the profile does not fit it, or nothing where it does."""
    reasons = []
    for scale, residual in zip(fitted.scale, fitted.residual):
        if not np.isfinite(scale):
            reasons.append("the profile does not fit at any shift")
        elif not residual <= LARGEST_RESIDUAL:
            reasons.append(
                f"the profile does not fit: residual {residual:.2f}, at most {LARGEST_RESIDUAL:g} is allowed"
            )
        else:
            reasons.append("")
    return reasons


def _relative_to(aligned: list[AlignedStack], reference: int) -> list[AlignedStack]:
    own = aligned[reference]
    if own.reason:
        return aligned
    return [replace(stack, shift_um=stack.shift_um - own.shift_um, scale=stack.scale / own.scale) for stack in aligned]


def _pooled_profile(
    profile: Profile,
    curves: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    aligned: Sequence[AlignedStack],
    sign: int,
) -> Profile:
    """Smoothing spline through all aligned medians, weighted by beads and scale, several points to a step."""
    parts = [
        (z - stack.shift_um, sign * median / stack.scale, n_beads * stack.scale**2)
        for (z, median, n_beads), stack in zip(curves, aligned)
        if not stack.reason
    ]
    z, values, weights = (np.concatenate(columns) for columns in zip(*parts))
    inside = (z >= profile.low_um - profile.step_um) & (z <= profile.high_um + profile.step_um)
    bins = np.floor(z[inside] / profile.step_um * _POINTS_PER_STEP)
    _, which = np.unique(bins, return_inverse=True)
    total = np.bincount(which, weights[inside])
    if len(total) < LEAST_PLANES:
        return profile
    z, values = (np.bincount(which, weights[inside] * v[inside]) / total for v in (z, values))
    spline = SmoothingSpline(z, total)
    smoothed = spline.smoother(spline.choose_strength(values)) @ values
    extremum = float(spline.maximum(smoothed[None])[0][0])
    return Profile(spline.curve(smoothed), float(z[0]), float(z[-1]), profile.step_um, extremum)
