"""Writing a model as a package of bioimage.io."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.batch.files import OutputExists
from parfocal.install.packages import extra_command
from parfocal.registry import Model, ModelError, load_model, read_config, shipped_file, shipped_models
from parfocal.sharing.about import ABOUT
from parfocal.sharing.describe import INPUT, OUTPUT, README, check_describes, describe, readme
from parfocal.sharing.examples import example_input
from parfocal.sharing.tensors import tensors_of
from parfocal.sharing.unpack import CONFIG, SUFFIX
from parfocal.sorting.members import ENSEMBLE
from parfocal.system_errors import told_plainly


def export_bioimageio(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    test_image: Optional[str | os.PathLike[str]] = None,
    overwrite: bool = False,
) -> Path:
    """Write a model as a package of the bioimage.io specification, which Parfocal loads too.

    Its test tensors are a real input and what the network gives for it. Nothing is downloaded.

    Parameters
    ----------
    model : str or path
        A shipped model as `task/name`, such as `focus_quality/default`, or a model folder; of a model that is made of
        several networks one of them, such as `task/name/network`.
    output : path
        The package, `*.zip`.
    test_image : path, optional
        Image of which the test input is made, its first plane, at the pixel size of the model; for a distance model of
        beads with one in the middle. By default one is simulated.
    overwrite : bool
        Whether a file that is there is replaced.

    Returns
    -------
    Path
        The package.

    Raises
    ------
    parfocal.registry.ModelError
        Where there is no such model, or it is damaged or made of several networks.
    ImportError
        Without the extra `bioimageio`, or where it does not work with the pydantic that is installed.
    ValueError
        Where the output is no `*.zip`, or the test image is too small.
    OSError
        Where the file is there already, or an image cannot be read or the file written.
    """
    package = Path(output)
    _check_output(package, overwrite)
    folder = _folder_of(model)
    network = load_model(folder, _task_of(folder))
    image = None if test_image is None else _first_plane(test_image)
    seen = example_input(network, image)
    with _told(package), tempfile.TemporaryDirectory(prefix="parfocal-export-") as place:
        files = Path(place) / folder.name
        _write_files(network, seen, files)
        made = Path(place) / "made.zip"
        _save(network, seen, files, made)
        _put(made, package)
    return package


def _told(package: Path) -> AbstractContextManager[None]:
    return told_plainly(f"{package} cannot be written")


def _check_output(package: Path, overwrite: bool) -> None:
    if package.suffix.lower() != SUFFIX:
        raise ValueError(f"the package must end with {SUFFIX}, got {package}")
    with _told(package):
        if not package.parent.is_dir():
            raise FileNotFoundError(f"no folder {package.parent} to write {package.name} into")
        if package.exists() and not package.is_file():
            raise FileExistsError(f"{package} is a folder: choose another name")
        if package.exists() and not overwrite:
            raise OutputExists(f"{package} exists: choose another name")
    try:
        import bioimageio.spec  # noqa: F401
    except ImportError as error:
        raise ImportError(f"packages of bioimage.io need bioimageio.spec: {extra_command('bioimageio')}") from error
    with _told(package):
        # Before the work, not after it.
        _begun(package).touch()
        _begun(package).unlink()


def _begun(package: Path) -> Path:
    return package.with_name(f".{package.name}.{os.getpid()}.part")


def _folder_of(model: str | os.PathLike[str]) -> Path:
    name = os.fspath(model)
    for folder in (*([] if name.startswith(".") else [shipped_file(name)]), Path(name)):
        if (folder / CONFIG).is_file():
            return folder.resolve()
    names = ", ".join(f"{folder.parent.name}/{folder.name}" for folder in shipped_models())
    raise ModelError(f"no model {str(model)!r}: give one of {names} or the path of a model folder")


def _task_of(folder: Path) -> str:
    config = read_config(folder)
    task = str(config.get("task"))
    if task not in ABOUT:
        raise ModelError(f"{folder} is a model for {config.get('task')!r}: known are {', '.join(ABOUT)}")
    if config.get("architecture") == ENSEMBLE:
        names = ", ".join(str(folder / name) for name in config.get("members", ()))
        raise ModelError(f"{folder} is made of several networks, and a package holds one: export {names} one by one")
    return task


def _first_plane(path: str | os.PathLike[str]) -> np.ndarray:
    from parfocal.images.planes import as_planes
    from parfocal.images.reading import read_images

    for item in read_images(path):
        return np.asarray(as_planes(item.pixels)[0][0])
    raise OSError(f"{path} holds no image")


def _write_files(network: Model, seen: np.ndarray, files: Path) -> None:
    """Lay down the model's own files, the test tensors and README.md; `start.npz` goes along, for fine-tuning."""
    files.mkdir()
    for path in network.folder.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copyfile(path, files / path.name)
    told = network.predict(seen)
    np.save(files / INPUT, seen, allow_pickle=False)
    np.save(files / OUTPUT, told, allow_pickle=False)
    card = files / "card.md"
    text = readme(network, tensors_of(network, told), card.read_text(encoding="utf-8") if card.exists() else "")
    (files / README).write_text(text, encoding="utf-8")


def _save(network: Model, seen: np.ndarray, files: Path, package: Path) -> None:
    from bioimageio.spec import save_bioimageio_package

    told = np.load(files / OUTPUT, allow_pickle=False)
    with _offline():
        check_describes()
        save_bioimageio_package(describe(network, seen, told, files), output_path=package)


@contextmanager
def _offline() -> Iterator[Any]:
    """Have bioimageio.spec look at no address and make no pictures, which it would leave in the temporary folder."""
    from bioimageio.spec import ValidationContext

    with ValidationContext(perform_io_checks=False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _put(made: Path, package: Path) -> None:
    """Move a file to its place, whole or not at all; the temporary folder may lie on another disk."""
    begun = _begun(package)
    try:
        shutil.copyfile(made, begun)
        os.replace(begun, package)
    finally:
        begun.unlink(missing_ok=True)
