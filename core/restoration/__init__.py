"""Restoration of defocused images: networks, their training and use, and classical baselines."""
