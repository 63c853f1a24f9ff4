"""Putting Parfocal's commands into other programs, so that nothing of the user's is replaced or taken away."""
