"""Sorting of sharp from defocused images: networks, their training, cross-validation, and use."""
