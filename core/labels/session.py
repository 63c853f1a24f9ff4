"""A session of labelling: which image is shown, what was answered, and back again; it knows no window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Optional

from parfocal.images.metadata import UnreadableImage
from parfocal.labels.order import Showing
from parfocal.labels.pictures import Look, Pictures
from parfocal.labels.rows import IMAGE_LABELS, PLANE, REPEAT, WITHDRAWN, LabelRow, standing_rows
from parfocal.labels.writing import LabelWriter


@dataclass(frozen=True)
class View:
    """What a front shows.

    Attributes
    ----------
    number : int
        Names this showing within the session; an answer is given to it.
    file : str
    n_planes, plane : int
        Planes of the stack (1 where it is none), and the one to show first.
    label : str
        What was answered to this showing in this session; empty where nothing was.
    position, total : int
        Place among the showings, from 1, and how many there are.
    """

    number: int
    file: str
    n_planes: int
    plane: int
    label: str
    position: int
    total: int


@dataclass
class LabelSession:
    """Images shown one after the other, and the answers of one person.

    Attributes
    ----------
    folder : Path
    showings : sequence of Showing
    writer : LabelWriter
        Table that the answers go to at once.
    pictures : Pictures
        Gives a look at each file; one that cannot be read is passed over.
    person : str
    unreadable : dict
        Reason by file.
    """

    folder: Path
    showings: Sequence[Showing]
    writer: LabelWriter
    pictures: Pictures
    person: str = ""
    unreadable: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._at = self._reached = 0
        self._answers: dict[int, LabelRow] = {}
        # Showings of this person with an answer that stands, by file.
        self._standing: dict[str, set[int]] = {}
        for row in standing_rows(self.rows):
            if row.person == self.person:
                self._standing.setdefault(row.file, set()).add(row.shown)
        self._steps: list[tuple[int, Optional[LabelRow]]] = []  # what undo goes back to

    @property
    def rows(self) -> tuple[LabelRow, ...]:
        """Every answer in the table, of other persons and sessions too."""
        return self.writer.rows

    def view(self) -> Optional[View]:
        """Give what is to be shown now; None where nothing is left. Images that cannot be read are passed over."""
        while self._at < len(self.showings):
            found = None if self._is_lost(self._at) else self._look(self.showings[self._at])
            if found is not None:
                return self._view(found)
            self._at += 1
            self._reached = max(self._reached, self._at)
        return None

    def answer(self, number: int, label: str, plane: Optional[int] = None) -> None:
        """Answer what is shown; the answer is on the disk when this returns.

        Parameters
        ----------
        number : int
            The showing that is answered, so that an answer to another one is not taken for it.
        label : str
            `sharp`, `defocused` or `unusable`; of a stack `plane` or `unusable`.
        plane : int, optional
            Index of the sharp plane.

        Raises
        ------
        ValueError
            Where another image is shown, or it cannot have this label.
        """
        view = self._shown(number)
        _check(view, label, plane)
        showing = self.showings[number]
        row = self._write(showing, label, plane if label == PLANE else None)
        self._steps.append((number, self._answers.get(number)))
        self._answers[number] = row
        self._forward()

    def skip(self, number: int) -> None:
        """Leave what is shown without an answer; it comes again in another session."""
        self._shown(number)
        self._steps.append((number, self._answers.get(number)))
        self._forward()

    def undo(self) -> bool:
        """Go back to the last image that was answered or skipped in this session, and take the answer back.

        Nothing is removed from the table: a row says that the answer is withdrawn, or repeats the one before.

        Returns
        -------
        bool
            False where there is nothing to undo.
        """
        if not self._steps:
            return False
        number, before = self._steps[-1]
        if self._answers.get(number) != before:
            label, plane = (WITHDRAWN, None) if before is None else (before.label, before.plane)
            self._write(self.showings[number], label, plane)
        self._steps.pop()
        self._answers.pop(number, None)
        if before is not None:
            self._answers[number] = before
        self._at = number
        return True

    def move(self, step: int) -> None:
        """Look back (-1) at images of this session, or forward again (1) as far as they were shown."""
        if step not in (-1, 1):
            raise ValueError(f"step must be -1 or 1, got {step!r}")
        at = self._at + step
        while 0 <= at < len(self.showings) and self._is_lost(at):
            at += step
        if 0 <= at <= self._reached:
            self._at = at

    def upcoming(self) -> Optional[Path]:
        """Image that comes next, to be prepared."""
        left = range(self._at + 1, len(self.showings))
        return next((self.path_of(number) for number in left if not self._is_lost(number)), None)

    def path_of(self, number: int) -> Path:
        """File of a showing."""
        return self.folder / self.showings[number].file

    def _look(self, showing: Showing) -> Optional[Look]:
        try:
            return self.pictures.look(self.folder / showing.file)
        except (UnreadableImage, OSError, MemoryError) as error:
            self.unreadable[showing.file] = str(error) or type(error).__name__
            return None

    def _view(self, found: Look) -> View:
        counted = [number for number in range(len(self.showings)) if not self._is_lost(number)]
        given = self._answers.get(self._at)
        marked = found.plane if given is None or given.plane is None else given.plane
        return View(
            number=self._at,
            file=self.showings[self._at].file,
            n_planes=found.n_planes,
            plane=marked,
            label=given.label if given else "",
            position=counted.index(self._at) + 1,
            total=len(counted),
        )

    def _shown(self, number: int) -> View:
        view = self.view()
        if view is None or view.number != number:
            shown = "none" if view is None else view.number
            raise ValueError(f"another image is shown by now: {shown}, the answer was to {number}")
        return view

    def _write(self, showing: Showing, label: str, plane: Optional[int]) -> LabelRow:
        now = datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds")
        row = LabelRow(
            showing.file, label, plane, self.pictures.channel, now, self.person, showing.shown, showing.occasion
        )
        self.writer.add(row)
        standing = self._standing.setdefault(row.file, set())
        if label == WITHDRAWN:
            standing.discard(row.shown)
        else:
            standing.add(row.shown)
        return row

    def _forward(self) -> None:
        self._at += 1
        self._reached = max(self._reached, self._at)

    def _is_lost(self, number: int) -> bool:
        """Whether it is not shown after all: it cannot be read, or the first showing was left without an answer."""
        showing = self.showings[number]
        if showing.file in self.unreadable:
            return True
        if showing.occasion != REPEAT or number > self._reached:
            return False
        return not any(shown < showing.shown for shown in self._standing.get(showing.file, ()))


def _check(view: View, label: str, plane: Optional[int]) -> None:
    allowed = IMAGE_LABELS if view.n_planes == 1 else (PLANE, "unusable")
    if label not in allowed:
        kind = "an image" if view.n_planes == 1 else "a stack"
        raise ValueError(f"label of {kind} must be one of {', '.join(allowed)}, got {label!r}")
    if label == PLANE and (not isinstance(plane, int) or isinstance(plane, bool) or not 0 <= plane < view.n_planes):
        raise ValueError(f"plane must be in [0, {view.n_planes - 1}], got {plane!r}")
