"""Signed distance from the reference focal plane, read off single crops of beads by an ensemble of networks."""

from parfocal.beads.distance.crops import LabelledCrops, read_labelled_crops, write_labelled_crops
from parfocal.beads.distance.predict import predict_distances, signed_distance
from parfocal.beads.distance.result import DistanceEstimate

__all__ = [
    "DistanceEstimate",
    "LabelledCrops",
    "predict_distances",
    "read_labelled_crops",
    "signed_distance",
    "write_labelled_crops",
]
