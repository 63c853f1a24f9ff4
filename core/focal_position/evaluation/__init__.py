"""`parfocal evaluate focal-position`."""

from parfocal.focal_position.evaluation.evaluate import FocalPositionEvaluation, evaluate_focal_position

__all__ = ["FocalPositionEvaluation", "evaluate_focal_position"]
