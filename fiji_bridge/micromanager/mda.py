"""Focus that is kept in the acquisitions of pymmcore-plus: an engine that refocuses by the images of the sample."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from parfocal.focus_control.session import FocusSession
from parfocal.focus_control.states import LOCKED

from .optional import need

_mda = need("pymmcore_plus.mda")
_useq = need("useq")
_logger = logging.getLogger("pymmcore-plus")


@dataclass(frozen=True)
class FocusCheck:
    """What became of one refocusing.

    Attributes
    ----------
    index : dict
        Of the event: position, time point and the rest.
    found : bool
        Whether the sample is in focus.
    reason : str
        Why not.
    z_before_um, z_after_um : float
        Position of the core's focus device.
    correction_um : float
        That now applies to the z of later events of this position.
    """

    index: dict[str, int]
    found: bool
    reason: str
    z_before_um: float
    z_after_um: float
    correction_um: float


class FocusKeepingEngine(_mda.MDAEngine):  # type: ignore[name-defined, misc]
    """Engine of pymmcore-plus that refocuses by the sample's images.

    It does so at every autofocus event of the sequence (`MDASequence(autofocus_plan=...)`), and where one of `axes`
    changes. Like the engine's own autofocus it adds what the focus device moved by to the z of all later events of the
    same position, so that a z-stack stays around the focal plane. Where the focal plane is not found, z stays what it
    was, a warning is logged, and the acquisition goes on.

    Parameters
    ----------
    core : CMMCorePlus
    focus : callable or FocusSession
        Brings the sample into focus: a function without arguments that returns an `AutofocusResult`, such as
        `lambda: autofocus(microscope, estimate, "estimate")`, or a session of `hold_focus` that is not started. A
        session follows one focal plane, and so serves sequences of one position.
    axes : tuple of str
        Axes of the sequence, such as ("t", "p"): refocused at the first event and where one of them changes. Empty for
        the autofocus events of the sequence alone.
    **options
        Of `pymmcore_plus.mda.MDAEngine`.
    """

    def __init__(
        self,
        core: Any,
        focus: Callable[[], Any] | FocusSession,
        axes: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(core, **options)
        if not callable(focus) and not isinstance(focus, FocusSession):
            raise TypeError(f"focus must be a function or a session of hold_focus, got {type(focus).__name__}")
        known = [axis.value for axis in _useq.Axis]
        unknown = [axis for axis in axes if axis not in known]
        if unknown:
            raise ValueError(f"axes must be among {', '.join(known)}, got {unknown[0]!r}")
        self._focus, self._axes = focus, tuple(axes)
        self._checks: list[FocusCheck] = []

    @property
    def checks(self) -> tuple[FocusCheck, ...]:
        """What became of each refocusing of the present, or the last, sequence."""
        return tuple(self._checks)

    def setup_sequence(self, sequence: Any) -> Any:
        """Set up, and refuse a sequence of several positions where a session follows one focal plane."""
        if isinstance(self._focus, FocusSession) and _has_several_positions(sequence):
            raise ValueError(
                "a session follows the focal plane of one position, and the sequence has several: give a function that"
                " calls autofocus"
            )
        self._checks.clear()
        return super().setup_sequence(sequence)

    def event_iterator(self, events: Iterable[Any]) -> Iterator[Any]:
        """Events with those of autofocus added where an axis changes."""
        yield from super().event_iterator(self._with_focus(events))

    def exec_event(self, event: Any) -> Iterable[Any]:
        """Refocus at autofocus events; everything else is the engine's own."""
        if isinstance(event.action, _useq.HardwareAutofocus):
            self._refocus(event)
        else:
            yield from super().exec_event(event)

    def _with_focus(self, events: Iterable[Any]) -> Iterator[Any]:
        plan, has_focus = _useq.AxesBasedAF(axes=self._axes), False
        for event in events:
            added = plan.event(event)
            if isinstance(event.action, _useq.HardwareAutofocus):
                has_focus = True
            else:
                if added is not None and not has_focus:
                    yield added
                has_focus = False
            yield event

    def _refocus(self, event: Any) -> None:
        core, position = self.mmcore, event.index.get("p")
        before = core.getZPosition()
        found, reason = self._found()
        after = core.getZPosition()
        # Looks may have switched the channel behind the back of the core, which skips a preset that it set last.
        core._last_config = ("", "")
        moved = after - before if found else 0.0
        self._z_correction[position] = self._z_correction.get(position, 0.0) + moved
        index = {str(axis): number for axis, number in event.index.items()}
        check = FocusCheck(index, found, reason, before, after, self._z_correction[position])
        self._checks.append(check)
        if not found:
            _logger.warning("Not in focus at %s: %s", check.index, reason)

    def _found(self) -> tuple[bool, str]:
        try:
            if isinstance(self._focus, FocusSession):
                row = self._focus.settle()
                return row["state"] == LOCKED, row["fault"] or row["reason"]
            result = self._focus()
            return bool(result.found), str(result.reason)
        except Exception as error:  # an acquisition of days does not end with one look
            return False, f"{type(error).__name__}: {error}"


def _has_several_positions(sequence: Any) -> bool:
    parts = [sequence, *(position.sequence for position in sequence.stage_positions if position.sequence)]
    return len(sequence.stage_positions) > 1 or any(part.grid_plan is not None for part in parts)
