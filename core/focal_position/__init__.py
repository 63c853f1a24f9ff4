"""Where an image lies relative to the focal plane: a distribution over signed distances, from one image."""
