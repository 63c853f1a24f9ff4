"""The acquisition of a Micro-Manager whose Java is in this process."""

from __future__ import annotations

from typing import Any, Optional

from parfocal.fiji_bridge.optional import need

from .acquisition import AcquiredImage, AcquisitionState


class StudioAcquisition:
    """Acquisition (`parfocal.fiji_bridge.micromanager.acquisition.Acquisition`) of a Studio."""

    def __init__(self, studio: Any) -> None:
        self._studio = studio

    def takes_single_images(self) -> bool:
        """Whether one runs, and not as a sequence."""
        if bool(self._studio.core().isSequenceRunning()):
            return False
        return bool(self._studio.acquisitions().isAcquisitionRunning())

    def state(self) -> Optional[AcquisitionState]:
        """What it is like now; None where there is none, or nothing is told of it."""
        engine, store = self._engine_and_store()
        if store is None:
            return None
        settings, summary = engine.getSequenceSettings(), store.getSummaryMetadata()
        now_ms = int(need("jpype").JClass("java.lang.System").nanoTime()) / 1e6
        return AcquisitionState(
            store=store,
            # Older versions have it by its former name alone.
            time_points=int((store.getNextIndex if hasattr(store, "getNextIndex") else store.getAxisLength)("time")),
            wakes_in_s=(float(engine.getNextWakeTime()) - now_ms) / 1e3,
            longest_pause_s=_longest_pause_s(settings),
            focuses_itself=bool(settings.useAutofocus()),
            visits_positions=bool(settings.usePositionList()),
            slices_um=_slices_um(settings),
            channel_group=str(summary.getChannelGroup()),
            channels=tuple(str(name) for name in summary.getChannelNames() or ()),
        )

    def image(self, time_point: int, channel: int, z_slice: int) -> Optional[AcquiredImage]:
        """Image of a place; None where there is none, or it is not known where it was taken."""
        _, store = self._engine_and_store()
        coords = self._studio.data().coordsBuilder().t(time_point).c(channel).z(z_slice).build()
        if store is None or not store.hasImage(coords):
            return None
        image = store.getImage(coords)
        z_um = image.getMetadata().getZPositionUm()
        return None if z_um is None else AcquiredImage(float(z_um), image.getRawPixels)

    def _engine_and_store(self) -> tuple[Any, Any]:
        """What runs acquisitions, which the Studio has and its public face does not, and where images go."""
        engine = self._studio.getAcquisitionEngine() if hasattr(self._studio, "getAcquisitionEngine") else None
        return engine, None if engine is None else engine.getAcquisitionDatastore()


def _slices_um(settings: Any) -> Optional[tuple[float, ...]]:
    if not settings.useSlices():
        return None
    return tuple(float(offset) for offset in settings.slices()) if settings.relativeZSlice() else ()


def _longest_pause_s(settings: Any) -> float:
    custom = settings.customIntervalsMs() if settings.useCustomIntervals() else None
    return max(float(value) for value in [*(custom or ()), settings.intervalMs()]) / 1e3
