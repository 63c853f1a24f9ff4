"""Training of the focus quality networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

from parfocal.commands import Param, command
from parfocal.focus_quality.dataset import blur_images, training_images
from parfocal.focus_quality.export import write_model_folder
from parfocal.focus_quality.fit import fit_network
from parfocal.focus_quality.settings import POOLINGS, training_settings
from parfocal.training.images import accept_trained, find_training_images, split_by_field
from parfocal.training.run_folder import claim_run_folder


@command
def train_focus_quality(
    images: Annotated[str, Param(label="Folder of in-focus images")],
    output: Annotated[str, Param(label="Model folder to write")],
    config: Annotated[str, Param(choices=("default", "yang2018", "images_alone"), label="Config")] = "default",
    sources: Annotated[Optional[str], Param(label="Sources of the images (JSON)")] = None,
    steps: Annotated[Optional[int], Param("batches", 1, None, label="Steps")] = None,
    learning_rate: Annotated[Optional[float], Param("", 0.0, 1.0, label="Learning rate")] = None,
    augment: Annotated[Optional[bool], Param(label="Random gain and offset")] = None,
    seed: Annotated[Optional[int], Param("", 0, None, label="Seed")] = None,
    resume: Annotated[bool, Param(label="Go on from the last checkpoint")] = False,
) -> Path:
    """Train a focus quality network from a folder of in-focus images and write a model folder.

    Parameters
    ----------
    images : path
        Folder of in-focus images, searched recursively. Unreadable, blank, small or blurred ones are refused and
        listed in `refused.csv`.
    output : path
        Model folder to write: weights, `config.json`, `card.md`, training log and curve. It must not exist yet, unless
        `resume` is set.
    config : str
        `default`, `yang2018`, or `images_alone`: the default without simulated pictures and added patches.
    sources : path, optional
        JSON that groups the images into sources and fields; without it each subfolder is a source.
    steps : int, optional
        Batches of 64 patches; by default the config's: 12,000 for `default`, 1,000,000 for `yang2018`.
    learning_rate : float, optional
        Highest rate of Adam; by default the config's: 0.002 for `default`, 0.000005 for `yang2018`.
    augment : bool, optional
        Change gain (0.2 to 5) and offset (1 to 1000) at random, as the paper does; all configs do.
    seed : int, optional
        Of weights, patches and noise; 1 in all configs.
    resume : bool
        Go on from the last checkpoint in `output`. Without dropout (`default`) the weights are those of a run that was
        never interrupted; the dropout of `yang2018` starts its random numbers anew.

    Returns
    -------
    Path
        The model folder.

    Raises
    ------
    FileNotFoundError
        No image is left to train from.
    FileExistsError
        `output` holds something and `resume` is not set.
    """
    settings = training_settings(config, steps=steps, learning_rate=learning_rate, augment=augment, seed=seed)
    parts = split_by_field(find_training_images(images, sources))
    folder = Path(output)
    claim_run_folder(folder, settings, resume)
    accepted = accept_trained(parts, folder / "refused.csv")
    if not accepted["train"]:
        raise FileNotFoundError(f"no image in {images} can be trained from; see {folder / 'refused.csv'}")
    validation = accepted["validation"] or accepted["train"][::10]
    train = training_images(accepted["train"], settings)
    model, history = fit_network(settings, train, blur_images(validation), folder)
    return write_model_folder(folder, model, settings, history, accepted, POOLINGS[settings.architecture])
