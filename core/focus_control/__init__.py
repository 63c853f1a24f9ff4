"""Holding focus: a control loop over a microscope, and the one-shot methods that it falls back on."""
