"""Parfocal's commands in Fiji and Micro-Manager. None are here yet; see CHANGELOG.md for what each version brings."""
