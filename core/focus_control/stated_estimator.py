"""An estimator whose errors are known, because it is told the truth: it tries out the control loop, not a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from parfocal import status
from parfocal.focal_position.result import Candidate, FocalPosition
from parfocal.focus_control.simulated import SimulatedMicroscope


@dataclass
class StatedEstimator:
    """Gives the true defocus of the microscope's last image with noise of a stated size.

    Parameters
    ----------
    microscope : SimulatedMicroscope
    deviation_um, scale_error : float
        Standard deviation in focus, and what each um of distance adds to it.
    range_um : tuple of float
        Beyond it the answer is `broad`.
    certainty : float
    sign_known_from_um : float, optional
        Nearer to focus than that the answer is `sign_unknown`.
    layers_um : float, optional
        Distance of a second layer of cells above the first: the answer is `two_layers`.
    answers : deque
        Answers to give first: each a `FocalPosition`, or a function of the true defocus to one.
    """

    microscope: SimulatedMicroscope
    deviation_um: float = 0.15
    scale_error: float = 0.08
    range_um: tuple[float, float] = (-20.0, 20.0)
    certainty: float = 0.95
    sign_known_from_um: float = 0.0
    layers_um: Optional[float] = None
    seed: int = 5
    answers: deque[FocalPosition | Callable[[float], FocalPosition]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def __call__(self, image_yx: np.ndarray) -> FocalPosition:
        """Answer for the last image of the microscope."""
        truth = self.microscope.last_defocus_um
        if self.answers:
            answer = self.answers.popleft()
            return answer if isinstance(answer, FocalPosition) else answer(truth)
        if not np.isfinite(image_yx).all():
            return FocalPosition(status.NOT_FINITE, "pixels are NaN or infinite")
        if not self.microscope.last_lit:
            return FocalPosition(status.NO_CONTENT, "nothing but background")
        if not self.range_um[0] <= truth <= self.range_um[1]:
            return FocalPosition(status.BROAD, "the image says too little")
        return self._estimate(truth)

    def _estimate(self, truth_um: float) -> FocalPosition:
        deviation = self.deviation_um + self.scale_error * abs(truth_um)
        seen = truth_um + deviation * float(self._rng.standard_normal())
        if self.layers_um is not None:
            both = (Candidate(seen, deviation, 0.5), Candidate(seen - self.layers_um, deviation, 0.4))
            return FocalPosition(status.TWO_LAYERS, "structures in two planes", candidates=both, certainty=0.5)
        if abs(truth_um) < self.sign_known_from_um:
            both = (Candidate(seen, deviation, 0.5), Candidate(-seen, deviation, 0.5))
            return FocalPosition(status.SIGN_UNKNOWN, "above or below", candidates=both, certainty=0.5)
        return FocalPosition(status.OK, "", (), seen, deviation, self.certainty)
