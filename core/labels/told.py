"""What windows for labelling say, the same in every front that shows one."""

from __future__ import annotations

from collections.abc import Sequence

from parfocal.labels.agreement import summary_lines
from parfocal.labels.desk import LabelDesk, Seen
from parfocal.labels.session import LabelSession

_ANSWERS = {False: "S sharp   D defocused   U unusable", True: "up, down planes   Enter sharp plane   U unusable"}
_OTHERS = "space skip   Z undo   left, right look back   1 pixel for pixel   + - brighter, darker   Esc ends"


def left_out_lines(session: LabelSession) -> list[str]:
    """Files that cannot be shown, with the reason."""
    return [f"{file}: {reason}" for file, reason in session.unreadable.items()]


def window_texts(seen: Seen, left_out: Sequence[str]) -> tuple[str, str, str, str]:
    """Lines below an image: which it is, what there is to say, keys that answer, and other keys."""
    view = seen.view
    note = seen.note
    if left_out and not note:
        files = "file was" if len(left_out) == 1 else "files were"
        note = f"{len(left_out)} {files} left out, the last {left_out[-1]}"
    if view is None:
        return "", note, "", "Z undo   Esc ends"
    place = [f"{view.position} of {view.total}", view.file]
    if view.n_planes > 1:
        place.append(f"plane {seen.plane + 1} of {view.n_planes}")
    return "   ".join(place), note, _ANSWERS[view.n_planes > 1], _OTHERS


def closing_lines(desk: LabelDesk) -> list[str]:
    """What came out of a session: how many images have which label, how well answers agree, what was left out."""
    session = desk.session
    lines = [] if desk.seen.view else ["Every image that can be read has an answer or was shown."]
    lines += [f"left out: {line}" for line in left_out_lines(session)]
    lines += summary_lines(session.rows)
    return [*lines, f"labels in {session.writer.path}" if session.rows else "nothing was written"]
