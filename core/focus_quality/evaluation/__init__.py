"""Evaluation of focus quality models and classical metrics on the same images."""

from parfocal.focus_quality.evaluation.evaluate import FocusQualityEvaluation, evaluate_focus_quality

__all__ = ["FocusQualityEvaluation", "evaluate_focus_quality"]
