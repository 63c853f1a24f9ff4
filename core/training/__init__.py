"""Images to train from: found, checked and split."""
