"""Files on disk as images: found in folders, and read whatever their format."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from parfocal.images.makers import read_czi, read_lif, read_nd2
from parfocal.images.metadata import ImageItem, ImageMetadata, UnreadableImage
from parfocal.images.tiff import read_tiff


def read_images(path: str | os.PathLike[str]) -> Iterator[ImageItem]:
    """Read the images of a file, one after the other.

    A file gives one item for each series (position, scene), time and channel: an image (y, x), or a stack (z, y, x)
    where it has several planes; colours stay last. TIFF (plain, multi-page, OME, ImageJ), PNG, JPEG and BMP are read
    as they are; CZI, ND2 and LIF need the extra `formats`. Pages of a plain multi-page TIFF are a stack.

    Parameters
    ----------
    path : path
        The file.

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
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableImage(f"files {path.suffix or 'without a suffix'} are not known, only {', '.join(READERS)}")
    if path.stat().st_size == 0:
        raise UnreadableImage("the file is empty (0 bytes)")
    try:
        yield from reader(path)
    except (UnreadableImage, MemoryError, GeneratorExit):
        raise
    except Exception as error:  # readers of damaged files raise anything, from KeyError to errors of their own
        raise UnreadableImage(f"{type(error).__name__}: {one_line(error)}") from error


def find_images(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List image files: those named, those that match a pattern, and those anywhere below a folder.

    In folders, hidden files (such as `._A01.tif` from a Mac) and thumbnails (`_thumb` in the name, as ImageXpress
    writes them) are left out. A file that is named is kept whatever it is.

    Raises
    ------
    FileNotFoundError
        Where a path does not exist, a pattern matches nothing, or a folder holds no image; the message names it.
    """
    found: dict[Path, None] = {}
    for given in paths:
        found.update(dict.fromkeys(_files_of(os.fspath(given))))
    return list(found)


def _files_of(given: str) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return [path]
    if not glob.has_magic(given):
        raise FileNotFoundError(f"no such file or folder: {given}")
    matches = [Path(match) for match in sorted(glob.glob(given, recursive=True))]
    files = [match for match in matches if match.is_file() and match.suffix.lower() in READERS]
    if not files:
        raise FileNotFoundError(f"no image matches {given} (looked for {', '.join(READERS)})")
    return files


def _folder(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if _is_file(path) and _wanted(path.relative_to(folder)))
    if not files:
        raise FileNotFoundError(f"no image below the folder {folder} (looked for {', '.join(READERS)})")
    return files


def _is_file(path: Path) -> bool:
    """Say whether it is a file or a link to one; a link to nothing counts: it becomes a row with its reason."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def _wanted(path: Path) -> bool:
    if any(part.startswith(".") for part in path.parts) or "_thumb" in path.name.lower():
        return False
    return path.suffix.lower() in READERS


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
}
