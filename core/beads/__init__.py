"""Beads: where the reference focal plane is, and how far a single image lies from it."""
