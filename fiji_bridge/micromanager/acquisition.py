"""Images of the acquisition that Micro-Manager runs, and the pauses that it makes between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Protocol

from parfocal.focus_control.microscope import CameraError

from .channel import FocusChannel

RUNS = "an acquisition of Micro-Manager runs"
# An image counts as taken where the focus device stands if it was taken no farther away.
_TOLERANCE_UM = 0.1


@dataclass(frozen=True)
class AcquisitionState:
    """What an acquisition is like now.

    Attributes
    ----------
    store : object
        The same for the same acquisition.
    time_points : int
        That have been taken.
    wakes_in_s : float
        Until its engine wakes up; below 0 where it has.
    longest_pause_s : float
        That its settings have.
    focuses_itself, visits_positions : bool
    slices_um : tuple of float, optional
        Offsets of its z-stack from the present z, empty where that is not around it; None without a z-stack.
    channel_group : str
    channels : tuple of str
    """

    store: Any
    time_points: int
    wakes_in_s: float
    longest_pause_s: float
    focuses_itself: bool
    visits_positions: bool
    slices_um: Optional[tuple[float, ...]]
    channel_group: str
    channels: tuple[str, ...]


class AcquiredImage(NamedTuple):
    """Where an image was taken, as Micro-Manager counts, and what gives its pixels as Java has them."""

    z_um: float
    pixels: Callable[[], Any]


class Acquisition(Protocol):
    """Micro-Manager's acquisition, in the Java of this process or another."""

    def takes_single_images(self) -> bool:
        """Whether one runs, and not as a sequence."""

    def state(self) -> Optional[AcquisitionState]:
        """What it is like now; None where there is none, or nothing is told of it."""

    def image(self, time_point: int, channel: int, z_slice: int) -> Optional[AcquiredImage]:
        """Image of a place; None where there is none, or it is not known where it was taken."""


class AcquisitionImages:
    """What an acquisition that takes single images has to look at, and when the stage may be moved.

    Micro-Manager's engine tells until when it sleeps between two time points; before and after that it exposes. Where
    the stage stands after more than a second of sleep it goes on, with a z-stack around it. So an image counts where
    it was taken at the z at which the engine sleeps: its z-stack must hold that plane.

    Parameters
    ----------
    acquisition : Acquisition
    channel : FocusChannel, optional
        Where it names a preset, only images of that channel count.
    """

    def __init__(self, acquisition: Acquisition, channel: Optional[FocusChannel] = None) -> None:
        self._acquisition, self._channel = acquisition, channel or FocusChannel()
        # Datastore and time point of what has been looked at, or is older than a move.
        self._seen: Optional[tuple[Any, int]] = None

    def refusal(self) -> str:
        """Why its images cannot be used; empty where they can."""
        state = self._acquisition.state()
        if state is None:
            return RUNS
        if state.focuses_itself:
            return f"{RUNS} that focuses itself"
        if state.visits_positions:
            return f"{RUNS} at several positions"
        if _slice(state) is None:
            return f"{RUNS} whose z-stack is not around the present z"
        if not self._channels(state):
            return f"{RUNS} without the focusing channel"
        return ""

    def pause_s(self) -> float:
        """How long nothing will be exposed from now on; 0 while images are taken, or where it is not told."""
        state = self._acquisition.state()
        if state is None:
            return 0.0
        # What is longer than any pause was told by another clock.
        return state.wakes_in_s if 0 < state.wakes_in_s <= state.longest_pause_s else 0.0

    def has_new(self) -> bool:
        """Whether there is a time point that was not looked at."""
        return _newest(self._acquisition.state()) not in (None, self._seen)

    def pass_over(self) -> None:
        """Look at nothing that has been taken so far."""
        self._seen = _newest(self._acquisition.state())

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
        state = self._acquisition.state()
        newest = _newest(state)
        if state is None or newest is None or newest == self._seen:
            raise CameraError(f"{RUNS}, and has taken no image since the last look")
        self._seen = newest
        others = []
        for image in self._images(state):
            if abs(image.z_um - z_um) <= _TOLERANCE_UM:
                return image.pixels()
            others.append(f"{image.z_um:g}")
        told = (
            f"at {', '.join(others)} um, and none at the present {z_um:g} um" if others else "in no channel that counts"
        )
        raise CameraError(f"{RUNS}, and has taken images {told}")

    def _images(self, state: AcquisitionState) -> list[AcquiredImage]:
        z_slice = _slice(state)
        if z_slice is None:
            return []
        time_point = state.time_points - 1
        found = [self._acquisition.image(time_point, channel, z_slice) for channel in self._channels(state)]
        return [image for image in found if image is not None]

    def _channels(self, state: AcquisitionState) -> list[int]:
        """Channels that count, the last first: it was taken last."""
        names = state.channels or ("",)
        if not self._channel.group:
            return list(range(len(names)))[::-1]
        if state.channel_group != self._channel.group:
            return []
        return [index for index, name in enumerate(names) if name == self._channel.preset]


def _newest(state: Optional[AcquisitionState]) -> Optional[tuple[Any, int]]:
    return None if state is None or not state.time_points else (state.store, state.time_points - 1)


def _slice(state: AcquisitionState) -> Optional[int]:
    """Number of the plane of a z-stack that is at the z at which the engine sleeps; None where there is none."""
    if state.slices_um is None:
        return 0
    offsets_um = [abs(offset) for offset in state.slices_um]
    nearest = min(offsets_um, default=_TOLERANCE_UM + 1)
    return offsets_um.index(nearest) if nearest <= _TOLERANCE_UM else None
