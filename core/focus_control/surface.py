"""A focus surface: where the focal plane lies between positions at which it was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

KINDS = ("auto", "plane", "quadratic", "thin_plate")
_FEWEST = {"plane": 3, "quadratic": 6, "thin_plate": 4}
_LEAST_DEVIATION_UM = 0.05
# Residuals beyond this many robust standard deviations count less and less (Huber).
_HUBER = 1.345


@dataclass(frozen=True)
class SurfaceFocus:
    """Where the surface lies at one position.

    Attributes
    ----------
    z_um, deviation_um : float
        Position of the focal plane and its standard deviation.
    extrapolated : bool
        Whether the position lies outside those that were measured: then the deviation says too little.
    """

    z_um: float
    deviation_um: float
    extrapolated: bool


class FocusSurface:
    """Surface through measured focal planes.

    Parameters
    ----------
    points_xyz_um : array_like
        (n, 3): stage x and y, and the position of the focal plane; at least 3 that do not lie on a line.
    deviation_um : array_like, optional
        Standard deviation of each z; all alike by default.
    kind : str
        `plane`, `quadratic` (6 positions or more), `thin_plate` (4 or more), or `auto`: a plane below 9 positions, a
        quadratic surface from there on. Plane and quadratic count outliers less; a thin plate goes through all,
        smoothed by their deviations.

    Raises
    ------
    ValueError
        Where there are too few positions, they lie on a line, or a value is not finite.
    """

    def __init__(self, points_xyz_um: Any, deviation_um: Optional[Any] = None, kind: str = "auto") -> None:
        points = np.asarray(points_xyz_um, float)
        if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
            raise ValueError(f"points_xyz_um must be (n, 3) of finite numbers, got shape {points.shape}")
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        self.kind = ("plane" if len(points) < 9 else "quadratic") if kind == "auto" else kind
        if len(points) < _FEWEST[self.kind]:
            raise ValueError(f"a {self.kind} surface needs at least {_FEWEST[self.kind]} positions, got {len(points)}")
        self.points_xyz_um = points
        self._middle = points[:, :2].mean(axis=0)
        self._scale = float(np.abs(points[:, :2] - self._middle).max()) or 1.0
        if np.linalg.matrix_rank(self._unit(points[:, :2]), tol=1e-6) < 2:
            raise ValueError("the positions lie on a line: a surface needs three that do not")
        given = np.full(len(points), _LEAST_DEVIATION_UM) if deviation_um is None else np.asarray(deviation_um, float)
        if given.shape != (len(points),) or not (np.isfinite(given) & (given >= 0)).all():
            raise ValueError(f"deviation_um must be {len(points)} numbers of at least 0, got {deviation_um!r}")
        self._deviation = np.maximum(given, _LEAST_DEVIATION_UM)
        self._fit()

    def predict(self, x_um: float, y_um: float) -> SurfaceFocus:
        """Where the focal plane lies at a position of the stage."""
        at = np.array([[x_um, y_um]], float)
        z_um = float(self._value(at)[0])
        return SurfaceFocus(z_um, self._spread(at), self._is_outside(at[0]))

    def _fit(self) -> None:
        from scipy.spatial import Delaunay

        self._hull = Delaunay(self._unit(self.points_xyz_um[:, :2]))
        if self.kind == "thin_plate":
            left_out = [self._thin_plate(np.arange(len(self.points_xyz_um)) != k) for k in range(len(self._deviation))]
            ends = [float(plate(self._unit(p[None, :2]))[0]) - p[2] for plate, p in zip(left_out, self.points_xyz_um)]
            self._residual_um = float(np.sqrt(np.mean(np.square(ends))))
            self._plate = self._thin_plate(np.ones(len(self._deviation), bool))
            return
        design = self._design(self.points_xyz_um[:, :2])
        self._coefficients, self._covariance = _robust(design, self.points_xyz_um[:, 2], self._deviation)

    def _thin_plate(self, used: np.ndarray) -> Any:
        from scipy.interpolate import RBFInterpolator

        points = self.points_xyz_um[used]
        return RBFInterpolator(
            self._unit(points[:, :2]), points[:, 2], kernel="thin_plate_spline", smoothing=self._deviation[used] ** 2
        )

    def _value(self, at_xy: np.ndarray) -> np.ndarray:
        if self.kind == "thin_plate":
            return np.asarray(self._plate(self._unit(at_xy)))
        return self._design(at_xy) @ self._coefficients

    def _spread(self, at_xy: np.ndarray) -> float:
        """Of a thin plate what positions miss that were left out, between positions; of the others their covariance."""
        if self.kind == "thin_plate":
            return max(self._residual_um, float(self._deviation.min()))
        row = self._design(at_xy)[0]
        return float(np.sqrt(row @ self._covariance @ row))

    def _design(self, at_xy: np.ndarray) -> np.ndarray:
        x, y = self._unit(at_xy).T
        columns: Sequence[np.ndarray] = (np.ones_like(x), x, y)
        return np.stack(columns if self.kind == "plane" else (*columns, x * x, x * y, y * y), axis=1)

    def _unit(self, at_xy: np.ndarray) -> np.ndarray:
        return (at_xy - self._middle) / self._scale

    def _is_outside(self, at_xy: np.ndarray) -> bool:
        return bool(self._hull.find_simplex(self._unit(at_xy), tol=1e-6) < 0)


def _robust(design: np.ndarray, z_um: np.ndarray, deviation_um: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with Huber's weights, by reweighting; coefficients and their covariance."""
    weights = 1.0 / deviation_um
    shrink = np.ones(len(z_um))
    for _ in range(30):
        used = weights * np.sqrt(shrink)
        coefficients = np.linalg.lstsq(design * used[:, None], z_um * used, rcond=None)[0]
        residual = (z_um - design @ coefficients) * weights
        spread = max(1.0, 1.4826 * float(np.median(np.abs(residual))))
        shrink = np.minimum(1.0, _HUBER * spread / np.maximum(np.abs(residual), 1e-12))
    freedom = len(z_um) - design.shape[1]
    # What the points miss beyond their own deviation belongs to the surface, not to them.
    excess = max(1.0, float(np.sum(shrink * residual**2)) / freedom) if freedom > 0 else 1.0
    used = weights * np.sqrt(shrink)
    covariance = excess * np.linalg.pinv((design * used[:, None]).T @ (design * used[:, None]))
    return coefficients, covariance
