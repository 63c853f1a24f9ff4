"""Evaluation of focus quality models and classical metrics on the same images."""

from parfocal.focus_quality.evaluation.evaluate import evaluate_focus_quality
from parfocal.focus_quality.evaluation.output import FocusQualityEvaluation

__all__ = ["FocusQualityEvaluation", "evaluate_focus_quality"]
