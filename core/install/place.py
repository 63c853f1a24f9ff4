"""A folder of another program into which files are put, all or none, and out of which these alone are taken."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Optional

from parfocal.install.written import Kind, Written, digest, read_written
from parfocal.system_errors import told_plainly


def whole_path(given: str | os.PathLike[str]) -> Path:
    """Path without links, with the folder of the user for `~`; it need not be there."""
    return Path(os.path.realpath(os.path.expanduser(given)))


@dataclass(frozen=True)
class Place(Generic[Kind]):
    """Where the files of an installation lie.

    Attributes
    ----------
    root : Path
        Folder of the program, in which folders are made where they are missing.
    folder : Path
        Of the files, below it.
    name : str
        Of the list of what was written, beside them.
    kind : type
        Of that list.
    """

    root: Path
    folder: Path
    name: str
    kind: type[Kind]

    def read(self) -> Optional[Kind]:
        """Read the list; None where there is none, ValueError as `read_written`."""
        with told_plainly(f"{self.folder} cannot be looked into"):
            return read_written(self.kind, self.folder / self.name)

    def written(self) -> Kind:
        """Read the list (FileNotFoundError where nothing is installed, ValueError as `read_written`)."""
        found = self.read()
        if found is None:
            raise FileNotFoundError(
                f"nothing of Parfocal is installed in {self.folder}: there is no {self.folder / self.name}"
            )
        return found

    def put(self, texts: dict[str, str], told: Kind) -> None:
        """Write files by their names and, last, the list; what an earlier call wrote is replaced.

        Parameters
        ----------
        texts : dict of str
        told : Written
            The list, without `files` and `made`.

        Raises
        ------
        OSError
            Where a file is in the way that no earlier call wrote or that was changed since, or one cannot be written;
            all is then as it was.
        ValueError
            As `read_written`.
        """
        before = self.read()
        with told_plainly(f"Parfocal's files cannot be written into {self.folder}"):
            self._check_free(texts, before)
            made = before.made if before else self._missing()
            files = {name: digest(text.encode()) for name, text in texts.items()}
            contents: dict[Path, Optional[bytes]] = {self.folder / name: text.encode() for name, text in texts.items()}
            contents.update(dict.fromkeys(self._outdated(texts, before)))
            contents[self.folder / self.name] = replace(told, files=files, made=tuple(made)).text().encode()
            self._change(contents)

    def take_away(self, written: Written) -> tuple[list[Path], list[Path]]:
        """Remove the files of an installation, its list, and the folders made for them where they are empty then.

        Returns
        -------
        removed : list of Path
        kept : list of Path
            Files that were changed since they were written.

        Raises
        ------
        OSError
            Where one cannot be removed; the list stays then, so that it can be done again.
        """
        with told_plainly(f"Parfocal's files cannot be taken out of {self.folder}"):
            there = [path for path in map(self.folder.joinpath, written.files) if path.exists()]
            removed = [path for path in there if written.is_unchanged(path)]
            for path in (*removed, self.folder / self.name):
                path.unlink()
            _remove_empty(map(self.root.joinpath, written.made))
        return removed, [path for path in there if path not in removed]

    def _check_free(self, texts: dict[str, str], before: Optional[Written]) -> None:
        for name, text in texts.items():
            path = self.folder / name
            if not path.exists() or (path.is_file() and path.read_bytes() == text.encode()):
                continue
            if before is None or name not in before.files:
                raise FileExistsError(
                    f"{path} is in the way and was not written by parfocal install: move it away first"
                )
            if not before.is_unchanged(path):
                raise FileExistsError(f"{path} was changed since parfocal install wrote it: move it away first")

    def _missing(self) -> list[str]:
        """Folders that must be made, relative to the root, the innermost first."""
        missing = [p for p in (self.folder, *self.folder.parents) if self.root in p.parents and not p.exists()]
        return [path.relative_to(self.root).as_posix() for path in missing]

    def _outdated(self, texts: dict[str, str], before: Optional[Written]) -> list[Path]:
        """Unchanged files that an older version wrote and this one does not."""
        older = [self.folder / name for name in (before.files if before else ()) if name not in texts]
        return [path for path in older if before and before.is_unchanged(path)]

    def _change(self, contents: dict[Path, Optional[bytes]]) -> None:
        """Write files, or remove those without content; where one fails all are as they were."""
        made = [self.root / name for name in self._missing()]
        before = {path: path.read_bytes() if path.exists() else None for path in contents}
        parts = {path: path.with_name(path.name + ".part") for path, content in contents.items() if content is not None}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # All of them lie on the disk before the first takes its place: a full one is noticed by then.
            for path, part in parts.items():
                part.write_bytes(contents[path] or b"")
            for path in contents:
                os.replace(parts[path], path) if path in parts else path.unlink()
        except BaseException:
            _put_back(before)
            _remove(parts.values())
            _remove_empty(made)
            raise


def _put_back(contents: dict[Path, Optional[bytes]]) -> None:
    """Give files the content that they had, as far as the system lets it; those that were not there go."""
    for path, content in contents.items():
        with suppress(OSError):
            if content is None:
                path.unlink()
            elif not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, the innermost first, where nothing is in them."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
