"""Evaluation of bead focal planes and of the distance network."""
