"""Evaluation of sorters: cross-validation, sources that were left out, transfer, and the studies of the paper."""

from parfocal.sorting.evaluation.evaluate import evaluate_sorting

__all__ = ["evaluate_sorting"]
