"""Evaluation of bead focal planes and of the distance network."""

from parfocal.beads.evaluation.evaluate import BeadEvaluation, evaluate_bead_focal_plane

__all__ = ["BeadEvaluation", "evaluate_bead_focal_plane"]
