"""Evaluation of restoration: synthetic and real pairs, what users do next, honesty, and the studies of the paper."""

from parfocal.restoration.evaluation.evaluate import RestorationEvaluation, evaluate_restoration

__all__ = ["RestorationEvaluation", "evaluate_restoration"]
