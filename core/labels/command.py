"""The command `label_images`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.images.reading import find_images
from parfocal.labels.order import Showing, plan_second_looks, plan_showings
from parfocal.labels.pictures import Pictures
from parfocal.labels.rows import LabelRow
from parfocal.labels.session import LabelSession
from parfocal.labels.suspects import read_suspected_files
from parfocal.labels.table import TABLE
from parfocal.labels.writing import LabelWriter


@command
def label_images(
    folder: Annotated[str, Param(label="Folder of images", path="folder")],
    labels: Annotated[Optional[str], Param(label="Table of labels", path="file")] = None,
    person: Annotated[str, Param(label="Person")] = "",
    channel: Annotated[int, Param("", 0, None, label="Channel")] = 0,
    seed: Annotated[int, Param("", 0, None, label="Seed of the order")] = 0,
    repeat_share: Annotated[float, Param("", 0.0, 1.0, label="Share shown twice")] = 0.1,
    suspects: Annotated[Optional[str], Param(label="Table of suspected mislabels", path="file")] = None,
) -> LabelSession:
    """Tag images as sharp, defocused or unusable, or mark the sharp plane of stacks.

    Parameters
    ----------
    folder : path
        Searched to the bottom for images of all kinds that can be read.
    labels : path
        CSV file that answers are added to; by default labels.csv in the folder.
    person : str
        Name of who labels; each person is shown all images.
    channel : int
        Channel to show of files with several, from 0; of several series and times the first.
    seed : int
        Of the order in which images are shown.
    repeat_share : float
        Share of the images that are shown a second time later on.
    suspects : path
        CSV file with a column file: only these images are shown, once more.

    Returns
    -------
    LabelSession
        Close its `pictures` at the end.

    Raises
    ------
    FileNotFoundError
        Where there is no such folder or table of suspects, or the folder holds no image.
    ValueError
        Where an argument is out of range, or the table is damaged or of another channel.
    """
    check_arguments(label_images, {"channel": channel, "seed": seed, "repeat_share": repeat_share})
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(f"no such folder: {root}")
    writer = LabelWriter(root / TABLE if labels is None else Path(labels))
    _check_channel(writer.rows, channel, writer.path)
    files, unreadable = _names(root)
    if suspects is None:
        showings = plan_showings(files, writer.rows, person.strip(), seed, repeat_share)
    else:
        showings, lost = _second_looks(root, files, writer, person.strip(), seed, Path(suspects))
        unreadable.update(lost)
    return LabelSession(root, showings, writer, Pictures(channel), person.strip(), unreadable)


def _names(root: Path) -> tuple[list[str], dict[str, str]]:
    """Names of the images, and those that the table cannot hold, with the reason."""
    names = [path.relative_to(root).as_posix() for path in find_images([root])]
    usable = [name for name in names if _is_text(name)]
    reason = "its name is not text in UTF-8: rename it"
    return usable, {ascii(name): reason for name in names if not _is_text(name)}


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _second_looks(
    root: Path, files: Iterable[str], writer: LabelWriter, person: str, seed: int, suspects: Path
) -> tuple[list[Showing], dict[str, str]]:
    """Plan second looks; also gives the suspects that are not in the folder, with the reason."""
    named = {path: _relative(path, root) for path in read_suspected_files(suspects)}
    known = set(files)
    lost = {given: f"{suspects.name} names it, but it is not in {root}" for given in named if named[given] not in known}
    # Answers have whole seconds.
    since = datetime.fromtimestamp(int(suspects.stat().st_mtime), timezone.utc).isoformat()
    return plan_second_looks(known & set(named.values()), writer.rows, person, seed, since), lost


def _relative(given: str, root: Path) -> str:
    """Name below the folder of a file that is given so, or by its path."""
    path = Path(given)
    inside = path.is_absolute() and root.resolve() in path.resolve().parents
    return path.resolve().relative_to(root.resolve()).as_posix() if inside else path.as_posix()


def _check_channel(rows: Iterable[LabelRow], channel: int, table: Path) -> None:
    others = sorted({row.channel for row in rows} - {channel})
    if others:
        raise ValueError(
            f"{table} holds labels of channel {others[0]}, got channel {channel}: give another table with --labels"
        )
