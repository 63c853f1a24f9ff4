"""Errors of the system, told as what could not be done, why, and what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_FORBIDDEN = ("you may not do that there", "choose a folder of your own, or have its rights changed")
_FULL = ("the disk is full", "make room, and try again")
_NO_FOLDER = ("a file is where a folder must be", "move it away, or choose another folder")
_CAUSES = {
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: ("it lies on a disk that is read-only", "choose a folder on another one, or move all of it there"),
    errno.ENOSPC: _FULL,
    # Of a quota, which Windows does not know.
    getattr(errno, "EDQUOT", errno.ENOSPC): _FULL,
    errno.ENOTDIR: _NO_FOLDER,
    errno.EEXIST: _NO_FOLDER,
    errno.EISDIR: ("a folder is where a file must be", "move it away, or choose another folder"),
    errno.ENOENT: ("there is no such folder, or it takes no files", "choose another folder"),
    errno.ENAMETOOLONG: ("the path is too long", "choose a shorter one"),
}
# Windows lets nobody replace or remove a file that a program has open.
_OPEN_ELSEWHERE = (32, 33)
_PART = ".part"
_UNREAD = dict.fromkeys((errno.EACCES, errno.EPERM), "no permission to read it")


@contextmanager
def told_plainly(failure: str) -> Iterator[None]:
    """Turn an error of the system into an OSError whose text begins with `failure`; others pass as they are.

    Raises
    ------
    OSError
        `failure: why (the file); what to do`.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        why, remedy = _cause(error)
        raise OSError(f"{failure}: {why}{_named(error, failure)}; {remedy}") from error


def _cause(error: OSError) -> tuple[str, str]:
    if getattr(error, "winerror", None) in _OPEN_ELSEWHERE:
        return "another program has it open", "close that program, and try again"
    return _CAUSES.get(error.errno or 0, (error.strerror or str(error), "mend that, and try again"))


def _named(error: OSError, failure: str) -> str:
    """The file in question, where that is not told already and has its name for the user, not that of a part."""
    name = str(error.filename2 or error.filename or "")
    return f" ({name})" if name and name not in failure and not name.endswith(_PART) else ""


def why_unread(error: BaseException) -> str:
    """Why a file cannot be read, in plain words; empty where that is not known of an error."""
    if getattr(error, "winerror", None) in _OPEN_ELSEWHERE:
        return "another program has it open"
    return _UNREAD.get(getattr(error, "errno", None) or 0, "")
