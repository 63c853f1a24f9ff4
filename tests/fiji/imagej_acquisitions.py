"""Acquisitions of the Micro-Manager of imagej_micromanager.py; runs in the process of ImageJ."""

from __future__ import annotations

import numpy as np
from imagej_micromanager import REACH_UM, STEP_UM, of, points_stack, studio
from imagej_window import wait_for
from jpype import JArray, JDouble

from parfocal.fiji_bridge.micromanager import FocusChannel, StudioMicroscope
from parfocal.fiji_bridge.micromanager.acquisition import AcquisitionImages
from parfocal.fiji_bridge.micromanager.studio_acquisition import StudioAcquisition
from parfocal.focus_control.microscope import MicroscopeError


def acquire(time_points, interval_s, slices_um, besides=""):
    """Begin an acquisition that takes single images."""
    slices = JArray(JDouble)([float(z_um) for z_um in slices_um])
    settings = of("org.micromanager.acquisition.SequenceSettings").of(time_points, 1000.0 * interval_s, slices, besides)
    studio().acquire(settings)


def end_acquisition():
    studio().acquire(None)


def acquired():
    """Time points of the acquisition so far, and how often the stage was moved while it exposed."""
    store = studio().getAcquisitionEngine().getAcquisitionDatastore()
    return {"time_points": int(store.getNextIndex("time")), "disturbances": int(studio().core().disturbances())}


def wait_for_time_points(count):
    wait_for(lambda: acquired()["time_points"] >= count, f"{count} time points")


def looks_between_images():
    """What two looks in one pause say, and a move while positions are searched through."""
    microscope = StudioMicroscope(studio(), lambda: True)
    wait_for(lambda: not microscope.engaged(), "a pause")
    counts = points_stack()[int(REACH_UM / STEP_UM + round(microscope.z_um()))]
    told = [float(np.abs(microscope.snap() - counts).max()), microscope.engaged()]
    for act in (microscope.snap, lambda: microscope.move_to_um(5.0)):
        try:
            act()
        except MicroscopeError as error:
            told.append(f"{type(error).__name__}: {error}")
    return told


def engaged():
    """Why there is nothing to look at."""
    return StudioMicroscope(studio()).engaged()


def brightest_of_channel(group, preset):
    """Brightest pixel of the newest image that counts for a focusing channel, or why there is none."""
    images = AcquisitionImages(StudioAcquisition(studio()), FocusChannel(group, preset) if group else None)
    refusal = images.refusal()
    return refusal or int(np.array(images.take(float(studio().core().getPosition("Z")))).view(np.uint16).max())


def take_at(z_um):
    """What is told where the stage stands elsewhere than the images were taken."""
    try:
        AcquisitionImages(StudioAcquisition(studio())).take(z_um)
    except MicroscopeError as error:
        return str(error)
