"""Tilt and curvature of the focal plane across the field, from the focal planes of single beads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np

from parfocal.beads.outliers import without_outliers

NAN = float("nan")
_UM_PER_MM = 1000.0
LEAST_BEADS_FOR_PLANE = 3
LEAST_BEADS_FOR_CURVATURE = 6
# Beads lie on a line where their extent across it is this share of that along it, or less.
_NARROWEST_EXTENT = 0.02
# The distance from the centre has to vary by itself: share of r^2 that a tilted plane cannot take up.
_LEAST_OWN_SHARE_OF_RADIUS = 0.02
# Surfaces through single beads that are tried for the outliers, of beads spread not much worse than all are.
_PICKS = 500
_LARGEST_CONDITION = 100.0
_LEAST_BEADS_PER_PARAMETER = 3
_ROUNDS = 10
# About 4 standard deviations: with nearer fences the fit removes good beads, and its errors come out too small.
_REACH = 2.5
# Share of fields in which a good bead may be ruled out.
_FALSE_OUTLIERS = 0.01


@dataclass(frozen=True)
class FieldShape:
    """Surface z = centre_z + tilt_x (x - x0) + tilt_y (y - y0) + curvature ((x - x0)^2 + (y - y0)^2).

    Attributes
    ----------
    tilt_x_um_per_mm, tilt_y_um_per_mm : float
        Rise of the focal plane along x and y at the centre, with standard errors `..._error`.
    tilt_um_per_mm, tilt_error_um_per_mm : float
        Size of the tilt, and its standard error along its own direction.
    tilt_direction_deg : float
        Direction in which z rises fastest, from +x towards +y, -180 to 180 degrees.
    curvature_um_per_mm2, curvature_error_um_per_mm2 : float
        Positive: the plane rises away from the centre. NaN where `curvature_reason` says why.
    centre_z_um, centre_z_error_um : float
        z of the surface at the centre.
    centre_xy_um : tuple of float
        The centre.
    residual_um : float
        Standard deviation of the beads about the surface.
    n_beads, n_outliers : int
        Beads that the surface was fitted to, and those left out as outliers.
    used : ndarray
        (bead,) bool, which those are.
    reason, curvature_reason : str
        Why there is no surface, or no curvature; or nothing.

    Errors are NaN where the beads are just as many as the surface has parameters.
    """

    tilt_x_um_per_mm: float = NAN
    tilt_y_um_per_mm: float = NAN
    tilt_x_error_um_per_mm: float = NAN
    tilt_y_error_um_per_mm: float = NAN
    tilt_um_per_mm: float = NAN
    tilt_error_um_per_mm: float = NAN
    tilt_direction_deg: float = NAN
    curvature_um_per_mm2: float = NAN
    curvature_error_um_per_mm2: float = NAN
    centre_z_um: float = NAN
    centre_z_error_um: float = NAN
    centre_xy_um: tuple[float, float] = (NAN, NAN)
    residual_um: float = NAN
    n_beads: int = 0
    n_outliers: int = 0
    used: np.ndarray = field(default_factory=lambda: np.empty(0, bool), repr=False)
    reason: str = ""
    curvature_reason: str = ""

    def surface_um(self, x_um: np.ndarray, y_um: np.ndarray) -> np.ndarray:
        """Z of the fitted surface at x, y in um (any shapes that fit); NaN without a surface."""
        x, y = ((np.asarray(v, float) - c) / _UM_PER_MM for v, c in zip((x_um, y_um), self.centre_xy_um))
        bend = 0.0 if np.isnan(self.curvature_um_per_mm2) else self.curvature_um_per_mm2
        return self.centre_z_um + self.tilt_x_um_per_mm * x + self.tilt_y_um_per_mm * y + bend * (x**2 + y**2)


def field_shape(
    x_um: np.ndarray,
    y_um: np.ndarray,
    z_um: np.ndarray,
    weights: Optional[np.ndarray] = None,
    centre_xy_um: Optional[tuple[float, float]] = None,
) -> FieldShape:
    """Fit tilt and curvature to the focal planes of beads.

    The surface through three or four beads with the smallest median distance of all shows which are outliers (least
    median of squares, Rousseeuw 1984, doi:10.1080/01621459.1984.10477105); the others are fitted by least squares, in
    turn with the outlier rule, until the choice rests. Then beads come back, the nearest first, that the surface
    through the others does not rule out: with few beads it rules out only gross ones.

    Parameters
    ----------
    x_um, y_um : array_like
        (bead,) positions in the field, um.
    z_um : array_like
        (bead,) focal planes, um; NaN where there is none.
    weights : array_like, optional
        (bead,) inverse variances up to a factor, not negative.
    centre_xy_um : tuple of float, optional
        Where tilt is stated and curvature is centred (the optical axis); by default the middle of the beads' extent.

    Returns
    -------
    FieldShape
        NaN with a reason where fewer than 3 beads, or beads on a line, determine no plane. Curvature needs 6 beads.

    Raises
    ------
    ValueError
        Where shapes do not fit, or a weight is negative.
    """
    x, y, z = (np.asarray(v, dtype=float) for v in (x_um, y_um, z_um))
    w = np.ones_like(z) if weights is None else np.asarray(weights, dtype=float)
    if z.ndim != 1 or not x.shape == y.shape == w.shape == z.shape:
        raise ValueError(f"x, y, z and weights must be of one length, got {x.shape}, {y.shape}, {z.shape}, {w.shape}")
    if (w < 0).any():
        raise ValueError(f"weights must be 0 or above, got {w.min():g}")
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(z) & (w > 0)
    nothing = FieldShape(n_beads=int(known.sum()), used=known)
    if known.sum() < LEAST_BEADS_FOR_PLANE:
        return replace(nothing, reason=f"{known.sum()} beads, at least {LEAST_BEADS_FOR_PLANE} are needed")
    centre = _middle(x[known], y[known]) if centre_xy_um is None else centre_xy_um
    xy_mm = (np.column_stack([x, y]) - centre) / _UM_PER_MM
    if _on_a_line(xy_mm[known]):
        return replace(nothing, reason="the beads lie on a line")
    used = known & _inliers(xy_mm, z, w, known)
    if _on_a_line(xy_mm[used]):
        return replace(nothing, reason="the beads without outliers lie on a line")
    return _fit(xy_mm, z, w, used, int(known.sum()), (float(centre[0]), float(centre[1])))


def _middle(x_um: np.ndarray, y_um: np.ndarray) -> tuple[float, float]:
    return (x_um.min() + x_um.max()) / 2, (y_um.min() + y_um.max()) / 2


def _on_a_line(xy: np.ndarray) -> bool:
    if len(xy) < LEAST_BEADS_FOR_PLANE:
        return True
    extent = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)
    return bool(extent[1] <= _NARROWEST_EXTENT * extent[0])


def _columns(xy: np.ndarray, curved: bool) -> np.ndarray:
    columns = [np.ones(len(xy)), xy[:, 0], xy[:, 1]]
    return np.column_stack(columns + ([np.sum(xy**2, axis=1)] if curved else []))


def _reason_against_curvature(xy: np.ndarray) -> str:
    if len(xy) < LEAST_BEADS_FOR_CURVATURE:
        return f"{len(xy)} beads, at least {LEAST_BEADS_FOR_CURVATURE} are needed"
    flat, radius = _columns(xy, False), np.sum(xy**2, axis=1)
    own = radius - flat @ np.linalg.lstsq(flat, radius, rcond=None)[0]
    varying = max(np.linalg.norm(radius - radius.mean()), 1e-6 * np.linalg.norm(radius))
    if np.linalg.norm(own) <= _LEAST_OWN_SHARE_OF_RADIUS * varying:
        return "the beads' distances from the centre do not vary enough"
    return ""


def _inliers(xy: np.ndarray, z: np.ndarray, w: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Beads within Tukey's fences about the surface; with fewer than 6 none can be told from the rest."""
    used = known.copy()
    if known.sum() < LEAST_BEADS_FOR_CURVATURE:
        return used
    curved = known.sum() >= _LEAST_BEADS_PER_PARAMETER * 4 and not _reason_against_curvature(xy[known])
    columns = _columns(xy, curved)
    off = z - columns @ _least_median_surface(columns[known], z[known])
    for _ in range(_ROUNDS):
        before, used = used, without_outliers(np.where(known, off, np.nan), reach=_REACH)
        if np.array_equal(before, used) or _on_a_line(xy[used]):
            break
        columns = _columns(xy, not _reason_against_curvature(xy[used]))
        off = z - columns @ _least_squares(columns[used], z[used], w[used])[0]
    return _with_readmitted(xy, z, w, known, used)


def _with_readmitted(xy: np.ndarray, z: np.ndarray, w: np.ndarray, known: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Take back, one by one, beads within the prediction interval of the surface through the others (Student's t)."""
    from scipy.special import stdtrit

    used = used.copy()
    while (out := np.flatnonzero(known & ~used)).size:
        columns = _columns(xy, not _reason_against_curvature(xy[used]))
        parameters, covariance, _ = _least_squares(columns[used], z[used], w[used])
        freedom = int(used.sum()) - columns.shape[1]
        if freedom < 1:
            return known.copy()
        variance = np.sum(w[used] * (z[used] - columns[used] @ parameters) ** 2) / freedom
        spread = np.sqrt(variance / w[out] + np.einsum("ij,jk,ik->i", columns[out], covariance, columns[out]))
        off = np.abs(z[out] - columns[out] @ parameters) / np.maximum(spread, np.finfo(float).tiny)
        if off.min() > stdtrit(freedom, 1 - _FALSE_OUTLIERS / (2 * known.sum())):
            break
        used[out[np.argmin(off)]] = True
    return used


def _least_median_surface(columns: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Parameters of the surface through as many beads as it has parameters whose median distance is smallest."""
    rng = np.random.default_rng(0)
    picks = np.argsort(rng.random((_PICKS, len(z))), axis=1)[:, : columns.shape[1]]
    corners = columns[picks]
    good = np.linalg.cond(corners) < _LARGEST_CONDITION * np.linalg.cond(columns)
    surfaces = np.linalg.solve(corners[good], z[picks[good]][..., None])[..., 0]
    return surfaces[np.argmin(np.median(np.abs(z - surfaces @ columns.T), axis=1))]


def _least_squares(columns: np.ndarray, z: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Parameters, covariance and standard deviation of the residuals (NaN without a degree of freedom)."""
    normal = np.linalg.inv(columns.T @ (w[:, None] * columns))
    parameters = normal @ (columns.T @ (w * z))
    freedom = len(z) - columns.shape[1]
    misfit = float(np.sum(w * (z - columns @ parameters) ** 2))
    variance = misfit / freedom if freedom > 0 else NAN
    return parameters, normal * variance, float(np.sqrt(variance * len(z) / w.sum()))


def _fit(
    xy: np.ndarray, z: np.ndarray, w: np.ndarray, used: np.ndarray, n_known: int, centre: tuple[float, float]
) -> FieldShape:
    curvature_reason = _reason_against_curvature(xy[used])
    columns = _columns(xy[used], not curvature_reason)
    parameters, covariance, residual = _least_squares(columns, z[used], w[used])
    errors = np.sqrt(np.diag(covariance))
    tilt = parameters[1:3]
    size = float(np.hypot(*tilt))
    along = tilt / size if size > 0 else np.array([1.0, 0.0])
    bend = (NAN, NAN) if curvature_reason else (float(parameters[3]), float(errors[3]))
    return FieldShape(
        tilt_x_um_per_mm=float(tilt[0]),
        tilt_y_um_per_mm=float(tilt[1]),
        tilt_x_error_um_per_mm=float(errors[1]),
        tilt_y_error_um_per_mm=float(errors[2]),
        tilt_um_per_mm=size,
        tilt_error_um_per_mm=float(np.sqrt(along @ covariance[1:3, 1:3] @ along)),
        tilt_direction_deg=float(np.degrees(np.arctan2(tilt[1], tilt[0]))),
        curvature_um_per_mm2=bend[0],
        curvature_error_um_per_mm2=bend[1],
        centre_z_um=float(parameters[0]),
        centre_z_error_um=float(errors[0]),
        centre_xy_um=centre,
        residual_um=residual,
        n_beads=int(used.sum()),
        n_outliers=n_known - int(used.sum()),
        used=used,
        curvature_reason=curvature_reason,
    )
