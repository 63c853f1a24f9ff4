"""Images: brought to planes, checked, read and written."""
