"""Images of the acquisition that Micro-Manager runs, and the pauses that it makes between them."""

from __future__ import annotations

from typing import Any, Optional

from parfocal.fiji_bridge.optional import need
from parfocal.focus_control.microscope import CameraError

from .channel import FocusChannel

RUNS = "an acquisition of Micro-Manager runs"
# An image counts as taken where the focus device stands if it was taken no farther away.
_TOLERANCE_UM = 0.1


class AcquisitionImages:
    """What an acquisition that takes single images has to look at, and when the stage may be moved.

    Micro-Manager's engine tells until when it sleeps between two time points; before and after that it exposes. Where
    the stage stands after more than a second of sleep it goes on, with a z-stack around it. So an image counts where
    it was taken at the z at which the engine sleeps: its z-stack must hold that plane.

    Parameters
    ----------
    studio
        Of Micro-Manager.
    channel : FocusChannel, optional
        Where it names a preset, only images of that channel count.
    """

    def __init__(self, studio: Any, channel: Optional[FocusChannel] = None) -> None:
        self._studio, self._channel = studio, channel or FocusChannel()
        # Datastore and time point of what has been looked at, or is older than a move.
        self._seen: Optional[tuple[Any, int]] = None

    def refusal(self) -> str:
        """Why its images cannot be used; empty where they can."""
        engine = self._engine()
        store = None if engine is None else engine.getAcquisitionDatastore()
        if store is None:
            return RUNS
        settings = engine.getSequenceSettings()
        if settings.useAutofocus():
            return f"{RUNS} that focuses itself"
        if settings.usePositionList():
            return f"{RUNS} at several positions"
        if _slice(settings) is None:
            return f"{RUNS} whose z-stack is not around the present z"
        if not self._channels(store):
            return f"{RUNS} without the focusing channel"
        return ""

    def pause_s(self) -> float:
        """How long nothing will be exposed from now on; 0 while images are taken, or where it is not told."""
        engine = self._engine()
        settings = engine.getSequenceSettings()
        left_s = (
            float(engine.getNextWakeTime()) - int(need("jpype").JClass("java.lang.System").nanoTime()) / 1e6
        ) / 1e3
        # What is longer than any pause was told by another clock.
        return left_s if 0 < left_s <= _longest_pause_s(settings) else 0.0

    def has_new(self) -> bool:
        """Whether there is a time point that was not looked at."""
        return self._newest() not in (None, self._seen)

    def pass_over(self) -> None:
        """Look at nothing that has been taken so far."""
        self._seen = self._newest()

    def take(self, z_um: float) -> Any:
        """Pixels of the newest time point as Java has them; each is given once.

        Parameters
        ----------
        z_um : float
            Where the focus device stands, as Micro-Manager counts.

        Raises
        ------
        CameraError
            Where there is no new image, or it was taken at another z.
        """
        newest = self._newest()
        if newest is None or newest == self._seen:
            raise CameraError(f"{RUNS}, and has taken no image since the last look")
        self._seen = newest
        others = []
        for image in self._images(*newest):
            taken_um = float(image.getMetadata().getZPositionUm())
            if abs(taken_um - z_um) <= _TOLERANCE_UM:
                return image.getRawPixels()
            others.append(f"{taken_um:g}")
        told = (
            f"at {', '.join(others)} um, and none at the present {z_um:g} um" if others else "in no channel that counts"
        )
        raise CameraError(f"{RUNS}, and has taken images {told}")

    def _newest(self) -> Optional[tuple[Any, int]]:
        store = self._engine().getAcquisitionDatastore()
        # Older versions have it by its former name alone.
        count = int((store.getNextIndex if hasattr(store, "getNextIndex") else store.getAxisLength)("time"))
        return (store, count - 1) if count else None

    def _images(self, store: Any, time_point: int) -> list[Any]:
        z_slice, found = _slice(self._engine().getSequenceSettings()), []
        for channel in self._channels(store):
            coords = self._studio.data().coordsBuilder().t(time_point).c(channel).z(z_slice).build()
            if store.hasImage(coords):
                found.append(store.getImage(coords))
        return [image for image in found if image.getMetadata().getZPositionUm() is not None]

    def _channels(self, store: Any) -> list[int]:
        """Channels that count, the last first: it was taken last."""
        summary = store.getSummaryMetadata()
        names = [str(name) for name in summary.getChannelNames() or ()] or [""]
        if not self._channel.group:
            return list(range(len(names)))[::-1]
        if str(summary.getChannelGroup()) != self._channel.group:
            return []
        return [index for index, name in enumerate(names) if name == self._channel.preset]

    def _engine(self) -> Any:
        """What runs acquisitions; the Studio has it, and its public face does not."""
        return self._studio.getAcquisitionEngine() if hasattr(self._studio, "getAcquisitionEngine") else None


def _slice(settings: Any) -> Optional[int]:
    """Number of the plane of a z-stack that is at the z at which the engine sleeps; None where there is none."""
    if not settings.useSlices():
        return 0
    offsets_um = [abs(float(offset)) for offset in settings.slices()] if settings.relativeZSlice() else []
    nearest = min(offsets_um, default=_TOLERANCE_UM + 1)
    return offsets_um.index(nearest) if nearest <= _TOLERANCE_UM else None


def _longest_pause_s(settings: Any) -> float:
    custom = settings.customIntervalsMs() if settings.useCustomIntervals() else None
    return max(float(value) for value in [*(custom or ()), settings.intervalMs()]) / 1e3
