"""Evaluation of holding focus: a day in simulated time."""

from parfocal.focus_control.evaluation.evaluate import HoldFocusEvaluation, evaluate_hold_focus

__all__ = ["HoldFocusEvaluation", "evaluate_hold_focus"]
