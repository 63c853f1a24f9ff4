"""The command `train_sorter`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Optional

import numpy as np

from parfocal.commands import Param, check_arguments, command
from parfocal.labels.suspects import Suspect, suspected_mislabels, write_suspects
from parfocal.labels.table import labels_of_folder
from parfocal.registry import load_model
from parfocal.sorting.cross_validation import FoldScores, cross_validate_recipe
from parfocal.sorting.examples import Example, folds, labelled_examples, synthetic_examples
from parfocal.sorting.export import write_model_folder
from parfocal.sorting.fit import Fit, run_fit
from parfocal.sorting.members import first_member
from parfocal.sorting.recipe import CONFIGS, Recipe, recipe_of, write_ensemble
from parfocal.sorting.settings import TASK, SorterTraining
from parfocal.training.export import read_start
from parfocal.training.images import TrainingImage, accept_trained, find_training_images, split_by_field
from parfocal.training.run_folder import claim_run_folder

# Fewest images of each class for which cross-validation says anything.
_FEWEST_FOR_FOLDS = 10


@command
def train_sorter(
    images: Annotated[str, Param(label="Folder of images")],
    output: Annotated[str, Param(label="Model folder to write")],
    config: Annotated[str, Param(choices=CONFIGS, label="Config")] = "default",
    start_from: Annotated[Optional[str], Param(label="Model to go on from")] = None,
    synthetic: Annotated[bool, Param(label="Make examples from in-focus images")] = False,
    sources: Annotated[Optional[str], Param(label="Sources of in-focus images (JSON)")] = None,
    exposures: Annotated[int, Param("exposures", 1, 100, label="Synthetic exposures of each class and image")] = 4,
    epochs: Annotated[Optional[float], Param("passes", 0.0, None, label="Passes")] = None,
    learning_rate: Annotated[Optional[float], Param("", 0.0, 1.0, label="Learning rate")] = None,
    cross_validation: Annotated[int, Param("folds", 0, 20, label="Folds of the cross-validation")] = 5,
    seed: Annotated[Optional[int], Param("", 0, None, label="Seed")] = None,
) -> Path:
    """Train a network that sorts sharp from defocused images, and write a model folder.

    Parameters
    ----------
    images : path
        Folder of images that a person labelled: with `labels.csv` as `parfocal label` writes it, or with subfolders
        `sharp` and `defocused`. With `synthetic`, a folder of in-focus images instead, each of which is exposed sharp
        (levels 0 to 0.5) and defocused (3 to 10), for `default` also in between, with random noise.
    output : path
        Model folder to write. It must not exist yet.
    config : str
        `default`, `xue2021` (SDCNN and the recipe of the paper), `resnet50v2` (the paper's comparison) or `ensemble`:
        two of `default` and one of `xue2021`, with 10 passes, whose logits are averaged by 2 : 2 : 1. The model that
        ships is one.
    start_from : path, optional
        Model, by name or folder, whose weights are trained on (transfer learning): tens of images of each class then
        do. Its architecture holds, of an ensemble that of its first network, which is trained on alone; the learning
        rate is 0.0002, halved after 25 of 50 passes, as in Xue et al. (2021).
    synthetic : bool
        Make the examples from in-focus images.
    sources : path, optional
        JSON that groups in-focus images into sources and fields, for `synthetic`; without it each subfolder is a
        source.
    exposures : int
        Sharp and defocused exposures of each in-focus image.
    epochs : float, optional
        Passes over the examples: 16 for `default`, 50 otherwise.
    learning_rate : float, optional
        Highest rate: 0.002 (Adam) for `default`, 0.001 (SGD, halved every 5 passes) otherwise, 0.0002 for transfer.
    cross_validation : int
        Labelled images are also cross-validated over so many folds, split by field: the card states what came out, and
        images whose label looks wrong are listed in `suspects.csv`. 0 leaves it out.
    seed : int, optional
        Of weights, examples and noise; 1 in all configs.

    Returns
    -------
    Path
        The model folder.

    Raises
    ------
    FileNotFoundError
        The folder is missing, or holds nothing to train from.
    FileExistsError
        `output` holds something.
    ValueError
        An argument is wrong, or a class is empty; the message says which.
    """
    check_arguments(train_sorter, locals())
    begun = None if start_from is None else load_model(first_member(start_from), TASK)
    changes: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "seed": seed}
    recipe = recipe_of(begun.config["architecture"] if begun else config, transfer=begun is not None, **changes)
    settings = next(iter(recipe.values()))[0]
    folder = Path(output)
    start = read_start(begun.folder, begun.config) if begun else None
    if synthetic:
        parts = split_by_field(find_training_images(images, sources))
        claim_run_folder(folder, settings, None)
        train, validation = _synthetic(parts, exposures, settings, folder)
        about = {"modalities": ["widefield_fluorescence"], "threshold": 0.5}
        cross_validated = ""
    else:
        examples, refused = labelled_examples(labels_of_folder(images), Path(images))
        _check_classes(examples, images)
        claim_run_folder(folder, settings, None)
        (folder / "refused.txt").write_text("".join(f"{line}\n" for line in refused))
        train, validation = _split(examples)
        about = {"modalities": [], "threshold": 0.5}
        cross_validated = _cross_validated(examples, recipe, start, cross_validation, folder)
    begun_from = "" if start_from is None else f"- Trained on from the model `{start_from}`.\n"
    further = _validated(train, validation) + begun_from + cross_validated
    for name, (own, _) in recipe.items():
        _train(Fit(own, train, validation, start), folder / name, about, further)
    if len(recipe) > 1:
        write_ensemble(folder, {name: share for name, (_, share) in recipe.items()}, _counts(train))
    return folder


def _train(fit: Fit, folder: Path, about: dict[str, Any], further: str) -> None:
    """Train one network, and write its folder."""
    train = [example for example in fit.train if fit.settings.between or not example.between]
    network, history = run_fit(replace(fit, train=train))
    folder.mkdir(exist_ok=True)
    write_model_folder(folder, network, fit.settings, history, _counts(train), about, further)


def _synthetic(
    parts: dict[str, list[TrainingImage]], exposures: int, settings: SorterTraining, folder: Path
) -> tuple[list[Example], list[Example]]:
    accepted = accept_trained(parts, folder / "refused.csv")
    if not accepted["train"]:
        raise FileNotFoundError(f"no image can be trained from; see {folder / 'refused.csv'}")
    held = accepted["validation"] or accepted["train"][::10]
    return (
        synthetic_examples(accepted["train"], exposures, settings.seed, settings.between),
        synthetic_examples(held, 2, settings.seed + 1000),
    )


def _check_classes(examples: Sequence[Example], images: str) -> None:
    for name, wanted in (("sharp", False), ("defocused", True)):
        if not any(example.defocused is wanted for example in examples):
            raise ValueError(
                f"{images} must hold sharp and defocused images to train from, none that can be read is {name}"
            )


def _split(examples: list[Example]) -> tuple[list[Example], list[Example]]:
    """Keep the fields of one fold of ten back for the validation, where that leaves both classes on both sides."""
    fold = folds(examples, 10)
    for number in range(10):
        train = [example for example, k in zip(examples, fold) if k != number]
        held = [example for example, k in zip(examples, fold) if k == number]
        if all(len({example.defocused for example in side}) == 2 for side in (train, held)):
            return train, held
    return examples, examples


def _validated(train: Sequence[Example], validation: Sequence[Example]) -> str:
    """Say whether the validation means anything."""
    if {(e.source, e.field) for e in train} & {(e.source, e.field) for e in validation}:
        return "- Too few fields to keep one back: the validation images were trained on, their figures mean nothing.\n"
    return "- The validation images are of other fields than those trained on.\n"


def _cross_validated(examples: list[Example], recipe: Recipe, start: Any, count: int, folder: Path) -> str:
    """Cross-validate labelled examples, list suspects, and say what came out."""
    labels = np.array([example.defocused for example in examples])
    fold = folds(examples, max(1, count))
    # A network needs both classes in what is left of the examples without a fold.
    feasible = all(len(set(labels[fold != number])) == 2 for number in np.unique(fold))
    if not feasible or min(labels.sum(), (~labels).sum()) < _FEWEST_FOR_FOLDS:
        needed = f"{_FEWEST_FOR_FOLDS} images and two fields of each class, and 2 folds or more"
        return f"- Not cross-validated: that takes {needed}.\n"
    found = cross_validate_recipe(examples, recipe, count, start=start)
    told = ["defocused" if label else "sharp" for label in labels]
    worst: dict[str, Suspect] = {}
    for suspect in suspected_mislabels([example.name for example in examples], told, list(found.score)):
        worst.setdefault(suspect.file, suspect)  # of a stack, the plane that speaks loudest against its label
    suspects = tuple(worst.values())
    write_suspects(folder / "suspects.csv", suspects)
    return f"- {_sentence(found, labels, fold)} Labels that look wrong: {len(suspects)} (`suspects.csv`).\n"


def _sentence(found: FoldScores, labels: np.ndarray, fold: np.ndarray) -> str:
    figures = found.figures(labels, fold)
    return (
        f"Cross-validation over {len(np.unique(fold))} folds, split by field ({len(labels)} images): AUC "
        f"{figures['AUC']:.4f}, accuracy {figures['accuracy']:.4f}."
    )


def _counts(examples: Sequence[Example]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for source in sorted({example.source for example in examples}):
        own = [example.defocused for example in examples if example.source == source]
        counts[source] = (len(own) - sum(own), sum(own))
    return counts
