"""Simulated beads: what one looks like from optics, and whole stacks whose focal plane is known."""

from parfocal.beads.simulation.appearance import BeadAppearance, PixelProfiles, pixel_profiles
from parfocal.beads.simulation.bright_field import bright_field_appearance
from parfocal.beads.simulation.crops import BeadCrops, simulate_bead_crops
from parfocal.beads.simulation.fluorescence import fluorescent_appearance
from parfocal.beads.simulation.presets import A2K_LIKE, NIKON_LIKE, BrightFieldPreset
from parfocal.beads.simulation.reference import ReferenceOffsets, reference_offset_um, reference_offsets
from parfocal.beads.simulation.scene import BeadScene
from parfocal.beads.simulation.settings import Light, Sample, Stage
from parfocal.beads.simulation.stack import SimulatedBeadStack, plan_bead_scene, simulate_bead_stack

__all__ = [
    "A2K_LIKE",
    "NIKON_LIKE",
    "BeadAppearance",
    "BeadCrops",
    "BeadScene",
    "BrightFieldPreset",
    "Light",
    "PixelProfiles",
    "ReferenceOffsets",
    "Sample",
    "SimulatedBeadStack",
    "Stage",
    "bright_field_appearance",
    "fluorescent_appearance",
    "pixel_profiles",
    "plan_bead_scene",
    "reference_offset_um",
    "reference_offsets",
    "simulate_bead_crops",
    "simulate_bead_stack",
]
