"""The file that a report is written to."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from parfocal.batch.files import OutputExists

# Tells a report of ours from another file of its name, and where in the file that stands.
GENERATOR = "Parfocal screen report"
_HEAD_BYTES = 2000
_ADVICE = {
    errno.ENOSPC: "make room on that disk",
    getattr(errno, "EDQUOT", errno.ENOSPC): "make room on that disk",
    errno.ENAMETOOLONG: "give it a shorter name",
}


class ReportNotWritten(OSError):
    """A report that cannot be written where it was to be."""


def check_target(path: Path, overwrite: bool) -> None:
    """See that a report may be written to a path.

    Raises
    ------
    ReportNotWritten
        Where it is a folder.
    parfocal.batch.files.OutputExists
        Where another file has the name, and `overwrite` is not set.
    """
    try:
        is_folder, is_other = path.is_dir(), path.exists() and not is_report(path)
    except OSError as error:
        raise _not_written(path, error) from error
    if is_folder:
        told = f"the report is a file, {path} is a folder: give the name of an HTML file"
        raise ReportNotWritten(f"{told}, such as -o {path / 'report.html'}")
    if is_other and not overwrite:
        raise OutputExists(f"{path} exists and is no report of a screen: choose another name (-o FILE)")


def is_report(path: Path) -> bool:
    """Whether a file is a report that Parfocal wrote."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return f'<meta name="generator" content="{GENERATOR}"'.encode() in stream.read(_HEAD_BYTES)


def write_page(path: Path, text: str) -> None:
    """Write a report; at no moment is there half of one.

    Raises
    ------
    ReportNotWritten
        Where that cannot be done; the message says why, and what to do.
    """
    begun = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Names of files may hold what UTF-8 does not.
        with begun.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
        os.replace(begun, path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        with suppress(OSError):
            begun.unlink(missing_ok=True)


def _not_written(path: Path, error: OSError) -> ReportNotWritten:
    advice = _ADVICE.get(error.errno or 0, "allow writing there")
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        told = f"{error.filename or path.parent} is a file, not a folder"
        return ReportNotWritten(f"the report cannot be written to {path}: {told}; choose another file (-o FILE)")
    told = f"the report cannot be written to {path}: {error.strerror or error}"
    return ReportNotWritten(f"{told}; {advice}, or choose another file (-o FILE)")
