"""Trained weights, one folder a model, with config and card."""
