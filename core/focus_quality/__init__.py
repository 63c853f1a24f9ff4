"""Focus quality: how many defocus levels an image is out of focus (Yang et al. 2018)."""
