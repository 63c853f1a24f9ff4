"""Simulated z-stacks through an asymmetric point spread function, with their truth."""

from parfocal.focal_position.simulation.psf import PsfStack, psf_stack
from parfocal.focal_position.simulation.sample import KINDS, Sample, draw_sample
from parfocal.focal_position.simulation.stack import SimulatedStack, Truth, simulate_stack

__all__ = ["KINDS", "PsfStack", "Sample", "SimulatedStack", "Truth", "draw_sample", "psf_stack", "simulate_stack"]
