"""Files on disk as images: found in folders, and read whatever their format."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from parfocal.images.left_by_runs import MARKS, PICTURES, LeftOut, written_beside
from parfocal.images.makers import read_czi, read_lif, read_nd2
from parfocal.images.metadata import ImageItem, ImageMetadata, UnreadableImage
from parfocal.images.ome_zarr import SUFFIX, read_ome_zarr, zarr_root
from parfocal.images.tiff import read_tiff
from parfocal.system_errors import why_unread


def read_images(path: str | os.PathLike[str]) -> Iterator[ImageItem]:
    """Read the images of a file, one after the other.

    A file gives one item for each series (position, scene), time and channel: an image (y, x), or a stack (z, y, x)
    where it has several planes; colours stay last. TIFF (plain, multi-page, OME, ImageJ), PNG, JPEG and BMP are read
    as they are; CZI, ND2, LIF and OME-Zarr need the extra `formats`. Pages of a plain multi-page TIFF are a stack.

    Parameters
    ----------
    path : path
        The file; of OME-Zarr the folder `*.zarr`, or that of an image in it.

    Yields
    ------
    ImageItem
        Path, pixels, and what the file says of the optics.

    Raises
    ------
    UnreadableImage
        Where the file is damaged, of an unknown kind, or needs a package that is not installed.
    FileNotFoundError
        Where there is no such file.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    reader = read_ome_zarr if zarr_root(path) else READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableImage(f"files {path.suffix or 'without a suffix'} are not known, only {', '.join(READERS)}")
    if path.stat().st_size == 0:
        raise UnreadableImage("the file is empty (0 bytes)")
    try:
        yield from reader(path)
    except (UnreadableImage, MemoryError, GeneratorExit):
        raise
    except Exception as error:  # readers of damaged files raise anything, from KeyError to errors of their own
        raise UnreadableImage(why_unread(error) or f"{type(error).__name__}: {one_line(error)}") from error


def find_images(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List image files: those named, those that match a pattern, and those anywhere below a folder.

    In folders, hidden files (such as `._A01.tif` from a Mac) and thumbnails (`_thumb` in the name, as ImageXpress
    writes them) are left out, and with a warning what runs of Parfocal wrote. A file that is named is kept whatever it
    is, and so is what lies in a folder that is named itself.

    Raises
    ------
    FileNotFoundError
        Where a path does not exist, a pattern matches nothing, or a folder holds no image; the message names it.
    """
    found: dict[Path, None] = {}
    left_out = LeftOut()
    for given in paths:
        found.update(dict.fromkeys(_files_of(os.fspath(given), left_out)))
    left_out.tell()
    return list(found)


def _files_of(given: str, left_out: LeftOut) -> list[Path]:
    path = Path(given)
    if path.is_dir() and not zarr_root(path):
        return _folder(path, left_out)
    if path.exists():
        return [path]
    if not glob.has_magic(given):
        raise FileNotFoundError(f"no such file or folder: {given}")
    matches = [Path(match) for match in sorted(glob.glob(given, recursive=True))]
    files = [match for match in matches if is_known(match.name) and (match.is_file() or zarr_root(match))]
    if not files:
        raise FileNotFoundError(f"no image matches {given} (looked for {', '.join(READERS)})")
    return files


def _folder(folder: Path, left_out: LeftOut) -> list[Path]:
    files = sorted(walk_images(folder, left_out=left_out))
    if not files:
        but = f" but what Parfocal wrote ({left_out})" if left_out else ""
        raise FileNotFoundError(f"no image below the folder {folder}{but} (looked for {', '.join(READERS)})")
    return files


def walk_images(
    folder: Path,
    unreadable: Callable[[Path, OSError], None] = lambda folder, error: None,
    left_out: Callable[[str], None] = lambda path: None,
) -> Iterator[Path]:
    """List image files below a folder as `find_images` does, one by one as the file system gives them.

    Folders `*.zarr` are images and not looked into; links to folders are not followed.

    Parameters
    ----------
    folder : Path
    unreadable : callable
        Called with a folder that cannot be listed, and the error.
    left_out : callable
        Called with the path of what is left out since a run of Parfocal wrote it.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        later: list[os.DirEntry[str]] = []
        marks: set[str] = set()
        try:
            with os.scandir(here) as entries:
                for entry in filter(_wanted, entries):
                    marks.update(MARKS.intersection((entry.name,)))
                    if not (is_known(entry.name) and _is_image(entry)):
                        later += [entry] * _is_folder(entry)
                    elif entry.name in PICTURES:
                        later.append(entry)
                    else:
                        yield Path(entry.path)
        except OSError as error:
            unreadable(here, error)
        written = written_beside(marks)
        for entry in later:
            if entry.name in written:
                left_out(entry.path)
            elif _is_folder(entry):
                waiting.append(Path(entry.path))
            else:
                yield Path(entry.path)


def _wanted(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and ("_thumb" not in entry.name.lower() or entry.is_dir())


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Say whether it is a folder to be looked into."""
    return entry.is_dir(follow_symlinks=False) and not entry.name.lower().endswith(SUFFIX)


def is_known(name: str) -> bool:
    """Say whether a name ends as those of images do."""
    return os.path.splitext(name)[1].lower() in READERS


def _is_image(entry: os.DirEntry[str]) -> bool:
    """Say whether it is a file, or a link to one; a link to nothing counts: it becomes a row with its reason."""
    if entry.name.lower().endswith(SUFFIX):
        return entry.is_dir()
    return entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))


def _read_simple(path: Path) -> Iterator[ImageItem]:
    """Read a PNG, JPEG or BMP; the resolution that such files state is that of a screen and is not used."""
    import imageio.v3 as iio

    pixels = np.asarray(iio.imread(path, plugin="pillow"))
    if pixels.ndim == 3 and pixels.shape[-1] == 2:
        pixels = pixels[..., 0]  # grey with alpha
    yield ImageItem(path, pixels, ImageMetadata())


def one_line(error: BaseException, longest: int = 300) -> str:
    """Text of an error on one line; its type where it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


READERS: dict[str, Callable[[Path], Iterator[ImageItem]]] = {
    **dict.fromkeys((".tif", ".tiff"), read_tiff),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp"), _read_simple),
    ".czi": read_czi,
    ".nd2": read_nd2,
    ".lif": read_lif,
    SUFFIX: read_ome_zarr,
}
